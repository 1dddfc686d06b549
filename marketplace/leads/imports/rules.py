"""One rule of a mapping: where a value comes from and how it is read, compiled once into a function of a row."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from core.errors import Fault, Malformed
from core.schemas import Whole
from marketplace.catalog.regions import country_named, region_named

Columns = Mapping[str, Any]
Take = Callable[[Columns], Any]
Value = bool | Whole | float | str

SOURCES = ("column", "template", "constant", "instant")
_NAMED: dict[str, Callable[[str], str | None]] = {"country": country_named, "region": region_named}
_PLACE = re.compile(r"\{([^{}]+)\}")


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One source, and what is done with its text; a rule that gives nothing leaves the field to the next one."""

    column: str | None = None
    template: str | None = None
    constant: Value | tuple[str, ...] | None = None
    instant: Literal["import"] | None = None
    when: dict[str, tuple[str, ...]] = {}
    values: dict[str, Value] = {}
    unlisted: Literal["refuse", "skip", "keep"] = "refuse"
    read: Literal["country", "region"] | None = None
    format: Annotated[str, Meta(min_length=2, max_length=100)] | None = None
    default: Value | None = None


class Reading(Struct, frozen=True):
    """What all rules of one mapping share: the texts that say nothing, the zone of its dates, the import's instant."""

    empty: frozenset[str]
    zone: ZoneInfo
    at: datetime

    def said(self, value: Any) -> Any:
        """Return the value, or None when it says nothing: null, blanks, or one of the mapping's empty texts."""
        if isinstance(value, str):
            value = value.strip()
            return None if not value or value.casefold() in self.empty else value
        return value


def columns_of(rule: Rule) -> set[str]:
    """Name the columns that a rule reads."""
    named = {rule.column} if rule.column is not None else set()
    return named | set(rule.when) | set(_PLACE.findall(rule.template or ""))


def compile_rules(field: str, rules: tuple[Rule, ...], reading: Reading) -> Take:
    """Return what gives a row's value for a field by the first rule that has one, else None.

    The function raises Malformed with the field when a value is not listed or cannot be read.
    """
    takes = [_compiled(field, rule, reading) for rule in rules]
    if len(takes) == 1:
        return takes[0]

    def first(columns: Columns) -> Any:
        for take in takes:
            value = take(columns)
            if value is not None:
                return value
        return None

    return first


def _compiled(field: str, rule: Rule, reading: Reading) -> Take:
    take, read = _source(rule, reading), _reader(field, rule, reading)
    conditions = [(name, frozenset(_key(text) for text in texts)) for name, texts in rule.when.items()]
    default = rule.default

    def apply(columns: Columns) -> Any:
        for name, texts in conditions:
            if _key(reading.said(columns.get(name))) not in texts:
                return None
        value = take(columns)
        if value is not None and read is not None:
            value = read(value)
        return default if value is None else value

    return apply


def _source(rule: Rule, reading: Reading) -> Take:
    if rule.column is not None:
        column, said = rule.column, reading.said
        return lambda columns: said(columns.get(column))
    if rule.template is not None:
        return _template(rule.template, reading)
    constant = reading.at if rule.instant else rule.constant
    return lambda _: constant


def _template(text: str, reading: Reading) -> Take:
    pieces = _PLACE.split(text)  # text, column, text, column, …, text

    def fill(columns: Columns) -> Any:
        filled = list(pieces)
        for place in range(1, len(pieces), 2):
            value = reading.said(columns.get(pieces[place]))
            if value is None:
                return None
            filled[place] = str(value)
        return "".join(filled)

    return fill


def _reader(field: str, rule: Rule, reading: Reading) -> Callable[[Any], Any] | None:
    if not rule.values and rule.read is None and rule.format is None:
        return None
    table = {_key(text): value for text, value in rule.values.items()}

    def read(value: Any) -> Any:
        key = _key(value)
        if key in table:
            return table[key]
        if rule.format is not None:
            return _date(field, value, rule.format, reading.zone)
        found = _NAMED[rule.read](str(value)) if rule.read else None
        if found is None and rule.unlisted == "refuse":
            code = f"unknown_{rule.read}" if rule.read else "unlisted_value"
            raise _refusal(field, code, f"The mapping does not list {str(value)[:100]!r}: add it under values.")
        return value if found is None and rule.unlisted == "keep" else found

    return read


def _date(field: str, value: Any, pattern: str, zone: ZoneInfo) -> str:
    try:
        read = datetime.strptime(str(value), pattern)  # noqa: DTZ007  # the zone follows
        read = read if read.tzinfo else read.replace(tzinfo=zone)
        instant = read.astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as wrong:
        raise _refusal(field, "bad_date", f"{str(value)[:100]!r} is no date written as {pattern}.") from wrong
    return instant if field == "consent.given_at" else read.date().isoformat()


def _refusal(field: str, code: str, advice: str) -> Malformed:
    return Malformed("unmapped_row", advice, [Fault(field, code, advice)])


def _key(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).strip().casefold()
