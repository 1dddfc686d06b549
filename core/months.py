"""Months: whole ones of UTC, each named by its first day."""

from datetime import UTC, date, datetime, timedelta


def month_of(at: datetime) -> date:
    """Return the month in which an instant lies."""
    return at.astimezone(UTC).date().replace(day=1)


def month_after(period: date) -> date:
    """Return the month that follows."""
    return (period + timedelta(days=32)).replace(day=1)


def month_before(period: date) -> date:
    """Return the month that came before."""
    return (period - timedelta(days=1)).replace(day=1)


def begin_of(period: date) -> datetime:
    """Return the first instant of a month."""
    return datetime(period.year, period.month, 1, tzinfo=UTC)


def end_of(period: date) -> datetime:
    """Return the first instant that is no longer in a month."""
    return begin_of(month_after(period))
