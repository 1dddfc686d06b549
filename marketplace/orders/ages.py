"""How old a lead may be that an order buys, and what it then pays: pure, for orders, decisions and what tells of them.

An order that says nothing of ages buys leads as they come. One that begins with fresh leads pays its price for those
and the vertical's percentage of it for older ones; one that begins with a day or more says the price of aged leads.
"""

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from core.errors import Fault
from core.money import BASIS_POINTS

DAY = 24 * 60
MINUTES = {"minutes": 1, "hours": 60, "days": DAY}
UNITS = tuple(MINUTES)
MOST_MINUTES = 730 * DAY
AT_CAP = ("next", "wait")
# What a buyer may have sent a lead back for so that another may buy it; all else says that it is no real lead.
RESALABLE = ("duplicate", "out_of_criteria", "unreachable")
# The last day of each band of ages, and the setting that says its percentage; a lead of less than a day is fresh.
BANDS = ((7, "aged.week_bp"), (30, "aged.month_bp"), (90, "aged.quarter_bp"), (None, "aged.later_bp"))
STEPS = (DAY, 8 * DAY, 31 * DAY, 91 * DAY)  # the ages at which a lead enters each band


class AgeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The ages that an order buys, both ends included; `resold` and `returned` let in what others bought before."""

    to: int
    from_: int = msgspec.field(name="from", default=0)
    unit: Annotated[str, Meta(extra_json_schema={"enum": list(UNITS)})] = "days"
    resold: bool = False
    returned: list[Annotated[str, Meta(extra_json_schema={"enum": list(RESALABLE)})]] = []


class Ages(Struct, frozen=True):
    """The ages that an order buys, in minutes, both ends included, and which leads that others have bought before."""

    from_minutes: int
    to_minutes: int
    resold: bool = False
    returned: tuple[str, ...] = ()

    @property
    def falls(self) -> bool:
        """Tell whether the order's price is that of fresh leads, of which older ones cost a percentage."""
        return self.from_minutes < DAY

    @property
    def told(self) -> str:
        """Say the ages in words."""
        return f"{age_told(self.from_minutes)} to {age_told(self.to_minutes)}"


class Aging(Struct, frozen=True):
    """What is known of a lead that is offered again.

    `bp` is the percentage of its age, `ceiling_minor` the most that it costs as somebody has bought it before,
    `returned` why somebody sent it back; `places` are the orders that keep a place for it.
    """

    age_minutes: int
    bp: int
    ceiling_minor: int | None = None
    returned: str | None = None
    places: frozenset[UUID] = frozenset()

    @property
    def sold_before(self) -> bool:
        """Tell whether somebody bought it before."""
        return self.ceiling_minor is not None


def paid_for(bid_minor: int, ages: Ages | None, aging: Aging | None) -> int:
    """Return what an order that bids so much for a fresh lead of this kind pays for it at its age."""
    if aging is None:
        return bid_minor
    paid = bid_minor if ages is not None and not ages.falls else bid_minor * aging.bp // BASIS_POINTS
    return paid if aging.ceiling_minor is None else min(paid, aging.ceiling_minor)


def not_of_age(ages: Ages | None, aging: Aging | None, has_place: bool = False) -> str:
    """Say why an order does not buy a lead of this age or past; empty when it does."""
    if aging is None:
        return f"The lead has just come; the order buys leads of {ages.told}." if ages and ages.from_minutes else ""
    if has_place:
        return ""
    age = f"The lead is {age_told(aging.age_minutes)} old"
    if ages is None:
        return f"{age}; the order buys leads as they come."
    if not ages.from_minutes <= aging.age_minutes <= ages.to_minutes:
        return f"{age}; the order buys leads of {ages.told}."
    if aging.returned is not None and aging.returned not in ages.returned:
        return f"Another buyer sent the lead back ({aging.returned}); the order does not take such leads."
    if aging.sold_before and aging.returned is None and not ages.resold:
        return "Another buyer has the lead; the order buys none that was sold before."
    return ""


def band_of(age_minutes: int) -> str | None:
    """Return the setting that says what a lead of this age costs of a fresh one, None while it is fresh."""
    days = age_minutes // DAY
    return None if days < 1 else next(key for last, key in BANDS if last is None or days <= last)


def bands_within(ages: Ages) -> list[str | None]:
    """Return the bands that an order's ages touch, None for fresh leads."""
    first, last = ages.from_minutes, ages.to_minutes
    return [band_of(edge) for edge in (first, *(step for step in STEPS if first < step < last), last)]


def age_told(minutes: int) -> str:
    """Say an age in the largest unit of which it is a whole number."""
    unit = next(unit for unit in ("days", "hours", "minutes") if minutes % MINUTES[unit] == 0)
    count = minutes // MINUTES[unit]
    return f"{count} {unit[:-1] if count == 1 else unit}"


def ages_of(body: AgeBody | None) -> Ages | None:
    """Return the ages of a body in which `age_faults` found no fault."""
    if body is None:
        return None
    size = MINUTES[body.unit]
    return Ages(body.from_ * size, body.to * size, body.resold, tuple(sorted(set(body.returned))))


def age_body(ages: Ages | None) -> AgeBody | None:
    """Write ages as they are sent, in the largest unit that says them exactly."""
    if ages is None:
        return None
    both = (ages.from_minutes, ages.to_minutes)
    unit = next(unit for unit in ("days", "hours", "minutes") if not any(one % MINUTES[unit] for one in both))
    size = MINUTES[unit]
    return AgeBody(both[1] // size, both[0] // size, unit, ages.resold, list(ages.returned))


def age_faults(body: AgeBody | None, has_ladder: bool) -> Iterator[Fault]:
    """Name what is wrong with the ages of an order."""
    if body is None:
        return
    if body.unit not in UNITS:
        yield Fault("age.unit", "unknown_value", f"{body.unit!r} is not known here; use one of {', '.join(UNITS)}.")
    elif not 0 <= body.from_ <= body.to or not 1 <= body.to * MINUTES[body.unit] <= MOST_MINUTES:
        message = "Say from 0 on, up to 730 days, the younger age first; leave age out to buy leads as they come."
        yield Fault("age.to", "out_of_range", message)
    for place, reason in enumerate(body.returned):
        if reason not in RESALABLE:
            message = f"Leads sent back for {reason!r} are never sold again; choose from {', '.join(RESALABLE)}."
            yield Fault(f"age.returned.{place}", "never_resold", message)
    if has_ladder:
        message = "Prices that fall with the number bought are those of fresh leads: leave the age or the ladder out."
        yield Fault("age", "age_and_ladder", message)


def wait_faults(body: Any) -> Iterator[Fault]:
    """Name what is wrong with what an order's body says of its cap."""
    at_cap, hours = body.at_cap, body.wait_hours
    if at_cap not in AT_CAP:
        yield Fault("at_cap", "unknown_value", f"{at_cap!r} is not known here; use one of {', '.join(AT_CAP)}.")
        return
    if at_cap == "next" and hours is not None:
        yield Fault("wait_hours", "not_waiting", "Leave it out, or set at_cap to wait.")
    if at_cap == "wait" and body.age is not None and body.age.from_ > 0:
        message = "The order buys no leads as they come, so it has nothing to wait for: set at_cap to next."
        yield Fault("at_cap", "nothing_to_wait_for", message)
    if at_cap == "wait" and body.ladder is not None:
        message = "Prices that fall with the number bought are those of the moment: set at_cap to next."
        yield Fault("at_cap", "age_and_ladder", message)
    if hours is not None and hours < 1:
        yield Fault("wait_hours", "out_of_range", "A lead waits for an hour or more.")


def too_long_a_wait(hours: int | None, most: int) -> Iterator[Fault]:
    """Name a wait that is longer than the vertical permits."""
    if hours is not None and hours > most:
        yield Fault("wait_hours", "out_of_range", f"Leads of this vertical wait for {most} hours at most.")
