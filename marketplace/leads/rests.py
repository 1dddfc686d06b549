"""Pauses that end by themselves: an order rests for some hours and then buys again, by the clock.

Each move leaves an event. An order that could not be placed any more stays paused, and its buyer is told why.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from core.clock import as_rfc3339
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.outbox import announce
from marketplace.leads.delivery.reach import ask_again
from marketplace.leads.models import Event
from marketplace.orders.models import Order
from marketplace.orders.standing import SYSTEM, as_it_was, change_order, get_order, pause_order
from marketplace.orders.terms import OrderPatch

ACTOR = f"{SYSTEM}:clock"
MIN_MINUTES, MAX_MINUTES = 5, 7 * 24 * 60


def rest(buyer_id: UUID, order_id: UUID, minutes: int, actor: str, at: datetime) -> Order:
    """Pause an order from the commit on and let it buy again so many minutes after `at`; asked again, the last counts.

    Invalid for fewer than 5 minutes or more than a week, Conflict `not_now` for one that is paused without an end.
    """
    if not MIN_MINUTES <= minutes <= MAX_MINUTES:
        message = f"An order rests for {MIN_MINUTES} to {MAX_MINUTES} minutes; pause it to stop it for longer."
        raise Invalid("invalid_order", "The order buys on.", [Fault("minutes", "out_of_range", message)])
    order = get_order(buyer_id, order_id, lock=True)
    if order.status == "paused" and order.resumes_at is None:
        raise Conflict("not_now", "The order is paused until somebody resumes it; resume it first.")
    before = order.status
    if before == "active":
        pause_order(order.id, actor, at)
    order.resumes_at = at + timedelta(minutes=minutes)
    _leave(order, f"{before}>paused", f"until {as_rfc3339(order.resumes_at)}", actor, at)
    return order


def end_rest(as_of: datetime) -> int:
    """Let one of the orders buy again whose rest is over by then.

    One a transaction, passing over what another worker has: a change locks the vertical's book.
    """
    query = select(Order).where(Order.resumes_at <= as_of).order_by(Order.resumes_at).limit(1)
    order = db.session.scalar(query.with_for_update(skip_locked=True))
    if order is None:
        return 0
    try:
        ask_again(change_order(order.buyer_id, order.id, OrderPatch(status="active"), ACTOR, as_of,
                               judge_delivery=as_it_was))  # fmt: skip
    except Invalid as refused:
        _stay_paused(order, refused, as_of)
    else:
        _leave(order, "paused>active", "its rest is over", ACTOR, as_of)
    return 1


def _stay_paused(order: Order, refused: Invalid, at: datetime) -> None:
    why = "cannot buy again: " + " ".join(f"{fault.field}: {fault.message}" for fault in refused.faults)[:1000]
    order.resumes_at = None
    _leave(order, "paused>paused", why, ACTOR, at)
    announce("notice", {"event": "order.paused", "at": at.isoformat(), "accounts": [str(order.buyer_id)],
                        "data": {"order": str(order.id), "why": why}})  # fmt: skip


def _leave(order: Order, move: str, why: str, actor: str, at: datetime) -> None:
    db.session.add(Event(subject_id=order.id, at=at, move=move, actor=actor, why=why))
    db.session.flush()
