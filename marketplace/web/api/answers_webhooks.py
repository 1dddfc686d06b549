"""The shapes and looks of webhooks and their deliveries."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from core.ids import show_id
from core.notifications import DeliveryAttempt, Logged, Webhook, secrets_of
from marketplace.web.api.shown import instant, instant_or_none

DELIVERY_STATES = ("waiting", "delivered", "failed", "dropped")
REASONS = ("exhausted", "gone", "disabled", "deleted")


class WebhookShown(Struct, frozen=True, kw_only=True):
    """A webhook; `events` null means all, `secret` verifies signatures, `failing_since` is null when all is well."""

    id: str
    url: str
    events: list[str] | None
    secret: str
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: Annotated[str | None, Meta(extra_json_schema={"enum": ["by_hand", "gone", "failing", None]})]
    failing_since: datetime | None
    created_at: datetime


class AttemptShown(Struct, frozen=True, kw_only=True):
    """One attempt: the status, or in `error` why there was no answer, and how the answer began."""

    at: datetime
    status: int | None
    error: str | None
    milliseconds: int
    answer: str


class WebhookDeliveryShown(Struct, frozen=True, kw_only=True):
    """A piece of news on its way; its id is the webhook-id that every attempt carries."""

    id: str
    event: str
    occurred_at: datetime
    state: Annotated[str, Meta(extra_json_schema={"enum": list(DELIVERY_STATES)})]
    reason: Annotated[str | None, Meta(extra_json_schema={"enum": [*REASONS, None]})]
    next_attempt_at: datetime | None
    attempts: list[AttemptShown]


def webhook(row: Webhook) -> WebhookShown:
    """Show a webhook to its owner."""
    return WebhookShown(
        id=show_id("whk", row.id),
        url=row.url,
        events=row.events,
        secret=secrets_of(row)[0],
        enabled=row.disabled_at is None,
        disabled_at=instant_or_none(row.disabled_at),
        disabled_reason=row.disabled_reason,
        failing_since=instant_or_none(row.failing_since),
        created_at=instant(row.created_at),
    )


def delivery(logged: Logged) -> WebhookDeliveryShown:
    """Show a delivery with its log."""
    row = logged.delivery
    return WebhookDeliveryShown(
        id=show_id("del", row.id),
        event=row.event,
        occurred_at=instant(row.occurred_at),
        state=row.state,
        reason=row.reason,
        next_attempt_at=instant_or_none(row.next_attempt_at),
        attempts=[_attempt(one) for one in logged.attempts],
    )


def _attempt(row: DeliveryAttempt) -> AttemptShown:
    return AttemptShown(
        at=instant(row.at), status=row.status, error=row.error, milliseconds=row.milliseconds, answer=row.answer
    )
