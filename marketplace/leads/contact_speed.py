"""Speed to contact, decided: until when a sale's first attempt is in time, and when an order leaves its leads alone."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from core.defaults import default
from core.money import BASIS_POINTS
from marketplace.orders.periods import Schedule, after_open_seconds

ContactState = Literal["waiting", "late", "in_time", "too_late"]

Setting = Callable[[str], int]
"""What a setting is where the sale was made, by its key."""

# The setting of minutes of the order's open hours until the first attempt is due, by what the person did (D16).
SLA_KEYS: dict[str, str] = {
    interest: f"contact.{interest}_minutes"
    for interest in ("order", "request", "callback", "call", "question", "message", "estimate", "appointment",
                     "download", "registration", "subscription")
}  # fmt: skip
LEFT_ALONE = "contact.left_alone_hours"
# An order is left alone when more than this share of its sales is; a few sales show nothing.
LEFT_ALONE_SHARE, LEAST_SALES = "contact.left_alone_bp", "contact.left_alone_least"


def due_instant(
    interest: str, schedule: Schedule | None, delivered_at: datetime, setting: Setting = default
) -> datetime:
    """Return until when the first attempt is in time, counted in the order's open hours, in UTC."""
    return after_open_seconds(schedule, delivered_at, 60 * setting(SLA_KEYS[interest]))


def left_alone_instant(schedule: Schedule | None, delivered_at: datetime, setting: Setting = default) -> datetime:
    """Return from when an untouched sale counts against its order, in UTC."""
    return after_open_seconds(schedule, delivered_at, 3600 * setting(LEFT_ALONE))


def contact_state(due_at: datetime, first_attempt_at: datetime | None, at: datetime) -> ContactState:
    """Tell how a sale stands at `at`; the instant at which it is due is still in time."""
    if first_attempt_at is None:
        return "waiting" if at <= due_at else "late"
    return "in_time" if first_attempt_at <= due_at else "too_late"


def leaves_leads_alone(untouched: int, sales: int, setting: Setting = default) -> bool:
    """Tell whether so many untouched ones among an order's sales are reason to pause it."""
    return sales >= setting(LEAST_SALES) and untouched * BASIS_POINTS > sales * setting(LEFT_ALONE_SHARE)
