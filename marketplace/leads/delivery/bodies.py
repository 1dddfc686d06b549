"""Pairs of names and values written as a body: JSON, a form, XML, a SOAP 1.1 envelope, or plain text.

Dots in a name nest, a number in it is a place in a list (`leads.0.fields.Email`), `@` begins an attribute of XML.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import urlencode

from lxml import etree

from core.errors import Fault
from marketplace.leads.delivery.formats import text_of
from marketplace.leads.delivery.mapping import Pairs
from marketplace.leads.delivery.parcel import Scalar
from marketplace.leads.delivery.wording import NOT_XML

BodyFormat = Literal["json", "form", "xml", "soap", "text"]

CONTENT_TYPES: dict[BodyFormat, str] = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "xml": "application/xml; charset=utf-8",
    "soap": "text/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
MAX_DEPTH, MAX_PLACE = 10, 20
_XML_NAME = re.compile(r"(?!xml)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)

Nested = dict[str, Any]


def body_of(form: BodyFormat, pairs: Pairs, root: str = "lead", namespace: str = "") -> bytes:
    """Write pairs as a body in UTF-8; `root` and `namespace` are those of XML and SOAP."""
    return _WRITERS[form](pairs, root, namespace)


def query_of(pairs: Pairs) -> str:
    """Write pairs as a query string or form, without a question mark."""
    return urlencode([(name, text_of(value)) for name, value in pairs])


def name_faults(where: str, form: BodyFormat, names: list[str], root: str) -> Iterator[Fault]:
    """Yield the names that this format cannot write."""
    if form in ("xml", "soap") and not _XML_NAME.fullmatch(root):
        yield Fault("root", "invalid_name", "Name the root element with letters, digits, - and _, such as lead.")
    for name in names if form in ("json", "xml", "soap") else ():
        parts = name.split(".")
        numbers = [part for part in parts if part.isdecimal()]
        if len(parts) > MAX_DEPTH or any(len(part) > 2 or int(part) > MAX_PLACE for part in numbers):
            message = f"Nest at most {MAX_DEPTH} deep, and lists of at most {MAX_PLACE + 1}."
            yield Fault(f"{where}.{name}", "invalid_name", message)
        elif form != "json" and not _fits_xml(parts):
            message = "Use names of XML elements, divided by dots; an attribute comes last and begins with @."
            yield Fault(f"{where}.{name}", "invalid_name", message)
    if form in ("json", "xml", "soap"):
        yield from _mixture_faults(where, names)


def _mixture_faults(where: str, names: list[str]) -> Iterator[Fault]:
    """Yield the names that would put numbered and named parts into one level."""
    levels: dict[str, bool] = {}
    for name in names:
        parts = name.split(".")
        numbered = [(".".join(parts[:place]), part.isdecimal()) for place, part in enumerate(parts)]
        if any(levels.setdefault(level, is_number) != is_number for level, is_number in numbered):
            yield Fault(f"{where}.{name}", "invalid_name", "Use either numbers or names within one level.")


def _fits_xml(parts: list[str]) -> bool:
    tags = [part for part in parts if not part.isdecimal()]
    named = [*tags[:-1], tags[-1].removeprefix("@")] if tags else []
    lists = any(left.isdecimal() and right.isdecimal() for left, right in pairwise(parts)) or parts[0].isdecimal()
    return bool(named) and not lists and all(_XML_NAME.fullmatch(part) for part in named)


# -- nesting -----------------------------------------------------------------------------------------------------------


def _nested(pairs: Pairs) -> Nested:
    whole: Nested = {}
    for name, value in pairs:
        *parents, last = name.split(".")
        inner = whole
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return whole


def _with_lists(value: Any) -> Any:
    """Make lists of the levels whose names are all numbers, in the order of the numbers."""
    if not isinstance(value, dict):
        return value
    if value and all(part.isdecimal() for part in value):
        return [_with_lists(value[part]) for part in sorted(value, key=int)]
    return {name: _with_lists(part) for name, part in value.items()}


# -- writers -----------------------------------------------------------------------------------------------------------


def _json(pairs: Pairs, _root: str, _namespace: str) -> bytes:
    return json.dumps(_with_lists(_nested(pairs)), ensure_ascii=False).encode()


def _form(pairs: Pairs, _root: str, _namespace: str) -> bytes:
    return query_of(pairs).encode()


def _text(pairs: Pairs, _root: str, _namespace: str) -> bytes:
    return "".join(f"{name}: {' '.join(text_of(value).split())}\n" for name, value in pairs).encode()


def _xml(pairs: Pairs, root: str, namespace: str) -> bytes:
    element = etree.Element(_qualified(root, namespace), nsmap={None: namespace} if namespace else None)
    _fill(element, _with_lists(_nested(pairs)), namespace)
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def _soap(pairs: Pairs, root: str, namespace: str) -> bytes:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    operation = etree.SubElement(body, _qualified(root, namespace), nsmap={None: namespace} if namespace else None)
    _fill(operation, _with_lists(_nested(pairs)), namespace)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _qualified(name: str, namespace: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _fill(element: etree._Element, values: Nested, namespace: str) -> None:
    for name, value in values.items():
        if name.startswith("@"):
            element.set(name[1:], xml_safe(value))
            continue
        for each in value if isinstance(value, list) else [value]:
            child = etree.SubElement(element, _qualified(name, namespace))
            if isinstance(each, dict):
                _fill(child, each, namespace)
            else:
                child.text = xml_safe(each)


def xml_safe(value: Scalar) -> str:
    """Write a value as text that XML 1.0 can hold; other characters are left out."""
    return NOT_XML.sub("", text_of(value))


_WRITERS: dict[BodyFormat, Callable[[Pairs, str, str], bytes]] = {
    "json": _json,
    "form": _form,
    "xml": _xml,
    "soap": _soap,
    "text": _text,
}
