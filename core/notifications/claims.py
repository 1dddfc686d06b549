"""Claiming what is due and recording what became of it: two transactions, with the call between them.

A lease in real time keeps other workers away; when its worker dies, the delivery is due again when the lease ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from core.clock import REAL_TIME
from core.db import db
from core.entropy import random_bytes
from core.ids import show_id
from core.jobs import enqueue
from core.notifications.models import Delivery, DeliveryAttempt, Webhook
from core.notifications.news import DISABLED_EVENT, news
from core.notifications.schedule import DISABLED_AFTER, GONE, is_delivered, pause_after
from core.notifications.webhooks import disable, secrets_of
from core.outbox import announce

LEASE = timedelta(seconds=90)  # far more than a call may take
MOST_OF_ACCOUNT = 8  # calls at once, so that one account's slow endpoints hold up nobody else's
MOST_OF_WEBHOOK = 4  # calls at once; one that is failing gets a single one
MAIL_JOB = "core.webhook_disabled"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery to be sent now, with all that the call needs."""

    delivery_id: UUID
    webhook_id: UUID
    message_id: str
    url: str
    secrets: Sequence[str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: a status, or the code of why there was no answer."""

    status: int | None
    error: str | None
    milliseconds: int = 0
    answer: str = ""
    retry_after: timedelta | None = None


# Accounts take turns: the first delivery of each comes before the second of any.
_CLAIM = text("""
    UPDATE core.deliveries SET leased_until = :leased_until WHERE id IN (
        SELECT id FROM (
            SELECT due.id, row_number() OVER (PARTITION BY w.account_id ORDER BY due.id) + (
                SELECT count(*) FROM core.deliveries b JOIN core.webhooks v ON v.id = b.webhook_id
                WHERE v.account_id = w.account_id AND b.leased_until > :real_at) AS place
            FROM core.webhooks w CROSS JOIN LATERAL (
                SELECT d.id FROM core.deliveries d
                WHERE d.webhook_id = w.id AND d.state = 'waiting' AND d.next_attempt_at <= :as_of
                    AND (d.leased_until IS NULL OR d.leased_until <= :real_at)
                ORDER BY d.next_attempt_at
                LIMIT greatest(0, CASE WHEN w.failing_since IS NULL THEN :of_webhook ELSE 1 END - (
                    SELECT count(*) FROM core.deliveries b WHERE b.webhook_id = w.id AND b.leased_until > :real_at))
                FOR UPDATE SKIP LOCKED) due
            WHERE w.disabled_at IS NULL AND w.deleted_at IS NULL) turns
        WHERE place <= :of_account
        ORDER BY place, id
        LIMIT :most)
    RETURNING id
    """)


def claim_due(as_of: datetime, most: int) -> list[Claimed]:
    """Lease deliveries that are due by then, at most so many in all and a few an account, and return them."""
    real_at = REAL_TIME.now()
    limits = {"most": most, "of_account": MOST_OF_ACCOUNT, "of_webhook": MOST_OF_WEBHOOK}
    instants = {"as_of": as_of, "real_at": real_at, "leased_until": real_at + LEASE}
    ids = db.session.scalars(_CLAIM, limits | instants).all()
    if not ids:
        return []
    rows = db.session.execute(
        select(Delivery, Webhook).join(Webhook, Webhook.id == Delivery.webhook_id).where(Delivery.id.in_(ids))
    )
    return [_claimed(delivery, webhook) for delivery, webhook in rows]


def _claimed(delivery: Delivery, webhook: Webhook) -> Claimed:
    return Claimed(
        delivery_id=delivery.id,
        webhook_id=webhook.id,
        message_id=show_id("del", delivery.id),
        url=webhook.url,
        secrets=secrets_of(webhook),
        body=news().body_of(delivery.event, delivery.occurred_at, delivery.data),
    )


def record(claimed: Claimed, outcome: Outcome, at: datetime) -> None:
    """Log an attempt, and move its delivery and its webhook accordingly; locks the webhook first, as all do here."""
    webhook = db.session.get_one(Webhook, claimed.webhook_id, with_for_update={"key_share": True})
    delivery = db.session.get_one(Delivery, claimed.delivery_id, with_for_update=True)
    delivery.attempts += 1
    delivery.leased_until = None
    db.session.add(
        DeliveryAttempt(
            delivery_id=delivery.id, number=delivery.attempts, at=at, status=outcome.status, error=outcome.error,
            milliseconds=outcome.milliseconds, answer=outcome.answer,
        )
    )  # fmt: skip
    if is_delivered(outcome.status):
        webhook.failing_since = None
        _end(delivery, "delivered", None)
    elif delivery.state == "waiting":  # it may have been dropped while it was being sent
        webhook.failing_since = webhook.failing_since or at
        _try_again(webhook, delivery, outcome, at)
    db.session.flush()


def _try_again(webhook: Webhook, delivery: Delivery, outcome: Outcome, at: datetime) -> None:
    if outcome.status == GONE:
        _end(delivery, "failed", "gone")
        _give_up(webhook, "gone", at)
        return
    delivery.tries += 1
    pause = pause_after(delivery.tries, outcome.status, outcome.retry_after, random_bytes(1)[0] / 255)
    if pause is not None:
        delivery.next_attempt_at = at + pause
        return
    _end(delivery, "failed", "exhausted")
    if webhook.failing_since is not None and at - webhook.failing_since >= DISABLED_AFTER:
        _give_up(webhook, "failing", at)


def _end(delivery: Delivery, state: str, reason: str | None) -> None:
    delivery.state, delivery.reason, delivery.next_attempt_at = state, reason, None


def _give_up(webhook: Webhook, reason: str, at: datetime) -> None:
    """Disable a webhook, and tell its account by news and by mail."""
    if webhook.disabled_at is not None:
        return
    db.session.flush()  # what ended by itself is not dropped
    disable(webhook, reason, at)
    data = {"webhook": str(webhook.id), "url": webhook.url, "reason": reason}
    accounts = [str(webhook.account_id)]
    announce("notice", {"event": DISABLED_EVENT, "at": at.isoformat(), "accounts": accounts, "data": data})
    enqueue(MAIL_JOB, webhook_id=str(webhook.id))
