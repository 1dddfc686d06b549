"""Where an order buys, beyond regions: prefixes of postal codes, and a circle around a place.

Each is a condition of its own, asked of a lead's fields. A lead without a postal code has none of the prefixes, and
one whose place nobody knows lies in no circle.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from marketplace.catalog.places import Point, cell_of, cells_around, kilometres
from marketplace.catalog.postal import comparable
from marketplace.orders.filters import Predicate

MAX_KM = 1000
PLACE = "place"  # the field that has a lead's coordinates, laid out only where an order asks for them
COARSE = len("FR:75")
_POSTAL = "contact.postal_code"

Area = Any
"""A coarse part of the earth: the country and first one or two characters of a postal code, or a degree of the grid."""


class Radius(Struct, frozen=True):
    """A circle of so many kilometres around a place, which is kept by its coordinates in degrees."""

    place: str
    country: str
    km: int
    latitude: float
    longitude: float

    @property
    def centre(self) -> Point:
        """Return the place's coordinates."""
        return self.latitude, self.longitude


def code_of(fields: Mapping[str, Any]) -> str | None:
    """Return a lead's postal code as codes compare, None when it has none."""
    code = fields.get(_POSTAL)
    return comparable(fields["region"][-1], code) if code else None


def in_postal(prefixes: tuple[str, ...]) -> Predicate:
    """Compile a list of prefixes: asking takes as many look-ups as there are lengths."""
    known, lengths = frozenset(prefixes), sorted({len(prefix) for prefix in prefixes})

    def holds(fields: Mapping[str, Any]) -> bool:
        code = code_of(fields)
        if code is not None:
            for length in lengths:
                if code[:length] in known:
                    return True
        return False

    return holds


def in_circle(radius: Radius) -> Predicate:
    """Compile a circle; its edge belongs to it."""
    centre, km = radius.centre, radius.km

    def holds(fields: Mapping[str, Any]) -> bool:
        point = fields.get(PLACE)
        return point is not None and kilometres(centre, point) <= km

    return holds


def areas_of_prefixes(prefixes: tuple[str, ...]) -> frozenset[Area]:
    """Return the coarse areas outside of which no code has one of these prefixes."""
    return frozenset(prefix[:COARSE] for prefix in prefixes)


def are_areas(prefixes: tuple[str, ...]) -> bool:
    """Tell whether each of these prefixes is a coarse area itself, so that nothing more need be asked."""
    return all(len(prefix) <= COARSE for prefix in prefixes)


def areas_of_circle(radius: Radius) -> frozenset[Area]:
    """Return the coarse areas outside of which nothing lies in the circle."""
    return cells_around(radius.centre, radius.km)


def postal_areas(fields: Mapping[str, Any]) -> tuple[Area, ...]:
    """Return the coarse areas that a lead's postal code lies in."""
    code = code_of(fields)
    return () if code is None else (code[: COARSE - 1], code[:COARSE])


def circle_area(fields: Mapping[str, Any]) -> Area:
    """Return the coarse area that a lead's place lies in, None for an unknown place."""
    point = fields.get(PLACE)
    return None if point is None else cell_of(point)


def reasons_of_place(prefixes: tuple[str, ...], radius: Radius | None, fields: Mapping[str, Any]) -> Iterator[str]:
    """Say in sentences why a lead lies outside of where an order buys."""
    if prefixes and not in_postal(prefixes)(fields):
        code = code_of(fields)
        asked = (
            f"the order asks for one of {len(prefixes)} beginnings." if prefixes[1:] else f"it asks for {prefixes[0]}."
        )
        yield f"The lead has no postal code; {asked}" if code is None else f"The postal code is {code}; {asked}"
    if radius is not None and not in_circle(radius)(fields):
        point, around = fields.get(PLACE), f"the order asks for {radius.km} km around {radius.place}."
        if point is None:
            yield f"Nobody knows where the lead lives; {around}"
        else:
            yield f"The lead lives {kilometres(radius.centre, point):.1f} km away; {around}"
