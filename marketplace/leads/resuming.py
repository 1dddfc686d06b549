"""Operators set going again what the system stopped for somebody: an order, an endpoint, a webhook; each says why.

What its owner stopped by hand is the owner's to resume.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from core.db import db
from core.errors import Conflict, NotFound
from core.notifications import Webhook, change_webhook
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.endpoints import rouse
from marketplace.leads.delivery.reach import ask_again
from marketplace.leads.models import Event
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.standing import SYSTEM, as_it_was, change_order
from marketplace.orders.terms import OrderPatch

_NOT_STOPPED = "It is not stopped by the system any more: look at the review again."


@dataclass(frozen=True, slots=True)
class Stopped:
    """What stands still: of which kind, whose, how it is called, and whether the system stopped it."""

    kind: str
    id: UUID
    owner_id: UUID
    name: str
    by_system: bool


def find_stopped(kind: str, row_id: UUID, lock: bool = False) -> Stopped:
    """Return what may stand still, its row locked if asked; NotFound when there is no such thing."""
    found = _FIND[kind](row_id, lock) if kind in _FIND else None
    if found is None:
        raise NotFound(detail="There is no such order, endpoint or webhook.")
    return found


def resume(kind: str, row_id: UUID, why: str, actor: str, at: datetime) -> None:
    """Set it going from the commit on and leave an event with the reason.

    Conflict `not_stopped` when the system did not stop it, or somebody was quicker; Invalid when an order is one that
    could not be placed today.
    """
    if not find_stopped(kind, row_id, lock=True).by_system:
        raise Conflict("not_stopped", _NOT_STOPPED)
    _RESUME[kind](row_id, why, actor, at)


def _order(row_id: UUID, lock: bool) -> Stopped | None:
    query = select(Order, OrderVersion.actor).join(
        OrderVersion, (OrderVersion.order_id == Order.id) & (OrderVersion.version == Order.version)
    )
    query = query.where(Order.id == row_id)
    found = db.session.execute(query.with_for_update(of=Order) if lock else query).one_or_none()
    if found is None:
        return None
    order, actor = found
    return Stopped("order", row_id, order.buyer_id, order.terms["name"],
                   order.status == "paused" and actor.startswith(SYSTEM))  # fmt: skip


def _endpoint(row_id: UUID, lock: bool) -> Stopped | None:
    row = db.session.get(Endpoint, row_id, with_for_update=lock)
    return Stopped("endpoint", row_id, row.buyer_id, row.address, row.state == "open") if row else None


def _webhook(row_id: UUID, lock: bool) -> Stopped | None:
    row = db.session.get(Webhook, row_id, with_for_update={"key_share": True} if lock else False)
    if row is None or row.deleted_at is not None:
        return None
    return Stopped("webhook", row_id, row.account_id, row.url, row.disabled_reason in ("gone", "failing"))


def _resume_order(row_id: UUID, why: str, actor: str, at: datetime) -> None:
    buyer_id = db.session.get_one(Order, row_id).buyer_id
    ask_again(change_order(buyer_id, row_id, OrderPatch(status="active"), actor, at, judge_delivery=as_it_was))
    _leave("paused>active", row_id, why, actor, at)


def _resume_endpoint(row_id: UUID, why: str, actor: str, at: datetime) -> None:
    rouse(db.session.get_one(Endpoint, row_id), why, actor, at)


def _resume_webhook(row_id: UUID, why: str, actor: str, at: datetime) -> None:
    webhook = db.session.get_one(Webhook, row_id)
    before = webhook.disabled_reason
    change_webhook(webhook, None, None, True, at)
    _leave(f"{before}>enabled", row_id, why, actor, at)


def _leave(move: str, row_id: UUID, why: str, actor: str, at: datetime) -> None:
    db.session.add(Event(subject_id=row_id, at=at, move=move, actor=actor, why=why))
    db.session.flush()


_FIND: dict[str, Callable[[UUID, bool], Stopped | None]] = {"order": _order, "endpoint": _endpoint, "webhook": _webhook}
_RESUME: dict[str, Callable[[UUID, str, str, datetime], None]] = {
    "order": _resume_order,
    "endpoint": _resume_endpoint,
    "webhook": _resume_webhook,
}
