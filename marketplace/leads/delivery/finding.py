"""Where in a buyer's answer a value stands: JSON path, XPath, CSS or a regular expression, each a subset that is quick.

Buyers lie about content types, so the body is read as what the expression asks for. It is cut at 256 KiB and, as XML or
HTML, refused beyond 5,000 elements. JSON paths have no filters and one `..`; XPaths are plain location paths with one
`//`; CSS has simple selectors, descendants and children; regular expressions are RE2's. Each is linear in the body, or
nearly so.
"""

import codecs
import json
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import cssselect
import re2
from cssselect import parser as css
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.segments import JSONPathRecursiveDescentSegment
from jsonpath_rfc9535.selectors import FilterSelector
from lxml import etree, html

MAX_BODY = 256 * 1024  # bytes
MAX_ELEMENTS = 5_000
MAX_EXPRESSION = 300  # characters
MAX_FOUND = 4_000  # characters of a value

_STEP = r"(?:\.|\*|text\(\)|@?[A-Za-z_][\w.-]*)"
_TEST = r"(?:\[(?:[1-9]\d{0,3}|last\(\)|@?[A-Za-z_][\w.-]*\s*=\s*(?:'[^']*'|\"[^\"]*\"))\])"
_XPATH = re.compile(rf"(?://?)?{_STEP}{_TEST}?(?:/{_STEP}{_TEST}?){{0,12}}")
_DECLARATIONS = re.compile(r"\A\s*(?:<\?.*?\?>\s*)+", re.DOTALL)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

Read = Callable[["Answer"], str | None]


class Answer:
    """The body of an answer, read as JSON, XML or HTML by whoever asks, once each; None when it is none."""

    def __init__(self, body: bytes) -> None:
        """Keep the first 256 KiB as text, whatever the declared encoding."""
        self.text = decoded(body[:MAX_BODY])

    @cached_property
    def json(self) -> Any:
        """Return the JSON value; of a text that itself is a JSON document, that document."""
        value = _json_of(self.text)
        return _json_of(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else value

    @cached_property
    def xml(self) -> etree._Element | None:
        """Return the root of the XML, names without their namespaces; entities are never expanded."""
        if "<!entity" in self.text.lower() or not self.text.lstrip().startswith("<"):
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
        try:
            root = etree.fromstring(_DECLARATIONS.sub("", self.text).encode(), parser)
        except (etree.XMLSyntaxError, ValueError):
            return None
        return _without_namespaces(root) if _is_small(root) else None

    @cached_property
    def html(self) -> html.HtmlElement | None:
        """Return the root of the HTML."""
        parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
        try:
            root = html.document_fromstring(_DECLARATIONS.sub("", self.text).encode(), parser)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return None
        return root if _is_small(root) else None


def decoded(body: bytes) -> str:
    """Read bytes as text: by the byte order mark, else UTF-8, else Windows-1252 with what it cannot read replaced."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if len(body) >= MAX_BODY and error.end == len(body):  # the cut went through a character
            return body[: error.start].decode()
        return body.decode("cp1252", "replace")


def reader_of(kind: str, expression: str) -> Read:
    """Compile an expression of kind json, xpath, css or regex; ValueError with a sentence for a bad one."""
    if not 0 < len(expression) <= MAX_EXPRESSION:
        raise ValueError(f"write 1 to {MAX_EXPRESSION} characters")
    return _compiled(kind, expression)


@lru_cache(maxsize=1024)
def _compiled(kind: str, expression: str) -> Read:
    return _COMPILERS[kind](expression)


# -- JSON --------------------------------------------------------------------------------------------------------------


class _PlainPaths(JSONPathEnvironment):
    """JSON paths without functions, since some of them run regular expressions."""

    def setup_function_extensions(self) -> None:
        """Know none."""


_PATHS = _PlainPaths()


def _json_reader(expression: str) -> Read:
    try:
        query = _PATHS.compile(expression)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise ValueError(f"this is no JSON path such as $.result.code: {str(error).splitlines()[0]}") from None
    if any(len(each.selectors) != 1 or isinstance(each.selectors[0], FilterSelector) for each in query.segments):
        raise ValueError("filters and several selectors in one pair of brackets are not available")
    if sum(isinstance(each, JSONPathRecursiveDescentSegment) for each in query.segments) > 1:
        raise ValueError("use .. once at most")
    return lambda answer: _first_scalar(query, answer.json)


def _first_scalar(query: JSONPathQuery, document: Any) -> str | None:
    try:
        values = (node.value for node in query.finditer(document))
        return next((_shown(value) for value in values if _is_scalar(value)), None)
    except (JSONPathError, RecursionError):
        return None


def _is_scalar(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json_of(text: str) -> Any:
    try:
        return json.loads(text.strip().removeprefix("\ufeff"), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None


# -- XML and HTML ------------------------------------------------------------------------------------------------------


def _xpath_reader(expression: str) -> Read:
    if not _XPATH.fullmatch(expression.strip()):
        raise ValueError("write a plain path such as //status or /response/errors/error[1], without prefixes")
    path = etree.XPath(expression.strip(), smart_strings=False)
    return lambda answer: None if answer.xml is None else _first_text(path(answer.xml))


def _css_reader(expression: str) -> Read:
    try:
        selectors = css.parse(expression)
        if len(selectors) != 1 or not _is_simple(selectors[0].parsed_tree, 3) or selectors[0].pseudo_element:
            raise ValueError("use names, .classes, #ids and [attributes], at most three levels of them")
        path = etree.XPath(cssselect.HTMLTranslator().selector_to_xpath(selectors[0]), smart_strings=False)
    except cssselect.SelectorError as error:
        raise ValueError(f"this is no selector: {error}") from None
    return lambda answer: None if answer.html is None else _first_text(path(answer.html))


def _is_simple(tree: Any, levels: int) -> bool:
    if isinstance(tree, css.CombinedSelector):
        near = tree.combinator in (" ", ">") and levels > 1
        return near and _is_simple(tree.selector, levels - 1) and _is_simple(tree.subselector, 1)
    if isinstance(tree, css.Class | css.Hash | css.Attrib):
        return _is_simple(tree.selector, 1)
    return isinstance(tree, css.Element) and tree.namespace is None


def _first_text(found: Any) -> str | None:
    for each in found if isinstance(found, list) else ():
        text = each if isinstance(each, str) else "".join(each.itertext())
        if text.strip():
            return str(text)
    return None


def _is_small(root: etree._Element | None) -> bool:
    return root is not None and sum(1 for _ in zip(root.iter(), range(MAX_ELEMENTS + 1), strict=False)) <= MAX_ELEMENTS


def _without_namespaces(root: etree._Element) -> etree._Element:
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname
        for name in [name for name in element.attrib if str(name).startswith("{")]:
            element.set(etree.QName(name).localname, element.attrib.pop(name))
    return root


# -- regular expressions -----------------------------------------------------------------------------------------------


def _regex_reader(expression: str) -> Read:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = 1 << 20
    try:
        pattern = re2.compile(expression, options)
    except re2.error as error:
        raise ValueError(f"this is no expression that runs in linear time (RE2): {_message_of(error)}") from None
    if pattern.groups > 1:
        raise ValueError("capture one group at most; write (?:…) for the others")
    return lambda answer: _first_match(pattern, answer.text)


def _message_of(error: Exception) -> str:
    first = error.args[0] if error.args else ""
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _first_match(pattern: Any, text: str) -> str | None:
    match = pattern.search(text)
    found: str | None = match[pattern.groups] if match else None
    return found


_COMPILERS: dict[str, Callable[[str], Read]] = {
    "json": _json_reader,
    "xpath": _xpath_reader,
    "css": _css_reader,
    "regex": _regex_reader,
}
