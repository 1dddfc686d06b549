"""What differs between two definitions of a vertical, place by place, as people read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of a definition, as it was and as it is; None where it was not, or is not any more."""

    place: str
    before: Any
    now: Any


def differences_between(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Name every place that differs; fields are told apart by their names, so that a moved one is not a changed one."""
    was, new = dict(_places(before)), dict(_places(now))
    changed = [place for place in {**was, **new} if was.get(place) != new.get(place) and place != "version"]
    found = [Difference(place, was.get(place), new.get(place)) for place in changed]
    moved = _order_of(before), _order_of(now)
    if set(moved[0]) == set(moved[1]) and moved[0] != moved[1]:
        found.append(Difference("fields", ", ".join(moved[0]), ", ".join(moved[1])))
    return found


def _order_of(definition: Mapping[str, Any]) -> list[str]:
    return [field["name"] for field in definition.get("fields", ())]


def _places(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in definition.items():
        if name == "fields":
            for field in value:
                yield from _leaves(f"fields.{field['name']}", field)
        else:
            yield from _leaves(name, value)


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(f"{place}.{name}", inner)
    elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        for number, inner in enumerate(value, 1):
            yield from _leaves(f"{place}.{number}", inner)
    elif isinstance(value, list | tuple):
        if value:
            yield place, ", ".join(map(str, value))
    elif value not in (None, {}):
        yield place, value
