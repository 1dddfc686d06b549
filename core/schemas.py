"""The one source of shapes: msgspec structs read every request, and the OpenAPI document is generated from them.

Reading takes microseconds when the document fits. Only when it does not, a second and slower reading walks the shape
and names every bad field at once.
"""

import json
import math
import re
import types
from collections.abc import Iterable, Iterator
from itertools import repeat
from threading import Lock
from typing import Annotated, Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin

import msgspec

from core.errors import Fault, Malformed

T = TypeVar("T")

ROOT = "$"
MAX_FAULTS = 100  # an answer must not grow with the nonsense that was sent
_LOW, _HIGH = -(2**63), 2**63 - 1
_BEYOND = 2**64

Whole = Annotated[int, msgspec.Meta(ge=_LOW, le=_HIGH)]
"""A whole number that PostgreSQL's BIGINT can hold; shapes use it instead of a bare int."""

AmountText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$(?!\n)",  # Python's $ alone would let a last line feed pass
        description='an amount as decimal text, such as "12.50"',
    ),
]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="an ISO 4217 code, such as EUR")]


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Money as it travels: decimal text and an ISO 4217 code."""

    amount: AmountText
    currency: CurrencyCode


def decode(raw: bytes, shape: type[T]) -> T:
    """Read a JSON document as `shape`, strictly.

    Raises Malformed: `not_json` for what is no UTF-8 JSON document (NaN, lone surrogates and absurd nesting too),
    `invalid_fields` with every bad field for a document of another shape. Of repeated names the last one counts.
    """
    decoder, unbounded = _reader_of(shape)
    try:
        value: T = decoder.decode(raw)
        if not unbounded and b"\\u0000" not in raw:
            return value
    except msgspec.ValidationError as error:
        document = _parse(raw)
        raise _refusal(document, shape, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_text(error)
    if faults := list(_unstorable(_parse(raw))):
        raise _invalid(faults)
    return value


def convert(document: object, shape: type[T]) -> T:
    """Read plain values (dicts, lists, text, numbers) as `shape`, as strictly as `decode` and with the same faults."""
    try:
        value: T = msgspec.convert(document, learned(shape))
    except msgspec.ValidationError as error:
        raise _refusal(document, shape, str(error)) from None
    if faults := list(_unstorable(document)):
        raise _invalid(faults)
    return value


def openapi_of(shapes: Iterable[Any]) -> dict[str, Any]:
    """Describe shapes as the `components.schemas` of an OpenAPI 3.1 document; core.money.Money as it travels."""
    wanted = [*shapes, Amount]
    _, components = msgspec.json.schema_components(wanted, ref_template="#/components/schemas/{name}")
    if "Money" in components:  # inside it counts minor units, outside it is decimal text
        components["Money"] = {**components["Amount"], "title": "Money"}
    return components


_READERS: dict[Any, tuple[msgspec.json.Decoder[Any], bool]] = {}
_LEARNING = Lock()


def learned(shape: type[T]) -> type[T]:
    """Return a shape that any thread may read with msgspec itself from now on.

    msgspec 0.22 works out a Struct when it is first read and shows the others the half of it: two threads that read a
    shape, or a part of it, for the first time at once crash the process.
    """
    _reader_of(shape)
    return shape


def _reader_of(shape: Any) -> tuple[msgspec.json.Decoder[Any], bool]:
    reader = _READERS.get(shape)
    if reader is None:
        with _LEARNING:
            unbounded = _holds_anything(msgspec.inspect.type_info(shape), set())
            reader = _READERS[shape] = msgspec.json.Decoder(shape), unbounded
    return reader


def _holds_anything(info: object, seen: set[int]) -> bool:
    """Tell whether a described type admits numbers without bounds, which the decoder alone would let through."""
    if isinstance(info, msgspec.inspect.IntType):
        return (info.ge is None and info.gt is None) or (info.le is None and info.lt is None)
    if isinstance(info, msgspec.inspect.AnyType | msgspec.inspect.RawType):
        return True
    if not isinstance(info, msgspec.inspect.Type | msgspec.inspect.Field) or id(info) in seen:
        return False
    seen.add(id(info))
    parts = [getattr(info, name) for name in info.__struct_fields__]
    inner = [part for each in parts for part in (each if isinstance(each, tuple) else (each,))]
    return any(_holds_anything(part, seen) for part in inner)


# -- the second, slower reading --------------------------------------------------------------------------------------


def _parse(raw: bytes) -> object:
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant, parse_int=_whole_of)
    except (ValueError, RecursionError) as error:  # bad UTF-8 and bad JSON are both ValueErrors
        _refuse_text(error)


def _whole_of(digits: str) -> int:
    return int(digits) if len(digits) <= 20 else _BEYOND  # Python itself refuses to read thousands of digits


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_text(error: Exception) -> NoReturn:
    why = "It is nested too deeply." if isinstance(error, RecursionError) else "Send one JSON document in UTF-8."
    raise Malformed("not_json", f"The body is not JSON. {why}", [Fault(ROOT, "not_json", why)]) from None


def _invalid(faults: Iterable[Fault]) -> Malformed:
    first_of = {fault.field: fault for fault in reversed(list(faults))}
    faults = list(reversed(first_of.values()))[:MAX_FAULTS]
    return Malformed("invalid_fields", "Some fields cannot be read; each is named with what to do.", faults)


def _refusal(document: object, shape: Any, message: str) -> Malformed:
    faults = [*_unstorable(document), *_faults(document, shape, ROOT)]
    return _invalid(faults or [_fault_of(message, shape, ROOT)])


def _unstorable(document: object) -> Iterator[Fault]:
    """Name every text with a NUL character and every number out of range: PostgreSQL could not store them."""
    waiting: list[tuple[str, object]] = [(ROOT, document)]
    while waiting:  # not recursive: documents may be nested deeper than Python's stack
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(_join(path, key), part) for key, part in value.items()]
            waiting += [(_join(path, key), key) for key in value]
        elif isinstance(value, list | tuple):
            waiting += [(_join(path, index), part) for index, part in enumerate(value)]
        elif isinstance(value, str):
            yield from _bad_text(value, path)
        elif isinstance(value, float) and not math.isfinite(value):
            yield Fault(path, "out_of_range", "Send a finite number.")
        elif isinstance(value, int) and not _LOW <= value <= _HIGH:
            yield Fault(path, "out_of_range", "Send a whole number that fits into 64 bits.")


def _bad_text(text: str, path: str) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(path, "nul_character", "Remove the NUL character (\\u0000) from this text.")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        _refuse_text(ValueError("a lone surrogate"))


def _faults(value: object, shape: Any, path: str) -> list[Fault]:
    return list(_inside(value, shape, path)) or _leaf(value, shape, path)


def _leaf(value: object, shape: Any, path: str) -> list[Fault]:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        return [_fault_of(str(error), shape, path)]
    return []


def _inside(value: object, shape: Any, path: str) -> Iterator[Fault]:
    """Yield the faults of the parts of a value; none when the value has no parts or is of another kind."""
    origin, arguments = get_origin(shape), get_args(shape)
    if origin is Annotated:
        yield from _inside(value, arguments[0], path)
    elif origin in (Union, types.UnionType):
        kinds = [kind for kind in arguments if kind is not types.NoneType]
        if len(kinds) == 1 and value is not None:
            yield from _faults(value, kinds[0], path)
    elif isinstance(value, dict) and isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        yield from _struct_faults(value, shape, path)
    elif isinstance(value, dict) and origin is dict:
        for key, part in value.items():
            yield from _leaf(key, arguments[0], _join(path, key)) or _faults(part, arguments[1], _join(path, key))
    elif isinstance(value, list) and origin in (list, tuple, set, frozenset):
        fixed = origin is tuple and arguments[-1] is not ...
        for index, (part, kind) in enumerate(zip(value, arguments if fixed else repeat(arguments[0]), strict=False)):
            yield from _faults(part, kind, _join(path, index))


def _struct_faults(value: dict[Any, Any], shape: type[msgspec.Struct], path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    tag = shape.__struct_config__.tag_field
    for key, part in value.items():
        if key in fields:
            yield from _faults(part, fields[key].type, _join(path, key))
        elif key != tag and shape.__struct_config__.forbid_unknown_fields:
            yield Fault(_join(path, key), "unknown_field", f"Remove it; known here: {', '.join(fields)}.")
    for name, field in fields.items():
        if field.required and name not in value:
            yield Fault(_join(path, name), "missing", "Send this field.")


def _join(path: str, part: object) -> str:
    shown = str(part)[:100].replace("\0", "\\u0000")
    return shown if path == ROOT else f"{path}.{shown}"


# How msgspec words its refusals: pattern, our code, what to do.
_WORDINGS = tuple(
    (re.compile(pattern), code, advice)
    for pattern, code, advice in (
        (r"Expected `datetime` with a timezone|Invalid RFC3339", "not_an_instant",
         "Send an RFC 3339 instant with its offset, such as 2026-11-22T10:00:00Z."),
        (r"Expected `(\w+)` of length <= (\d+)", "too_long", "Send {0} of length at most {1}."),
        (r"Expected `(\w+)` of length >= (\d+)", "too_short", "Send {0} of length at least {1}."),
        (r"Expected `(\w+)` of length (\d+)", "wrong_length", "Send {0} of length {1}."),
        (r"matching regex", "bad_format", "Send it in the documented format."),
        (r"Expected `\w+` (>|<|>=|<=) (\S+)$", "out_of_range", "Send a number {0} {1}."),
        (r"out of range", "out_of_range", "Send a smaller number."),
        (r"missing required field `(.*)`", "missing", "Send the field {0}."),
        (r"contains unknown field `(.*)`", "unknown_field", "Remove the field {0}."),
        (r"Invalid enum value|Invalid value", "not_allowed_value", "Send one of the documented values."),
        (r"Expected `(.*)`, got `(.*)`", "wrong_type", "Send {0}, not {1}."),
    )
)  # fmt: skip
_KINDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "object": "an object",
          "array": "a list", "datetime": "an RFC 3339 instant", "null": "null"}  # fmt: skip


def _fault_of(message: str, shape: Any, path: str) -> Fault:
    """Put msgspec's refusal of one value into our words; a path that it names is added to ours."""
    text, _, where = message.partition(" - at ")
    for part in re.findall(r"[^\s`$.\[\]]+", where.rpartition("`$")[2]):
        path = _join(path, part)
    for pattern, code, advice in _WORDINGS:
        if match := pattern.search(text):
            found = [" or ".join(_KINDS.get(kind, kind) for kind in group.split(" | ")) for group in match.groups()]
            return Fault(path, code, _documented(shape, code) or advice.format(*found))
    return Fault(path, "invalid_value", f"{text}.")


def _documented(shape: Any, code: str) -> str:
    """Say what the shape itself documents about its values, if it helps against this code."""
    if code == "not_allowed_value" and get_origin(shape) is Literal:
        return f"Send one of: {', '.join(map(str, get_args(shape)))}."
    notes = [note.description for note in getattr(shape, "__metadata__", ()) if isinstance(note, msgspec.Meta)]
    return f"Send {notes[0]}." if code == "bad_format" and notes and notes[0] else ""
