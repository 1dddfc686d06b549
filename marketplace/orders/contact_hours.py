"""When people of a region may be called, as the rules of contact of their country have it, minute by minute.

An order that keeps these hours buys only while its leads may be called: by the wall clock at the person, through
changes of the clock, and not on holidays on which calls rest. A country without rules is never open.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from marketplace.catalog.contact_rules import contact_rules, may_contact
from marketplace.catalog.regions import country_of
from marketplace.catalog.zones import zone_of
from marketplace.orders.periods import Schedule, minute_of, next_opening, open_spans

# Weeks of both clocks of the year, two of each, as one holiday must not decide.
_MONDAYS = tuple(datetime(2027, *day, tzinfo=UTC) for day in ((1, 11), (1, 18), (7, 5), (7, 19)))
_STEPS = 60  # how often a schedule and the rules may take turns before they meet


def may_call(region: str, at: datetime) -> bool:
    """Tell whether people of a region may be called in the minute of `at`, having agreed to calls and no more."""
    return _may_call(country_of(region), zone_of(region), int(at.timestamp()) // 60)


@lru_cache(maxsize=1024)
def _may_call(country: str, zone: str | None, minute: int) -> bool:
    return may_contact(country, "call", datetime.fromtimestamp(minute * 60, UTC), "opt_in", zone).allowed


def next_call(schedule: Schedule | None, region: str, at: datetime) -> datetime | None:
    """Return the first instant from `at` on at which the schedule is open and people may be called; None if unseen."""
    now = at
    for _ in range(_STEPS):
        now = next_opening(schedule, now)
        if may_call(region, now):
            return now
        following = may_contact(country_of(region), "call", now, "opt_in", zone_of(region)).next_at
        if following is None:
            return None
        now = following
    return None


def never_opens(schedule: Schedule | None, regions: Iterable[str]) -> bool:
    """Tell whether the schedule is never open while somebody of the regions may be called; no region is everywhere.

    Regions of one country by one clock are one question, however many there are.
    """
    asked = {(country_of(region), zone_of(region)) for region in tuple(regions) or tuple(contact_rules())}
    return not any(
        _opens(schedule, start, end)
        for country, zone in asked for monday in _MONDAYS for start, end in _spans_of_week(country, zone, monday)
    )  # fmt: skip


def _opens(schedule: Schedule | None, start: int, end: int) -> bool:
    if schedule is None or not schedule.windows:
        return True
    return any(opens < closes for opens, closes in open_spans(schedule, schedule.timezone, start, end))


@lru_cache(maxsize=1024)
def _spans_of_week(country: str, zone: str | None, monday: datetime) -> tuple[tuple[int, int], ...]:
    """Return when people may be called in a week, in epoch seconds: that changes at these instants and no others."""
    edges = sorted(set(_edges(country, zone, monday)))
    return tuple((start, end) for start, end in pairwise(edges) if _may_call(country, zone, start // 60))


def _edges(country: str, zone: str | None, monday: datetime) -> Iterator[int]:
    """Yield the instants at which a day, or the hours for calls of any day, begin or end by the clocks of a place."""
    rules = contact_rules().get(country)
    if rules is None:
        return
    spans = {text for spans in (rules.call.hours or {}).values() for span in spans for text in span.split("-")}
    for place in [zone] if zone else rules.zones:
        midnight = datetime(monday.year, monday.month, monday.day, tzinfo=ZoneInfo(place))
        for day in range(-1, 9):
            for minute in {0, *map(minute_of, spans)}:
                yield int((midnight + timedelta(days=day, minutes=minute)).timestamp())
