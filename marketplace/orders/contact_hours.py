"""When people of a region may be called, as the rules of contact of their country have it, minute by minute.

An order that keeps these hours buys only while its leads may be called: by the wall clock at the person, through
changes of the clock, and not on holidays on which calls rest. A country without rules is never open.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from marketplace.catalog.contact_rules import contact_rules, may_contact
from marketplace.catalog.regions import country_of
from marketplace.catalog.zones import zone_of
from marketplace.orders.periods import DAY_MINUTES, Schedule, is_open, minute_of, next_opening

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
    """Tell whether the schedule is never open while somebody of the regions may be called.

    Where both are open, one of them has just opened: so it is enough to look at openings. No region is every country.
    """
    asked = tuple(regions) or tuple(contact_rules())
    return not any(
        may_call(region, opening) and is_open(schedule, opening)
        for region in asked for monday in _MONDAYS for opening in _openings(schedule, region, monday)
    )  # fmt: skip


def _openings(schedule: Schedule | None, region: str, monday: datetime) -> Iterator[datetime]:
    """Yield the instants of a week at which the schedule's windows or the hours for calls begin."""
    rules = contact_rules().get(country_of(region))
    if rules is None:
        return
    zones = [zone_of(region)] if zone_of(region) else rules.zones
    starts = {(span.split("-")[0], zone) for spans in (rules.call.hours or {}).values() for span in spans
              for zone in zones}  # fmt: skip
    walls = [(minute_of(text), zone) for text, zone in starts]
    if schedule is not None:
        walls += [(window.from_minute, schedule.timezone) for window in schedule.windows]
    for minute, zone in [*walls, (0, "UTC")]:
        for day in range(-1, 8):
            midnight = datetime(monday.year, monday.month, monday.day, tzinfo=ZoneInfo(zone or "UTC"))
            yield (midnight + timedelta(days=day, minutes=minute % DAY_MINUTES)).astimezone(UTC)
