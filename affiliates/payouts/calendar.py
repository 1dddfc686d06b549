"""The days on which payouts are drafted: of a month, of half a month, of a week; all days are UTC."""

from datetime import date, timedelta
from typing import Literal

Schedule = Literal["monthly", "twice_monthly", "weekly"]

SCHEDULES: tuple[Schedule, ...] = ("monthly", "twice_monthly", "weekly")
DAYS_OF_MONTH = {"monthly": (1,), "twice_monthly": (1, 16)}
MONDAY = 0
A_DAY = timedelta(days=1)
ARRIVES = {"connect": 3, "sepa": 1, "wise": 2, "paypal": 1}  # working days from being sent


def is_slot(schedule: Schedule, day: date) -> bool:
    """Tell whether payouts of a schedule are drafted on a day."""
    return day.weekday() == MONDAY if schedule == "weekly" else day.day in DAYS_OF_MONTH[schedule]


def last_slot(schedule: Schedule, today: date) -> date:
    """Return the latest day, today included, on which payouts of a schedule were due."""
    day = today
    while not is_slot(schedule, day):
        day -= A_DAY
    return day


def next_slot(schedule: Schedule, today: date) -> date:
    """Return the first day after today on which payouts of a schedule are due."""
    day = today + A_DAY
    while not is_slot(schedule, day):
        day += A_DAY
    return day


def arrives_on(kind: str, sent_on: date) -> date:
    """Return the day on which what was sent on a day is expected at its bank; Saturdays and Sundays do not count."""
    day, left = sent_on, ARRIVES[kind]
    while left:
        day += A_DAY
        left -= day.weekday() < 5
    return day
