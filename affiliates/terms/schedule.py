"""When payouts run: monthly on the 1st, twice a month on the 1st and 16th, or weekly on Mondays, days in UTC."""

from datetime import date, timedelta

MONTHLY, TWICE, WEEKLY = 1, 2, 4
SCHEDULES = {MONTHLY: "monthly", TWICE: "twice_a_month", WEEKLY: "weekly"}
_DAYS_OF_MONTH = {MONTHLY: (1,), TWICE: (1, 16)}


def is_run_day(payouts_a_month: int, day: date) -> bool:
    """Tell whether payouts of this schedule run on a day."""
    return day.weekday() == 0 if payouts_a_month == WEEKLY else day.day in _DAYS_OF_MONTH[payouts_a_month]


def next_run_day(payouts_a_month: int, after: date) -> date:
    """Return the first day after another on which payouts of this schedule run."""
    day = after + timedelta(days=1)
    while not is_run_day(payouts_a_month, day):
        day += timedelta(days=1)
    return day
