"""Days of a report: figures counted by UTC day, none left out, and today's beside yesterday's at the same time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

SHOWN = 14  # days in a chart


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


def filled(found: Mapping[date, int], days: Iterable[date]) -> list[int]:
    """Return one figure a day, zero where nothing was counted."""
    return [int(found.get(day, 0)) for day in days]
