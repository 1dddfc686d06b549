"""The template language of buyers: Liquid with so little of it that a template can neither run long nor look around.

Only conditions and loops over what the parcel has; no assignments, includes or ranges, so that nothing grows from one
step to the next. Filters are ours and bounded; all work of one rendering is counted and comes to an end.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any, TextIO
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

from liquid import Environment, StrictUndefined, Undefined
from liquid.builtin import content, illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import case_tag, comment_tag, for_tag, if_tag, unless_tag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate
from liquid.token import Token
from liquid.undefined import UNDEFINED

from core.errors import Invalid
from marketplace.leads.delivery.formats import FORMATS, formatted, text_of

MAX_TEMPLATE = 10_000  # characters
MAX_OUTPUT = 256 * 1024  # bytes
MAX_LOOPS = 200  # passes through all loops together
MAX_TEXT = 20_000  # characters that a filter may give
MAX_WORK = 2_000_000  # characters that all filters of one rendering may read, and look-ups count too:
LOOK_UP = 100  # a name in a template is as much work as this many characters

Escape = Callable[[str], str]

_RANGE = re.compile(r"\{[{%][^}]*\.\.")
_work_left: ContextVar[int] = ContextVar("work_left", default=MAX_WORK)


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def xml_text(text: str) -> str:
    """Escape text for XML content and quoted attributes; what XML 1.0 cannot hold is left out."""
    return escape(NOT_XML.sub("", text), {'"': "&quot;", "'": "&#39;"})


NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ESCAPES: dict[str, Escape] = {
    "json": _in_json,
    "form": partial(quote_plus, safe=""),
    "xml": xml_text,
    "soap": xml_text,
    "text": lambda text: text,
}


class _Json(str):
    """A whole JSON value."""

    __slots__ = ()


class _Xml(str):
    """Text escaped for XML."""

    __slots__ = ()


class _Percent(str):
    """Text in percent encoding, which means nothing else to any format."""

    __slots__ = ()


# What a filter has escaped already, by the format in which that is enough.
_READY: dict[str, tuple[type, ...]] = {"json": (_Json, _Percent), "xml": (_Xml, _Percent), "soap": (_Xml, _Percent)}


class _EscapedNode(OutputNode):
    """An output statement whose value is escaped for the format of the body."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        if isinstance(value, Undefined):
            value = str(value)  # the strict kind refuses here
        if value is not None and not isinstance(value, str | int | float | bool):
            raise LiquidError("only a single value can be written; name a part of it", token=self.token)
        language: _Language = context.env  # type: ignore[assignment]
        is_ready = isinstance(value, _READY.get(language.form, (_Percent,)))
        return buffer.write(str(value) if is_ready else ESCAPES[language.form](text_of(value)))


class _EscapedOutput(Output):
    node_class = _EscapedNode


class _CountedContext(RenderContext):
    """The names that a template sees; looking one up counts as work."""

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Look a name up, as Liquid does."""
        _spend(LOOK_UP)
        return super().get(path, token=token, default=default)


class _CountedTemplate(BoundTemplate):
    context_class = _CountedContext


class _Language(Environment):
    """The few tags and filters that buyers have, for one way of escaping."""

    template_class = _CountedTemplate
    loop_iteration_limit = MAX_LOOPS
    output_stream_limit = MAX_OUTPUT
    local_namespace_limit = 1024
    block_nesting_limit = 20

    def __init__(self, form: str, undefined: type[Undefined]) -> None:
        self.form = form
        super().__init__(undefined=undefined)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:  # noqa: ARG002
        """Know no tag and no filter but these."""
        for tag in (content.Literal, illegal.Illegal, _EscapedOutput, if_tag.IfTag, unless_tag.UnlessTag,
                    case_tag.CaseTag, for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag,
                    comment_tag.CommentTag):  # fmt: skip
            self.add_tag(tag)
        for name, work in _FILTERS.items():
            self.add_filter(name, work)


def rendered(source: str, names: Mapping[str, Any], escape_name: str = "text", *, strict: bool = False) -> str:
    """Write a template with these plain values; Invalid `bad_template` says what is wrong with it.

    Values are escaped by `escape_name` (json form xml soap text). Strict refuses names that do not exist; otherwise
    they are empty.
    """
    token = _work_left.set(MAX_WORK)
    try:
        return _compiled(source, escape_name, strict).render(**names)
    except (LiquidError, RecursionError, ValueError, TypeError, ArithmeticError) as error:
        raise Invalid("bad_template", f"The template cannot be used: {_first_line(error)}.") from None
    finally:
        _work_left.reset(token)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200].rstrip(".")


@lru_cache(maxsize=256)
def _compiled(source: str, escape_name: str, strict: bool) -> BoundTemplate:
    if len(source) > MAX_TEMPLATE:
        raise ValueError(f"it is longer than {MAX_TEMPLATE} characters")
    if _RANGE.search(source):
        raise ValueError("ranges such as (1..5) are not available")
    return _Language(escape_name, StrictUndefined if strict else Undefined).from_string(source)


# -- filters -----------------------------------------------------------------------------------------------------------


def _bounded(work: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter of a function of texts: what it reads is counted, what it gives is bounded."""

    def counted(value: object, *arguments: object) -> object:
        texts = [_text(each) for each in (value, *arguments)]
        _spend(sum(map(len, texts)) + 10)
        found = work(*texts)
        if isinstance(found, str) and len(found) > MAX_TEXT:
            raise ValueError(f"a filter gives more than {MAX_TEXT} characters")
        return found

    return counted


def _spend(work: int) -> None:
    left = _work_left.get() - work
    _work_left.set(left)
    if left < 0:
        raise ValueError("it does too much")


def _text(value: object) -> str:
    if isinstance(value, Undefined):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return text_of(value)
    raise ValueError("filters work on single values")


def _default(value: object, instead: object = "") -> object:
    return instead if isinstance(value, Undefined) or value is None or value in ("", False) else value


def _replace(text: str, old: str, new: str = "") -> str:
    if not old:
        raise ValueError("replace needs a text to look for")
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise ValueError(f"a filter gives more than {MAX_TEXT} characters")
    return text.replace(old, new)


def _format_filter(name: str) -> Callable[..., Any]:
    return _bounded(lambda text, country="": formatted(text, (name,), country))


_FILTERS: dict[str, Callable[..., Any]] = {name: _format_filter(name) for name in FORMATS} | {
    "default": _default,
    "strip": _bounded(str.strip),
    "append": _bounded(lambda text, more: text + more),
    "prepend": _bounded(lambda text, more: more + text),
    "replace": _bounded(_replace),
    "remove": _bounded(_replace),
    "truncate": _bounded(lambda text, length: text[: int(length)]),
    "size": _bounded(len),
    "json": lambda value: _Json(json.dumps(value if isinstance(value, int | float) or value is None else _text(value),
                                            ensure_ascii=False)),
    "xml": _bounded(lambda text: _Xml(xml_text(text))),
    "url_encode": _bounded(lambda text: _Percent(quote(text, safe=""))),
}  # fmt: skip
