"""Deleting where leads went: addresses and endpoints that no active order uses; what was sent stays in the log."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Exists, exists, select

from core.db import db
from core.errors import Conflict, NotFound
from core.identity import emails_of
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.mail.addresses import MailAddress
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.delivery.settings import addresses_of
from marketplace.leads.models import Event
from marketplace.orders.models import Order, OrderVersion

MOST_NAMED, MOST_IDLE = 3, 50


def forget_address(account_id: UUID, address: str, actor: str, at: datetime) -> str:
    """Delete an address that leads went to by mail, and return it as it was kept; named again, it is asked anew.

    NotFound when the account has none such; Conflict `own_address` for one of its people's, `place_in_use` with the
    names of active orders that send there.
    """
    known = address.strip().lower()
    row = db.session.get(MailAddress, (account_id, known), with_for_update=True)
    if row is None and known in emails_of(account_id):
        raise Conflict("own_address", "This is the address of somebody of this account: it goes when the person goes.")
    if row is None:
        raise NotFound(detail="There is no such address; GET /api/v1/addresses lists them.")
    _refuse_used([name for name, to in _mailing(account_id) if known in to])
    _note(account_id, "confirmed" if row.confirmed_at else "waiting", "an address for leads by mail", actor, at)
    db.session.delete(row)
    db.session.flush()
    return known


def idle_endpoints(buyer_id: UUID) -> list[Endpoint]:
    """Return the endpoints to which no active order of the buyer sends, by their addresses."""
    query = select(Endpoint).where(Endpoint.buyer_id == buyer_id, ~_is_sent_to()).order_by(Endpoint.address)
    return list(db.session.scalars(query.limit(MOST_IDLE)))


def get_endpoint(buyer_id: UUID, endpoint_id: UUID, lock: bool = False) -> Endpoint:
    """Return one of the buyer's endpoints; NotFound for anybody else's."""
    row = db.session.get(Endpoint, endpoint_id, with_for_update=lock or None)
    if row is None or row.buyer_id != buyer_id:
        raise NotFound(detail="There is no endpoint with this id.")
    return row


def forget_endpoint(buyer_id: UUID, endpoint_id: UUID, actor: str, at: datetime) -> str:
    """Delete an endpoint with its breaker, and return its address; the next lead that is sent there begins a new one.

    NotFound for anybody else's; Conflict `place_in_use` while active orders send there or a lead is on its way.
    """
    row = get_endpoint(buyer_id, endpoint_id, lock=True)
    named = select(Order.terms["name"].astext).where(
        Order.buyer_id == buyer_id, Order.endpoint == row.address, Order.status == "active"
    )
    _refuse_used(db.session.scalars(named.order_by(Order.id)).all())
    then = (OrderVersion.order_id == DeliveryRow.order_id) & (OrderVersion.version == DeliveryRow.order_version)
    under_way = select(DeliveryRow.sale_id).join(OrderVersion, then).where(
        DeliveryRow.buyer_id == buyer_id, DeliveryRow.ended_at.is_(None), OrderVersion.endpoint == row.address
    )  # fmt: skip
    if db.session.scalar(under_way.limit(1)) is not None:
        raise Conflict("place_in_use", "A lead is still on its way there: delete it once that has ended.")
    _note(row.id, row.state, row.address, actor, at)
    db.session.delete(row)
    db.session.flush()
    return row.address


def _mailing(account_id: UUID) -> list[tuple[str, set[str]]]:
    """Return the active orders that send by mail, each with its addresses."""
    to = Order.terms["delivery"]["to"]
    query = select(Order.terms["name"].astext, to).where(Order.buyer_id == account_id, Order.status == "active")
    rows = db.session.execute(query.where(to.astext.is_not(None)).order_by(Order.id))
    return [(name, {one.lower() for one in addresses_of(wanted)}) for name, wanted in rows]


def _refuse_used(orders: Sequence[str]) -> None:
    if not orders:
        return
    more = f" and {len(orders) - MOST_NAMED} more" if len(orders) > MOST_NAMED else ""
    names = ", ".join(orders[:MOST_NAMED]) + more
    raise Conflict("place_in_use", f"Orders send there: {names}. Pause them or change their delivery first.")


def _is_sent_to() -> Exists:
    return exists().where(Order.buyer_id == Endpoint.buyer_id, Order.endpoint == Endpoint.address,
                          Order.status == "active")  # fmt: skip


def _note(subject: UUID, before: str, what: str, actor: str, at: datetime) -> None:
    db.session.add(Event(subject_id=subject, at=at, move=f"{before}>deleted", actor=actor, why=what))
