"""Hours, days, weeks and months in an order's own zone, and the windows in which it buys.

A period starts at the first instant of its local hour, date, ISO week or month. Where the offset changes, a new hour
starts at the change, so that the repeated hour of autumn is two hours and no hour is counted twice.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

PERIODS = ("hour", "day", "week", "month", "total")  # over which orders are limited
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR_SECONDS = 3600
DAY_SECONDS = 24 * HOUR_SECONDS
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

Starts = tuple[int, int, int, int]

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)


class Window(Struct, frozen=True):
    """Local minutes of some weekdays (Monday 0); `to_minute` at or before `from_minute` means the day after."""

    days: tuple[int, ...]
    from_minute: int
    to_minute: int


class Schedule(Struct, frozen=True):
    """The windows in which an order buys, in its zone; no window at all means always."""

    timezone: str
    windows: tuple[Window, ...] = ()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Tell whether this is the name of a zone in the IANA database."""
    return name in _zone_names()


def minute_of(text: str) -> int:
    """Read "09:30" as the minutes since midnight; "24:00" is 1440; ValueError for anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time from 00:00 to 24:00: {text!r}")
    return int(match[1]) * 60 + int(match[2]) if match[1] else DAY_MINUTES


def show_minute(minute: int) -> str:
    """Write minutes since midnight as "09:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


class _Hour(Struct, frozen=True):
    """One local hour: while it lasts, its offset and the starts of its periods stay the same."""

    starts_at: int
    ends_at: int
    offset: int
    starts: Starts


_hour_of_zone: dict[str, _Hour] = {}  # the hour last asked for: requests come in order of time


def period_starts(zone: str, at: datetime) -> Starts:
    """Return the starts of the hour, day, ISO week and month that contain `at` in this zone, as UTC epoch seconds.

    Monotone in `at`; every start is <= `at`. ZoneInfoNotFoundError for an unknown zone.
    """
    return _hour_at(zone, at.timestamp()).starts


def next_starts(zone: str, at: datetime) -> Starts:
    """Return the starts of the hour, day, ISO week and month that follow those of `at`, as UTC epoch seconds."""
    hour = _hour_at(zone, at.timestamp())
    today = _local_date(at.timestamp() + hour.offset)
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    monday = today + timedelta(days=7 - today.weekday())
    place = ZoneInfo(zone)
    day, week, month_start = (_start_of(day, place) for day in (today + timedelta(days=1), monday, month))
    return hour.ends_at, day, week, month_start


def minute_of_week(zone: str, at: datetime) -> int:
    """Return the local minutes since Monday 00:00, as the wall clock in this zone shows them."""
    seconds = at.timestamp()
    local = int(seconds // 1) + _hour_at(zone, seconds).offset
    return (local // 60 + 3 * DAY_MINUTES) % WEEK_MINUTES  # 1970-01-01 was a Thursday


def is_open(schedule: Schedule | None, at: datetime) -> bool:
    """Tell whether an order with this schedule buys at `at`; the wall clock of its zone decides, on both repeats."""
    if schedule is None or not schedule.windows:
        return True
    return in_spans(spans_of(schedule.windows), minute_of_week(schedule.timezone, at))


def next_opening(schedule: Schedule | None, at: datetime) -> datetime:
    """Return the first instant from `at` on at which the schedule is open, in UTC; `at` itself when it is open."""
    if schedule is None or is_open(schedule, at):
        return at.astimezone(UTC)
    return min(instant for instant in _turns(schedule, at) if instant >= at and is_open(schedule, instant))


def after_open_seconds(schedule: Schedule | None, at: datetime, seconds: int, most_days: int = 30) -> datetime:
    """Return the instant at which so many open seconds have passed since `at`, in UTC; `most_days` later at the latest.

    The wall clock of the schedule's zone decides what is open, elapsed time is what is counted: both repeats of an
    hour count, a skipped one does not.
    """
    if schedule is None or not schedule.windows:
        return at.astimezone(UTC) + timedelta(seconds=seconds)
    spans, left = spans_of(schedule.windows), float(seconds)
    start = now = at.timestamp()
    last = start + most_days * DAY_SECONDS
    while now < last:
        hour = _work_out_hour(schedule.timezone, int(now // 1))
        week, end = _seconds_of_week(now, hour.offset), min(hour.ends_at, last)
        for opens, closes in _open_between(spans, week, week + end - now):
            if left <= closes - opens:
                return at.astimezone(UTC) + timedelta(seconds=now - start + opens - week + left)
            left -= closes - opens
        now = end
    return at.astimezone(UTC) + timedelta(days=most_days)


def open_spans(schedule: Schedule, zone: str, start: int, end: int) -> Iterator[tuple[float, float]]:
    """Yield the open parts of a stretch of time, in epoch seconds; the wall clock of the zone decides what is open."""
    spans, now = spans_of(schedule.windows), start
    while now < end:
        hour = _work_out_hour(zone, now)
        week, until = _seconds_of_week(now, hour.offset), min(hour.ends_at, end)
        for opens, closes in _open_between(spans, week, week + until - now):
            yield now + opens - week, now + closes - week
        now = until


def _seconds_of_week(seconds: float, offset: int) -> float:
    """Return the local seconds since Monday 00:00."""
    return (seconds + offset + 3 * DAY_SECONDS) % (7 * DAY_SECONDS)


def _open_between(spans: tuple[int, ...], start: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield the open parts of a stretch of one week, all in seconds since Monday 00:00."""
    edges = (*spans, WEEK_MINUTES) if len(spans) % 2 else spans
    for place in range(bisect_right(edges, start / 60) // 2 * 2, len(edges), 2):
        opens, closes = max(start, edges[place] * 60.0), min(end, edges[place + 1] * 60.0)
        if opens >= end:
            return
        yield opens, closes


@lru_cache(maxsize=4096)
def spans_of(windows: tuple[Window, ...]) -> tuple[int, ...]:
    """Return the rising minutes of the week at which the windows open and close by turns, first an opening."""
    minutes = bytearray(WEEK_MINUTES)
    for window in windows:
        length = (window.to_minute - window.from_minute) % DAY_MINUTES or DAY_MINUTES
        for day in window.days:
            for minute in range(length):
                minutes[(day * DAY_MINUTES + window.from_minute + minute) % WEEK_MINUTES] = 1
    return tuple(minute for minute in range(WEEK_MINUTES) if minutes[minute] != (minute and minutes[minute - 1]))


def in_spans(spans: tuple[int, ...], minute: int) -> bool:
    """Tell whether a minute of the week lies in one of the spans."""
    return bisect_right(spans, minute) % 2 == 1


def _hour_at(zone: str, seconds: float) -> _Hour:
    hour = _hour_of_zone.get(zone)
    if hour is None or not hour.starts_at <= seconds < hour.ends_at:
        hour = _hour_of_zone[zone] = _work_out_hour(zone, int(seconds // 1))
    return hour


def _work_out_hour(zone: str, second: int) -> _Hour:
    place = ZoneInfo(zone)
    offset = _offset(place, second)
    full = second - (second + offset) % HOUR_SECONDS
    last = full + HOUR_SECONDS
    starts_at = full if _offset(place, full) == offset else _change_in(place, full, second)
    ends_at = last if _offset(place, last) == offset else _change_in(place, second, last)
    today = _local_date(second + offset)
    monday = today - timedelta(days=today.weekday())
    day, week, month = (_start_of(first, place) for first in (today, monday, today.replace(day=1)))
    return _Hour(starts_at, ends_at, offset, (starts_at, day, week, month))


def _local_date(local_seconds: float) -> date:
    return date.fromordinal(_EPOCH_DAY + int(local_seconds // 86400))


def _offset(place: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, place).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _start_of(day: date, place: ZoneInfo) -> int:
    """Return the first instant of a local date; where midnight is skipped, that is the change of the clock."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=place)
    before, after = int(midnight.timestamp()), int(midnight.replace(fold=1).timestamp())
    if before <= after:  # midnight exists; the first of two when the clock goes back over it
        return before
    return _change_in(place, after, before)


def _change_in(place: ZoneInfo, low: int, high: int) -> int:
    """Return the second in (low, high] from which the offset of `high` holds."""
    offset = _offset(place, high)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(place, middle) == offset:
            high = middle
        else:
            low = middle
    return high


def _turns(schedule: Schedule, at: datetime) -> set[datetime]:
    """Return every instant of the next nine days at which the schedule can open: window starts, clock changes."""
    place = ZoneInfo(schedule.timezone)
    today = at.astimezone(place).date()
    turns: set[datetime] = set()
    for ahead in range(-1, 9):
        day = today + timedelta(days=ahead)
        start, end = _start_of(day, place), _start_of(day + timedelta(days=1), place)
        if _offset(place, start) != _offset(place, end):
            turns.add(datetime.fromtimestamp(_change_in(place, start, end), UTC))
        for window in schedule.windows:
            wall = datetime(day.year, day.month, day.day, tzinfo=place) + timedelta(minutes=window.from_minute)
            turns |= {wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return turns
