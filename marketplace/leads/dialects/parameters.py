"""Reading what a form, a query string, a JSON or an XML body says, whatever its content type claims."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from core.errors import Malformed
from marketplace.leads.dialects.documents import read_xml
from marketplace.leads.dialects.posted import Request

MOST_FIELDS = 1000
_BLANK = b" \t\r\n"


def together(request: Request) -> dict[str, Any]:
    """Return the parameters of the query string and the body side by side.

    Malformed for a parameter that is said twice with different values: nobody could tell which one is meant.
    """
    return one_of_each([*query_of(request).items(), *body_of(request).items()])


def query_of(request: Request) -> dict[str, Any]:
    """Return the parameters of the query string."""
    return one_of_each(_pairs(request.query, "utf-8"))


def body_of(request: Request) -> dict[str, Any]:
    """Return the fields of the body: of a JSON object, of an XML document's root, or of a form."""
    if request.form:
        return one_of_each(request.form)
    start = request.body.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)[:1]
    if start == b"{":
        return json_object(request.body.removeprefix(b"\xef\xbb\xbf"))
    if start == b"<":
        return read_xml(request.body)
    return one_of_each(_pairs(request.body.strip(_BLANK), request.charset))


def json_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object; Malformed `not_json` for anything else, absurdly nested ones too."""
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("not_json", "Send one JSON object in UTF-8.") from None
    if not isinstance(document, dict):
        raise Malformed("not_json", "Send one JSON object in UTF-8.")
    return document


def one_of_each(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Put pairs into a dictionary; Malformed when a name comes with two different values."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise Malformed("repeated_parameter", f"Send {name[:100]!r} once; it came with different values.")
    return found


def texts(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that are text or can be written as text; an inner object's are named by their path, `a.b`."""
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": text for inner, one in value.items() if (text := _text(one)) is not None}
        elif (text := _text(value)) is not None:
            found[name] = text
    return found


def text_at(document: Mapping[str, Any], name: str) -> str:
    """Return a field as text without blanks around it; empty when it is missing or no scalar."""
    return (_text(document.get(name)) or "").strip()


def object_at(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an inner object; empty when there is none."""
    inner = document.get(name)
    return inner if isinstance(inner, dict) else {}


def says_yes(text: str) -> bool:
    """Read a switch as posters write it."""
    return text.strip().casefold() in ("1", "yes", "true", "y", "on")


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        parts = [_text(one) for one in value]
        return ";".join(part for part in parts if part) if not any(isinstance(one, list) for one in value) else None
    return str(value) if isinstance(value, str | int | float) else None


def _pairs(raw: bytes, charset: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode(charset), keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=MOST_FIELDS
        )
    except (ValueError, LookupError):  # UnicodeDecodeError is a ValueError
        raise Malformed(
            "unreadable_form", f"Send at most {MOST_FIELDS} form fields in UTF-8, or name their charset."
        ) from None
