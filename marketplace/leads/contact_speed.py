"""Speed to contact, decided: until when a sale's first attempt is in time, and when an order leaves its leads alone."""

from datetime import datetime
from typing import Literal

from marketplace.orders.periods import Schedule, after_open_seconds

ContactState = Literal["waiting", "late", "in_time", "too_late"]

# Seconds of the order's open hours until the first attempt is due, by what the person did (domain D16). The table of
# defaults has order, request, callback, question, estimate, download and newsletter; the others stand with whatever
# is most like them: who calls waits as one who asks for a call, who registers as one who takes a download.
SLA_SECONDS: dict[str, int] = {
    "order": 2 * 60,
    "request": 5 * 60,
    "callback": 5 * 60,
    "call": 5 * 60,
    "question": 30 * 60,
    "message": 30 * 60,
    "estimate": 30 * 60,
    "appointment": 30 * 60,
    "download": 2 * 3600,
    "registration": 2 * 3600,
    "subscription": 24 * 3600,
}
LEFT_ALONE_SECONDS = 4 * 3600
# An order is left alone when more than this share of its sales is; a few sales show nothing.
LEFT_ALONE_PERCENT = 30
LEAST_SALES = 10


def due_instant(interest: str, schedule: Schedule | None, delivered_at: datetime) -> datetime:
    """Return until when the first attempt is in time, counted in the order's open hours, in UTC."""
    return after_open_seconds(schedule, delivered_at, SLA_SECONDS[interest])


def left_alone_instant(schedule: Schedule | None, delivered_at: datetime) -> datetime:
    """Return from when an untouched sale counts against its order, in UTC."""
    return after_open_seconds(schedule, delivered_at, LEFT_ALONE_SECONDS)


def contact_state(due_at: datetime, first_attempt_at: datetime | None, at: datetime) -> ContactState:
    """Tell how a sale stands at `at`; the instant at which it is due is still in time."""
    if first_attempt_at is None:
        return "waiting" if at <= due_at else "late"
    return "in_time" if first_attempt_at <= due_at else "too_late"


def leaves_leads_alone(untouched: int, sales: int) -> bool:
    """Tell whether so many untouched ones among an order's sales are reason to pause it."""
    return sales >= LEAST_SALES and untouched * 100 > sales * LEFT_ALONE_PERCENT
