"""Speed to contact, decided: until when a sale's first attempt is in time, and when an order leaves its leads alone."""

from datetime import datetime
from typing import Literal

from core.defaults import default
from marketplace.orders.periods import Schedule, after_open_seconds

ContactState = Literal["waiting", "late", "in_time", "too_late"]

# Seconds of the order's open hours until the first attempt is due, by what the person did (domain D16).
SLA_SECONDS: dict[str, int] = {
    interest: 60 * default(f"contact.{interest}_minutes")
    for interest in ("order", "request", "callback", "call", "question", "message", "estimate", "appointment",
                     "download", "registration", "subscription")
}  # fmt: skip
LEFT_ALONE_SECONDS = 3600 * default("contact.left_alone_hours")
# An order is left alone when more than this share of its sales is; a few sales show nothing.
LEFT_ALONE_PERCENT = default("contact.left_alone_bp") // 100
LEAST_SALES = default("contact.left_alone_least")


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
