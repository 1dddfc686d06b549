"""One attribute of a vertical: its definition as data, compiled once into a check and a piece of JSON Schema."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from core.errors import Fault
from core.schemas import Whole

Kind = Literal["enum", "integer", "number", "boolean", "string", "date"]
Scalar = str | bool | Whole | float
FieldName = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$(?!\n)", description="a name of small letters, digits and underscores")
]
Text = Annotated[str, Meta(min_length=1, max_length=300)]

Verdict = tuple[str, str] | None  # a code and what to do; None is fine
Check = Callable[[Any], Verdict]

DEFAULT_MAX_LENGTH = 500


class FieldDefinition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """An attribute as the vertical's file defines it; `asked` is false for what is measured and not answered."""

    name: FieldName
    type: Kind
    label: Text
    help: Annotated[str, Meta(max_length=1000)] = ""
    required: bool = False
    asked: bool = True
    min: Whole | float | None = None
    max: Whole | float | None = None
    max_length: Annotated[int, Meta(ge=1, le=2000)] | None = None
    values: Annotated[tuple[Text, ...], Meta(max_length=1000)] = ()
    example: Scalar | None = None


def faults_of_definition(field: FieldDefinition, path: str) -> Iterator[Fault]:
    """Name what makes a field's definition unusable although its parts are well typed."""
    if field.type == "enum" and not field.values:
        yield Fault(f"{path}.values", "values_missing", "List at least one allowed value.")
    if field.type != "enum" and field.values:
        yield Fault(f"{path}.values", "values_not_allowed", "Only fields of type enum have values.")
    if len(set(field.values)) != len(field.values):
        yield Fault(f"{path}.values", "duplicate_value", "List each value once.")
    if field.type not in ("integer", "number") and (field.min is not None or field.max is not None):
        yield Fault(f"{path}.min", "bounds_not_allowed", "Only fields of type integer and number have min and max.")
    if field.min is not None and field.max is not None and field.min > field.max:
        yield Fault(f"{path}.max", "bounds_reversed", "Send a max that is not below min.")
    if field.type != "string" and field.max_length is not None:
        yield Fault(f"{path}.max_length", "max_length_not_allowed", "Only fields of type string have max_length.")
    if field.example is not None and (verdict := compile_check(field)(field.example)):
        yield Fault(f"{path}.example", "example_refused", f"The field itself refuses its example: {verdict[1]}")


def compile_check(field: FieldDefinition) -> Check:
    """Compile a field into a function that judges one value (never None): None when fine, else code and advice."""
    return _CHECKS[field.type](field)


def json_schema_of(field: FieldDefinition) -> dict[str, Any]:
    """Describe a field in JSON Schema (draft 2020-12); an optional one may also be null, which means not given."""
    schema: dict[str, Any] = {"title": field.label}
    if field.help:
        schema["description"] = field.help
    kind = {"enum": "string", "date": "string"}.get(field.type, field.type)
    schema["type"] = kind if field.required else [kind, "null"]
    if field.type == "enum":
        schema["enum"] = [*field.values] if field.required else [*field.values, None]
    if field.type == "date":
        schema["format"] = "date"
    if field.type == "string":
        schema["maxLength"] = field.max_length or DEFAULT_MAX_LENGTH
    bounds = {"minimum": field.min, "maximum": field.max}
    return schema | {word: bound for word, bound in bounds.items() if bound is not None}


def example_of(field: FieldDefinition) -> Scalar:
    """Return a value that the field accepts: its own example, else the simplest."""
    if field.example is not None:
        return field.example
    if field.type in ("integer", "number"):
        return next((bound for bound in (field.min, field.max) if bound is not None), 1)
    if field.type == "enum":
        return field.values[0]
    if field.type == "boolean":
        return True
    return "2026-01-31" if field.type == "date" else "text"[: field.max_length]


def _enum_check(field: FieldDefinition) -> Check:
    allowed = frozenset(field.values)
    refusal = ("unknown_value", f"Send one of: {', '.join(field.values)}.")
    wrong = ("wrong_type", refusal[1])

    def check(value: Any) -> Verdict:
        if type(value) is not str:
            return wrong
        return None if value in allowed else refusal

    return check


def _number_check(field: FieldDefinition) -> Check:
    low = float("-inf") if field.min is None else field.min
    high = float("inf") if field.max is None else field.max
    whole = field.type == "integer"
    wrong = ("wrong_type", "Send a whole number, not as text." if whole else "Send a number, not as text.")
    beyond = ("out_of_range", f"Send a number {_bounds_text(field)}.")

    def check(value: Any) -> Verdict:
        # JSON Schema counts 2.0 as an integer, and true is no number, whatever Python thinks.
        if type(value) is not int and (type(value) is not float or (whole and not value.is_integer())):
            return wrong
        return None if low <= value <= high else beyond

    return check


def _bounds_text(field: FieldDefinition) -> str:
    words = ((f"of at least {field.min}", field.min), (f"of at most {field.max}", field.max))
    return " and ".join(text for text, bound in words if bound is not None)


def _boolean_check(_field: FieldDefinition) -> Check:
    wrong = ("wrong_type", "Send true or false, not as text.")
    return lambda value: None if type(value) is bool else wrong


def _string_check(field: FieldDefinition) -> Check:
    longest = field.max_length or DEFAULT_MAX_LENGTH
    wrong = ("wrong_type", "Send text.")
    too_long = ("too_long", f"Send at most {longest} characters.")

    def check(value: Any) -> Verdict:
        if type(value) is not str:
            return wrong
        return too_long if len(value) > longest else None

    return check


def _date_check(_field: FieldDefinition) -> Check:
    wrong = ("not_a_date", "Send a date such as 2026-01-31.")

    def check(value: Any) -> Verdict:
        if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":
            return wrong  # fromisoformat also reads weeks and dates without dashes
        try:
            date.fromisoformat(value)
        except ValueError:
            return wrong
        return None

    return check


_CHECKS: dict[str, Callable[[FieldDefinition], Check]] = {
    "enum": _enum_check,
    "integer": _number_check,
    "number": _number_check,
    "boolean": _boolean_check,
    "string": _string_check,
    "date": _date_check,
}
