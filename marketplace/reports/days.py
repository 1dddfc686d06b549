"""Days of a report: figures counted by UTC day, none left out, and today's beside yesterday's at the same time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY

SHOWN = 14  # days in a chart
_LEAST = timedelta(microseconds=1)  # what was counted at this time yesterday includes that instant


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of today, its change against yesterday at this time, and the days before it."""

    today: int
    change: int
    days: Sequence[int]


def start_of_day(at: datetime) -> datetime:
    """Return when the UTC day of an instant began."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def days_until(at: datetime, count: int = SHOWN) -> list[date]:
    """Return the last days up to and with the day of an instant, the oldest first."""
    return [at.date() - timedelta(days=back) for back in range(count - 1, -1, -1)]


def filled(found: Mapping[date | None, int], days: Iterable[date]) -> list[int]:
    """Return one figure a day, zero where nothing was counted."""
    return [int(found.get(day, 0)) for day in days]


def day_of(when: Any) -> ColumnElement[int]:
    """Return which of the parts that begin at `cuts` a column's instant lies in, counted from one; see `cuts_since`.

    PostgreSQL counts by the cuts in two thirds of the time that it takes by the date of each instant.
    """
    return func.width_bucket(when, bindparam("cuts", type_=ARRAY(DateTime(timezone=True))))


def cuts_since(since: datetime, at: datetime) -> list[datetime]:
    """Return where the days from one that begins at `since` begin, to the end of today, yesterday cut at this time."""
    days = (at.date() - since.date()).days
    return sorted([*(since + timedelta(days=each) for each in range(days + 2)), at - timedelta(days=1) + _LEAST])


def by_day(parts: Iterable[tuple[int, int]], cuts: Sequence[datetime], at: datetime) -> dict[date | None, int]:
    """Add figures of parts up to days; under None stands what yesterday had come to at this time."""
    yesterday = start_of_day(at) - timedelta(days=1)
    found: dict[date | None, int] = {None: 0}
    for part, figure in parts:
        begins = cuts[part - 1]
        found[begins.date()] = found.get(begins.date(), 0) + int(figure)
        if begins == yesterday:
            found[None] = int(figure)
    return found
