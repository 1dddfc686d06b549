"""How an order's places, prices and hours are written in its body, and read from it again."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from core.money import Money
from marketplace.catalog.places import find_city
from marketplace.catalog.postal import read_prefixes
from marketplace.catalog.regions import country_of
from marketplace.orders.periods import DAYS, Schedule, Window, minute_of, show_minute
from marketplace.orders.prices import FIELDS, Modifier
from marketplace.orders.where import Radius


class MoneyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An amount as clients write it: a decimal string and an ISO 4217 currency."""

    amount: str
    currency: str


class RadiusBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A circle around a city of the country, or around coordinates in degrees, to which `place` then gives a name.

    Without a country the one counts in which all regions of the order lie.
    """

    place: str
    km: int
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


class ModifierBody(Struct, frozen=True, forbid_unknown_fields=True):
    """More or less for leads of which `field` has one of `values`: whole percent of the price, or an amount."""

    field: Annotated[str, Meta(extra_json_schema={"enum": list(FIELDS)})]
    values: list[str | bool]
    percent: int | None = None
    amount: MoneyBody | None = None


def only_country(regions: list[str] | None) -> str | None:
    """Return the one country in which all regions lie, None when there is no such."""
    countries = {country_of(region) for region in regions or ()}
    return countries.pop() if len(countries) == 1 else None


def prefixes_of(lines: list[str] | None, regions: list[str] | None) -> tuple[str, ...]:
    """Return the folded prefixes of a list in which `checks` found no fault."""
    return read_prefixes(lines or [], only_country(regions))[0]


def radius_of(body: RadiusBody | None, regions: list[str] | None) -> Radius | None:
    """Return the circle of a body in which `checks` found no fault: by its coordinates, else by its city's."""
    if body is None:
        return None
    country = body.country or only_country(regions) or ""
    if body.latitude is not None and body.longitude is not None:
        return Radius(body.place.strip(), country, body.km, body.latitude, body.longitude)
    city = find_city(country, body.place)
    if city is None:
        raise ValueError("a circle around an unknown place is none")
    return Radius(city.name, country, body.km, city.latitude, city.longitude)


def radius_body(radius: Radius | None) -> RadiusBody | None:
    """Write a circle with its coordinates, so that it stays where it is whatever the cities say later."""
    if radius is None:
        return None
    return RadiusBody(radius.place, radius.km, radius.country or None, radius.latitude, radius.longitude)


def modifiers_of(bodies: list[ModifierBody] | None) -> tuple[Modifier, ...]:
    """Return the modifiers of a body in which `checks` found no fault."""
    return tuple(Modifier(one.field, tuple(one.values), one.percent or 0, minor_of(one.amount)) for one in bodies or ())


def modifier_bodies(modifiers: tuple[Modifier, ...], currency: str) -> list[ModifierBody] | None:
    """Write modifiers as they are sent."""
    return [
        ModifierBody(one.field, list(one.values), one.percent or None,
                     money_body(one.amount_minor, currency))
        for one in modifiers
    ] or None  # fmt: skip


def minor_of(money: MoneyBody | None) -> int:
    """Return an amount in minor units, 0 for none."""
    return Money.parse(money.amount, money.currency).minor if money else 0


def money_body(minor: int, currency: str) -> MoneyBody | None:
    """Write an amount, none for 0."""
    return MoneyBody(str(Money(minor, currency)), currency) if minor else None


class WindowBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of some days; one that ends at or before its start runs past midnight and belongs to the day it starts."""

    days: list[Annotated[str, Meta(extra_json_schema={"enum": list(DAYS)})]]
    from_: str = msgspec.field(name="from")
    to: str


class ScheduleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """When the order buys, in its own zone; without windows it is always open and the zone only resets the caps."""

    timezone: str
    windows: list[WindowBody] | None = None


def schedule_of(body: ScheduleBody | None) -> Schedule | None:
    """Normalise a schedule in which `checks` found no fault."""
    if body is None:
        return None
    windows = (
        Window(tuple(sorted({DAYS.index(day) for day in each.days})), minute_of(each.from_), minute_of(each.to))
        for each in body.windows or ()
    )
    return Schedule(body.timezone, tuple(windows))


def schedule_body(schedule: Schedule | None) -> ScheduleBody | None:
    """Write a schedule as it is sent."""
    if schedule is None:
        return None
    windows = [
        WindowBody([DAYS[day] for day in each.days], show_minute(each.from_minute), show_minute(each.to_minute))
        for each in schedule.windows
    ]
    return ScheduleBody(schedule.timezone, windows or None)
