"""Filters of an order: conditions on the fields of a lead, compiled once and asked very often.

The rules, the same for every operator:

- A field that is absent, null, "" or an empty list is missing. A missing field satisfies `ne`, `not_in` and
  `exists: false`, and nothing else: `ne` is exactly "not eq", `not_in` exactly "not in".
- Text compares without regard to case. A number never equals a text, and true and false are not numbers.
- `gt gte lt lte between` compare numbers with numbers and texts with texts (so ISO dates compare), else they fail.
- A field with several values (and `region`, which carries the region and all that hold it) satisfies a condition when
  one of its values does; `ne` and `not_in` stay the negations of `eq` and `in`.
- `matches` finds an expression anywhere in a text (see `orders/patterns.py`).
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from marketplace.orders.patterns import Pattern

OPERATORS = ("eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between", "exists", "matches")

_CONTACT = ("postal_code", "city", "language", "best_time", "company", "position")
# What names or reaches the person: orders may ask whether it is there, never for whom it is.
_PERSONAL = ("first_name", "last_name", "email", "phone", "profile_url", "address")
_CONTACT_PATHS = {name: f"contact.{name}" for name in (*_CONTACT, *_PERSONAL)}
_SUBS = tuple(str(number) for number in range(1, 11))
EXISTS_ONLY_PATHS = frozenset(f"contact.{name}" for name in _PERSONAL)
LEAD_PATHS = EXISTS_ONLY_PATHS.union(
    ["channel", "region", "interest", "language", "score", "temperature", "contact_class", "verified", "hour"]
    + ["source.name", "source.code", "publisher.code"]
    + [f"contact.{name}" for name in _CONTACT]
    + [f"source.sub.{number}" for number in _SUBS]
)

Fields = Mapping[str, Any]
Predicate = Callable[[Fields], bool]
Key = tuple[str, Any]
"""A value as it compares: its kind ("text", "number" or "truth") and the value, text with its case folded."""

NO_SUCH: Key = ("other", None)
"""What a value that is neither text, number nor truth compares as; it equals nothing an order may ask for."""


class Filter(Struct, frozen=True):
    """One condition: the path of a field, an operator, and what it compares with."""

    field: str
    op: str
    value: Any = None


def paths_of(attributes: Iterable[str]) -> frozenset[str]:
    """Return every path that an order may filter by, given the names of its vertical's attributes."""
    return LEAD_PATHS | {f"attributes.{name}" for name in attributes}


def lead_fields(
    *,
    regions: tuple[str, ...],
    channel: str | None,
    interest: str | None,
    score: int,
    temperature: str,
    contact_class: str,
    contact: Mapping[str, Any],
    attributes: Mapping[str, Any],
    source_name: str | None,
    subs: Mapping[str, Any],
    verified: bool = False,
    hour: int | None = None,
    codes: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Lay out a lead as path and value; `regions` is its region first, then every region that holds it.

    What names or reaches the person is laid out as true or missing only. `hour` is the one of the clock at the
    person, 0 to 23; `codes` are the public ones of its publisher and of the source.
    """
    fields: dict[str, Any] = {
        "region": regions,
        "channel": channel,
        "interest": interest,
        "language": contact.get("language"),
        "score": score,
        "temperature": temperature,
        "contact_class": contact_class,
        "source.name": source_name,
        "verified": verified,
        "hour": hour,
    }
    if codes is not None:
        fields["publisher.code"], fields["source.code"] = codes
    for name, value in contact.items():
        if value and name in _CONTACT_PATHS:
            fields[_CONTACT_PATHS[name]] = value if name in _CONTACT else True
    for name, value in subs.items():
        fields["source.sub." + name] = value
    for name, value in attributes.items():
        fields["attributes." + name] = value
    return fields


def key_of(value: object) -> Key:
    """Return what a value compares as; equal keys are equal values."""
    if isinstance(value, str):
        return ("text", value.casefold())
    if isinstance(value, bool):
        return ("truth", value)
    return ("number", value) if isinstance(value, (int, float)) else NO_SUCH


def values_in(value: object) -> tuple[Any, ...]:
    """Return the values a field holds: none when it is missing, several when it is a list."""
    if isinstance(value, (list, tuple)):
        return tuple(each for each in value if each is not None and each != "")
    return () if value is None or value == "" else (value,)


def is_listing(condition: Filter) -> bool:
    """Tell whether a condition only asks for presence and equality, so that `admits` can judge it by a key."""
    return condition.op in ("exists", "eq", "ne", "in", "not_in")


def listed_keys(condition: Filter) -> frozenset[Key]:
    """Return the keys a listing condition names."""
    if condition.op == "exists":
        return frozenset()
    values = condition.value if condition.op in ("in", "not_in") else (condition.value,)
    return frozenset(key_of(each) for each in values)


def admits(condition: Filter, key: Key | None) -> bool:
    """Tell whether a listing condition holds for one value's key, None for a missing field."""
    if condition.op == "exists":
        return (key is not None) is (condition.value is not False)
    return (key in listed_keys(condition)) is (condition.op in ("eq", "in"))


def compile_filter(condition: Filter) -> Predicate:
    """Compile one condition; ValueError for one that `check_terms` would refuse."""
    field, op, wanted = condition.field, condition.op, condition.value
    if op == "exists":
        expected = wanted is not False
        return lambda fields: bool(values_in(fields.get(field))) is expected
    if op in _NEGATED:
        positive = compile_filter(Filter(field, _NEGATED[op], wanted))
        return lambda fields: not positive(fields)
    test = _TESTS[op](wanted)

    def holds(fields: Fields) -> bool:
        value = fields.get(field)
        if value is None or value == "":
            return False
        if isinstance(value, (list, tuple)):
            return any(test(each) for each in values_in(value))
        return test(value)

    return holds


def all_of(tests: Sequence[Predicate]) -> Predicate | None:
    """Make one test that all of these hold; None when there is none."""
    if len(tests) < 2:
        return tests[0] if tests else None
    several = tuple(tests)

    def all_hold(fields: Fields) -> bool:
        return all(test(fields) for test in several)

    return all_hold


def explain(condition: Filter, fields: Fields) -> str:
    """Say in one sentence why a lead does not satisfy a condition."""
    values = values_in(fields.get(condition.field))
    found = " and ".join(_shown(each) for each in values) if values else "missing"
    return f"{condition.field} is {found}; the order asks for {_WORDS[condition.op]}{_wanted(condition)}."


_NEGATED = {"ne": "eq", "not_in": "in"}
_WORDS = {"eq": "", "ne": "anything but ", "in": "one of ", "not_in": "none of ", "gt": "more than ",
          "gte": "at least ", "lt": "less than ", "lte": "at most ", "between": "between ", "exists": "",
          "matches": "a match of "}  # fmt: skip

_Test = Callable[[Any], bool]


def _wanted(condition: Filter) -> str:
    if condition.op == "exists":
        return "no value" if condition.value is False else "a value"
    if condition.op == "between":
        return " and ".join(_shown(each) for each in condition.value)
    many = isinstance(condition.value, (list, tuple))
    return ", ".join(_shown(each) for each in (condition.value if many else [condition.value]))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _equal(wanted: Any) -> _Test:
    key = key_of(wanted)
    return lambda value: key_of(value) == key


def _among(wanted: Any) -> _Test:
    keys = frozenset(key_of(each) for each in wanted)
    return lambda value: key_of(value) in keys


def _between(wanted: Any) -> _Test:
    (kind, low), (_, high) = map(key_of, wanted)
    if kind == "text":
        return lambda value: isinstance(value, str) and low <= value.casefold() <= high
    return lambda value: _is_number(value) and low <= value <= high


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any], _Test]:
    def against(wanted: Any) -> _Test:
        kind, limit = key_of(wanted)
        if kind == "text":
            return lambda value: isinstance(value, str) and compare(value.casefold(), limit)
        return lambda value: _is_number(value) and compare(value, limit)

    return against


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _matching(wanted: Any) -> _Test:
    pattern = Pattern(wanted)
    return lambda value: isinstance(value, str) and pattern.found_in(value)


_TESTS: dict[str, Callable[[Any], _Test]] = {
    "eq": _equal,
    "in": _among,
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "between": _between,
    "matches": _matching,
}
