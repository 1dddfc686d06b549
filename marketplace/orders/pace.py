"""What limits an order beyond its caps: the weekday, the pace over the open hours, falling prices, and its buyer."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from core.errors import Fault
from core.money import Money
from marketplace.orders.periods import (
    DAY_MINUTES,
    DAYS,
    PERIODS,
    Schedule,
    minute_of_week,
    next_starts,
    open_spans,
    period_starts,
)
from marketplace.orders.said import MoneyBody

MAX_STEPS = 20


class LadderStepBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """From which lead of the period on which price holds."""

    from_: Annotated[int, Meta(extra_json_schema={"minimum": 2})]
    price: MoneyBody


class LadderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices that fall with the number of leads bought in a period; below the first step the order's price holds."""

    period: Annotated[str, Meta(extra_json_schema={"enum": list(PERIODS)})]
    steps: list[LadderStepBody]


class Ladder(Struct, frozen=True):
    """A ladder as it is kept: from which lead of the period on which price holds, in minor units."""

    period: str
    steps: tuple[tuple[int, int], ...]


def ladder_of(body: LadderBody) -> Ladder:
    """Normalise a ladder in which `ladder_faults` found nothing."""
    steps = ((step.from_, Money.parse(step.price.amount, step.price.currency).minor) for step in body.steps)
    return Ladder(body.period, tuple(steps))


def ladder_body(ladder: Ladder, currency: str) -> LadderBody:
    """Write a ladder as its buyer would."""
    steps = [LadderStepBody(count, MoneyBody(str(Money(minor, currency)), currency)) for count, minor in ladder.steps]
    return LadderBody(ladder.period, steps)


def price_after(price_minor: int, ladder: Ladder | None, bought: int) -> int:
    """Return what the next lead costs when so many were bought in the ladder's period."""
    reached = [minor for count, minor in ladder.steps if count <= bought + 1] if ladder else []
    return reached[-1] if reached else price_minor


def ladder_faults(body: LadderBody | None, price: Money | None, least_minor: int, currency: str) -> Iterator[Fault]:
    """Name steps that do not rise in number and fall in price, and prices below the vertical's minimum."""
    if body is None:
        return
    if body.period not in PERIODS:
        yield Fault("ladder.period", "unknown_value", f"Use one of {', '.join(PERIODS)}.")
    if not 1 <= len(body.steps) <= MAX_STEPS:
        yield Fault("ladder.steps", "out_of_range", f"Give 1 to {MAX_STEPS} steps, or leave the ladder out.")
    count, above = 1, price.minor if price else None
    for place, step in enumerate(body.steps):
        at = f"ladder.steps.{place}"
        minor = _minor(step.price, currency)
        if step.from_ <= count:
            yield Fault(f"{at}.from", "out_of_order", "Begin at the 2nd lead or later, and each step above the last.")
        if minor is None:
            yield Fault(f"{at}.price", "invalid_amount", f'Write an amount in {currency}, such as "12.50".')
        elif minor < least_minor:
            least = Money(least_minor, currency)
            says = f"Stay at {least} {currency} or above, the minimum price of this vertical."
            yield Fault(f"{at}.price.amount", "below_minimum_price", says)
        elif above is not None and minor >= above:
            yield Fault(f"{at}.price.amount", "out_of_order", "Let the price fall with each step.")
        count, above = step.from_, minor


def weekday_faults(caps: Mapping[str, int], day_cap: int | None, most: int) -> Iterator[Fault]:
    """Name caps of days that are none, out of range, or above the cap of every day, which would never count."""
    for day, cap in caps.items():
        at = f"caps.weekday.{day}"
        if day not in DAYS:
            yield Fault(at, "unknown_value", f"Use {', '.join(DAYS)}.")
        elif not 1 <= cap <= most:
            yield Fault(
                at, "out_of_range", "A cap is 1 or more; to buy nothing on a day, leave it out of the schedule."
            )
        elif day_cap is not None and cap > day_cap:
            yield Fault(at, "contradicts", f"Stay at {day_cap} or below: the cap of the day holds on every day.")


def pacing_faults(pacing: bool | None, has_day_limit: bool) -> Iterator[Fault]:
    """Name a pace with nothing to spread."""
    if pacing and not has_day_limit:
        says = "Set caps.day, caps.weekday or budget.day: pacing spreads what a day may bring over its open hours."
        yield Fault("pacing", "needs_day_limit", says)


# -- at the moment of a lead -------------------------------------------------------------------------------------------


def share_of_day(zone: str, schedule: Schedule | None, at: datetime) -> tuple[int, int]:
    """Return how many open minutes of the local day have passed, and how many it has; both repeats of an hour count."""
    start, end = period_starts(zone, at)[1], next_starts(zone, at)[1]
    spans = _open_of_day(schedule, zone, start, end)
    now = at.timestamp()
    passed = sum(max(0.0, min(now, closes) - opens) for opens, closes in spans)
    return int(passed) // 60, int(sum(closes - opens for opens, closes in spans)) // 60


@lru_cache(maxsize=1024)
def _open_of_day(schedule: Schedule | None, zone: str, start: int, end: int) -> tuple[tuple[float, float], ...]:
    if schedule is None or not schedule.windows:
        return ((float(start), float(end)),)
    return tuple(open_spans(schedule, zone, start, end))


def limits_now(
    terms: Any, at: datetime, price_minor: int, prices: tuple[int, ...] | None = None
) -> dict[str, Any] | None:
    """Return what limits an order at this instant beyond its counters, as the sale takes it; None for nothing.

    `prices` are what it pays for the lead at its own price and each step of its ladder, where these go by the lead.

    A pace lets through the share of the day's cap or budget that its open minutes have reached, and one lead more:
    the one that costs `price_minor`.
    """
    if not (terms.weekday_caps or terms.pacing or terms.ladder or terms.buyer_zone):
        return None
    found: dict[str, Any] = {}
    if terms.buyer_zone:
        found |= {"buyer": period_starts(terms.buyer_zone, at), "zone": terms.buyer_zone}
    weekday = DAYS[minute_of_week(terms.timezone, at) // DAY_MINUTES]
    caps = [cap for cap in (terms.caps.get("day"), terms.weekday_caps.get(weekday)) if cap is not None]
    if weekday in terms.weekday_caps:
        found |= {"day": min(caps), "day_word": f"{weekday} cap"}
    if terms.pacing:
        passed, minutes = share_of_day(terms.timezone, terms.schedule, at)
        if caps and minutes:
            found |= {"day": min(*caps, min(caps) * passed // minutes + 1), "day_word": "pace"}
        budget = terms.budget_minor.get("day")
        if budget is not None and minutes:
            reached = budget * passed // minutes + price_minor
            found |= {"spend": min(budget, reached), "spend_word": "pace of the budget"}
    if terms.ladder:
        own = ((1, terms.price_minor), *terms.ladder.steps)
        steps = [(count, minor) for (count, _), minor in zip(own, prices, strict=True)] if prices else own
        found |= {"ladder": steps, "of": PERIODS.index(terms.ladder.period) + 1}
    return found or None


def written(limits: list[dict[str, Any] | None]) -> str | None:
    """Write what limits some orders as the sale function takes it; None when nothing limits any."""
    return msgspec.json.encode(limits).decode() if any(limits) else None


def _minor(amount: MoneyBody, currency: str) -> int | None:
    try:
        minor = Money.parse(amount.amount, currency).minor
    except ValueError:
        return None
    return minor if amount.currency == currency and minor > 0 else None
