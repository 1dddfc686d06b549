"""The latest day on which payouts of a schedule were due, and the day on which one arrives; all days are UTC."""

from datetime import date, timedelta

from affiliates.terms.schedule import is_run_day

A_DAY = timedelta(days=1)
ARRIVES = {"connect": 3, "sepa": 1, "wise": 2, "paypal": 1}  # working days from being sent


def last_run_day(payouts_a_month: int, today: date) -> date:
    """Return the latest day, today included, on which payouts of a schedule were due."""
    day = today
    while not is_run_day(payouts_a_month, day):
        day -= A_DAY
    return day


def arrives_on(kind: str, sent_on: date) -> date:
    """Return the day on which what was sent on a day is expected at its bank; Saturdays and Sundays do not count."""
    day, left = sent_on, ARRIVES[kind]
    while left:
        day += A_DAY
        left -= day.weekday() < 5
    return day
