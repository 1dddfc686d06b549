"""The table of defaults, read once from its file and checked as a whole."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import yaml
from msgspec import Meta, Struct

from core.errors import Fault, Invalid, Malformed
from core.schemas import ROOT, convert

FILE = Path(__file__).parent / "defaults.yaml"

Unit = Literal[
    "milliseconds", "seconds", "minutes", "hours", "days", "business days", "months", "count", "bp", "minor", "switch"
]
Value = int | bool | list[int]
Key = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$(?!\n)", description="words joined by dots")]
Whole = Annotated[int, Meta(ge=0, le=10**12)]
Sentence = Annotated[str, Meta(min_length=3, max_length=400)]

BY_VERTICAL = ("no", "narrows", "within_limits")
UNIT_WORDS = {"bp": "basis points", "minor": "cents", "count": "", "switch": ""}


class Default(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One setting: its value, between which limits it may lie, which way is looser, and who may say otherwise.

    Where there are `choices` it is one of them.

    A vertical `narrows` (never looser than the value) or says any value `within_limits`, since its file is the
    operator's; countries and orders only ever narrow what stands above them.
    """

    key: Key
    value: Value
    unit: Unit
    says: Sentence
    source: Sentence
    limits: tuple[Whole, Whole] | None = None
    choices: tuple[Whole, ...] = ()
    looser: Literal["more", "less", "neither"] = "neither"
    vertical: Literal["no", "narrows", "within_limits"] = "no"
    country: bool = False
    order: bool = False

    @property
    def shown(self) -> str:
        """Write the value with its unit, as people read it."""
        if isinstance(self.value, list):
            return f"{', '.join(map(str, self.value))} {self.unit}"
        return show_quantity(self.value, self.unit)

    @property
    def bounds(self) -> tuple[str, ...]:
        """Write what the value may be: its choices, or its two limits."""
        return tuple(show_quantity(end, self.unit) for end in self.choices or self.limits or ())


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one subject, under the title that the documentation gives them."""

    title: Sentence
    settings: tuple[Default, ...]


class Table(Struct, frozen=True, forbid_unknown_fields=True):
    """All sections, in the order in which they are shown."""

    sections: tuple[Section, ...]

    def find(self, key: str) -> Default | None:
        """Find a setting by its key."""
        return next((row for row in self.rows() if row.key == key), None)

    def rows(self) -> Iterator[Default]:
        """Yield every setting."""
        for section in self.sections:
            yield from section.settings


def show_quantity(value: int, unit: str) -> str:
    """Write a quantity as people read it: 2500 basis points are 25 %, 50 cents are 0.50 EUR."""
    if unit == "switch":
        return "on" if value else "off"
    if unit == "bp":
        return f"{value / 100:g} %"
    if unit == "minor":
        return f"{value // 100}.{value % 100:02} EUR"
    return f"{value} {unit.removesuffix('s') if value == 1 else unit}" if unit not in UNIT_WORDS else str(value)


@cache
def defaults() -> Table:
    """Read the table that comes with the program, once."""
    return read_table(FILE.read_text(encoding="utf-8"))


@cache
def _by_key() -> dict[str, Default]:
    return {row.key: row for row in defaults().rows()}


def find_default(key: str) -> Default | None:
    """Find a shipped setting by its key."""
    return _by_key().get(key)


def default(key: str) -> int:
    """Return the shipped number of a key; KeyError when there is none, which ends the program at its start."""
    value = _by_key()[key].value
    assert isinstance(value, int), f"{key} is a list"
    return value


def limits(key: str) -> tuple[int, int]:
    """Return between which numbers, both included, a setting may lie; KeyError for one without limits."""
    found = _by_key()[key].limits
    if found is None:
        raise KeyError(f"{key} has no limits")
    return found


class Named(NamedTuple):
    """A setting that other data names instead of writing its number once more."""

    key: str


class DefaultsLoader(yaml.CSafeLoader):
    """Plain YAML in which `!default some.key` names a setting; `filled` puts the value there that holds."""


def _named(_loader: yaml.CSafeLoader, node: yaml.Node) -> Named:
    if node.value not in _by_key():
        raise yaml.YAMLError(f"there is no default {node.value}")
    return Named(node.value)


DefaultsLoader.add_constructor("!default", _named)


def shipped(key: str) -> Value:
    """Return the shipped value of a key; KeyError when there is none."""
    return _by_key()[key].value


def filled(written: Any, value_of: Callable[[str], Value] = shipped) -> Any:
    """Return data read by `DefaultsLoader` with the value of each setting that it names."""
    if isinstance(written, Named):
        return value_of(written.key)
    if isinstance(written, dict):
        return {name: filled(one, value_of) for name, one in written.items()}
    return [filled(one, value_of) for one in written] if isinstance(written, list) else written


def read_table(text: str) -> Table:
    """Read a table from YAML; Invalid `invalid_defaults` names every fault of it."""
    try:
        table = convert(yaml.load(text, yaml.CSafeLoader), Table)  # as safe, and ten times as fast
    except yaml.YAMLError as error:
        fault = Fault(ROOT, "not_yaml", f"Send YAML: {str(error)[:300]}")
        raise Invalid("invalid_defaults", "The defaults cannot be read.", [fault]) from None
    except Malformed as error:
        raise Invalid("invalid_defaults", "The defaults have faults.", error.faults) from None
    if faults := list(_faults(table)):
        raise Invalid("invalid_defaults", "The defaults have faults.", faults)
    return table


def value_faults(row: Default, value: Any) -> Iterator[tuple[str, str]]:
    """Yield code and advice for a value that a setting cannot have."""
    if type(value) is not type(row.value):
        yield "wrong_type", f"Send a value such as {msgspec.json.encode(row.value).decode()}."
    elif row.limits and isinstance(value, int) and not row.limits[0] <= value <= row.limits[1]:
        yield "out_of_range", f"Send a number from {row.limits[0]} to {row.limits[1]}."
    elif row.choices and value not in row.choices:
        yield "not_allowed_value", f"Choose from {', '.join(map(str, row.choices))}."


def _faults(table: Table) -> Iterator[Fault]:
    seen: set[str] = set()
    for row in table.rows():
        if row.key in seen:
            yield Fault(row.key, "duplicate_field", f"{row.key} is already defined above.")
        seen.add(row.key)
        if row.limits and row.limits[0] > row.limits[1]:
            yield Fault(f"{row.key}.limits", "bounds_reversed", "Send the lower limit first.")
        yield from (Fault(f"{row.key}.value", *verdict) for verdict in value_faults(row, row.value))
        if _is_narrowed(row) and row.looser == "neither":
            yield Fault(f"{row.key}.looser", "direction_missing", "Send more or less: who narrows must know which way.")
        if (row.unit == "switch") != isinstance(row.value, bool):
            yield Fault(f"{row.key}.unit", "wrong_type", "Send switch for true or false, and for nothing else.")


def _is_narrowed(row: Default) -> bool:
    return row.vertical == "narrows" or row.country or row.order
