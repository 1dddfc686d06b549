"""Deliveries: made from news for the webhooks that ask for it, looked at, and sent again by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.errors import Conflict, NotFound
from core.ids import first_id_at, new_id
from core.notifications.models import Delivery, DeliveryAttempt, Webhook
from core.notifications.news import TEST_EVENT


@dataclass(frozen=True, slots=True)
class Logged:
    """A delivery with its attempts, the first one first."""

    delivery: Delivery
    attempts: tuple[DeliveryAttempt, ...]

    @property
    def id(self) -> UUID:
        """Return the delivery's id."""
        return self.delivery.id


def waiting_webhooks(most: int) -> tuple[int, datetime | None]:
    """Count the deliveries that wait, at most so many, and tell since when the first of them is due."""
    due = select(Delivery.next_attempt_at).where(Delivery.state == "waiting").limit(most).subquery()
    count, first = db.session.execute(select(func.count(), func.min(due.c.next_attempt_at))).one()
    return int(count), first


def make_deliveries(notices: Iterable[dict[str, Any]], at: datetime) -> None:
    """Make a delivery of each notice for each webhook of its account that asks for it; again changes nothing."""
    notices = list(notices)
    accounts = {UUID(str(notice["account_id"])) for notice in notices}
    asking: dict[UUID, list[Webhook]] = {}
    for webhook in db.session.scalars(
        select(Webhook).where(
            Webhook.account_id.in_(accounts), Webhook.deleted_at.is_(None), Webhook.disabled_at.is_(None)
        )
    ):
        asking.setdefault(webhook.account_id, []).append(webhook)
    rows = [
        {"id": new_id(), "webhook_id": webhook.id, "outbox_id": notice["outbox_id"], "event": notice["event"],
         "data": notice["payload"], "occurred_at": notice["occurred_at"], "state": "waiting", "next_attempt_at": at}
        for notice in notices for webhook in asking.get(UUID(str(notice["account_id"])), ())
        if webhook.events is None or notice["event"] in webhook.events
    ]  # fmt: skip
    if rows:
        db.session.execute(insert(Delivery).on_conflict_do_nothing(), rows)


def make_test(webhook: Webhook, at: datetime) -> Logged:
    """Make a delivery that tells nothing; Conflict when the webhook is disabled."""
    _refuse_disabled(webhook)
    delivery = Delivery(
        id=new_id(), webhook_id=webhook.id, event=TEST_EVENT, data={"webhook": str(webhook.id)}, occurred_at=at,
        state="waiting", next_attempt_at=at,
    )  # fmt: skip
    db.session.add(delivery)
    db.session.flush()
    return Logged(delivery, ())


def replay(webhook: Webhook, delivery_id: UUID, at: datetime) -> Logged:
    """Send a delivery again at once, whatever became of it, with all its tries; its message id stays the same."""
    _refuse_disabled(webhook)
    delivery = db.session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.webhook_id != webhook.id:
        raise NotFound(detail="There is no delivery with this id.")
    delivery.state, delivery.reason, delivery.tries, delivery.next_attempt_at = "waiting", None, 0, at
    db.session.flush()
    return _logged([delivery])[0]


def deliveries_of(webhook_id: UUID, state: str | None, after: UUID | None, limit: int) -> Sequence[Logged]:
    """Return the webhook's deliveries with their attempts, the newest first."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if state is not None:
        query = query.where(Delivery.state == state)
    if after is not None:
        query = query.where(Delivery.id < after)
    return _logged(list(db.session.scalars(query.order_by(Delivery.id.desc()).limit(limit))))


def forget_deliveries(before: datetime) -> int:
    """Delete what was made before this real instant and has ended, with its attempts, and return how many."""
    ended = select(Delivery.id).where(Delivery.id < first_id_at(before), Delivery.state != "waiting")
    db.session.execute(delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(ended)))
    gone = delete(Delivery).where(Delivery.id.in_(ended)).returning(Delivery.id)
    return len(db.session.execute(gone).all())


def _logged(deliveries: list[Delivery]) -> list[Logged]:
    found = select(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_([one.id for one in deliveries]))
    attempts: dict[UUID, list[DeliveryAttempt]] = {}
    for attempt in db.session.scalars(found.order_by(DeliveryAttempt.number)):
        attempts.setdefault(attempt.delivery_id, []).append(attempt)
    return [Logged(one, tuple(attempts.get(one.id, ()))) for one in deliveries]


def _refuse_disabled(webhook: Webhook) -> None:
    if webhook.disabled_at is not None:
        raise Conflict("webhook_disabled", "Enable the webhook first.")
