"""When an order's files are due: full hours of some weekdays in a zone.

An hour that the clock skips in spring is due when it would have begun; of one that comes twice the first counts.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from marketplace.leads.delivery.settings import CsvSchedule
from marketplace.orders.periods import DAYS

_DAYS_BACK = 8  # any weekday has come by then


def latest_slot(schedule: CsvSchedule, zone: str, at: datetime) -> datetime:
    """Return the last slot at or before an instant; `zone` counts where the schedule names none."""
    place = ZoneInfo(schedule.timezone or zone)
    today = at.astimezone(place).date()
    return max(
        slot
        for back in range(-1, _DAYS_BACK)
        for slot in _slots_of(schedule, place, today - timedelta(days=back))
        if slot <= at
    )


def _slots_of(schedule: CsvSchedule, place: ZoneInfo, day: date) -> list[datetime]:
    if DAYS[day.weekday()] not in schedule.days:
        return []
    return [datetime(day.year, day.month, day.day, hour, tzinfo=place).astimezone(UTC) for hour in schedule.hours]
