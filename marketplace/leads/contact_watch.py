"""The watch over first contacts: gives sales their clock, tells the buyer what is late or due, pauses who never calls.

Each function does one batch in the caller's transaction and returns how much it did; several workers may watch at once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text

from core.db import db
from core.defaults import NOTHING, Said
from core.outbox import announce
from core.overrides import Overrides, overrides
from marketplace.catalog.shelf import verticals_by_id
from marketplace.catalog.verticals import Vertical
from marketplace.leads.contact_clock import new_contacts, store_contacts
from marketplace.leads.contact_models import ContactWatch, SaleContact
from marketplace.leads.contact_speed import LEAST_SALES, Setting, leaves_leads_alone
from marketplace.leads.dispositions import OPEN_STATES
from marketplace.leads.models import Event, Lead, Sale
from marketplace.orders.standing import pause_order

BATCH = 500
ACTOR = "system:contact"
# Deliveries commit a little out of order; so far back is looked again.
OVERLAP = timedelta(hours=1)
REMEMBERED = timedelta(days=7)  # an order is judged by what it has left alone lately

# Orders that asked to be paused, with their sales of the last days that are old enough to judge, bought since they
# were last paused for this.
_LEFT_ALONE = text("""
    SELECT o.id, o.vertical_id, o.terms -> 'settings' AS own, count(*) AS sales,
           count(*) FILTER (WHERE c.first_attempt_at IS NULL) AS untouched
    FROM marketplace.orders o
    JOIN marketplace.sale_contacts c ON c.order_id = o.id
    JOIN marketplace.sales s ON s.id = c.sale_id AND s.state = ANY (:states)
    WHERE o.status = 'active' AND o.terms @> '{"contact_sla": true}'
      AND c.left_alone_at > CAST(:since AS timestamptz) AND c.left_alone_at <= CAST(:as_of AS timestamptz)
      AND c.order_version > coalesce((SELECT max(v.version) FROM marketplace.order_versions v
                                      WHERE v.order_id = o.id AND v.actor = :actor), 0)
    GROUP BY o.id HAVING count(*) >= :least
""")


def start_clocks(as_of: datetime) -> int:
    """Give up to a batch of the sales delivered by then their clock, the oldest first."""
    watch = db.session.scalar(select(ContactWatch).with_for_update(skip_locked=True))
    if watch is None:
        return 0  # another worker is at it
    known = exists().where(SaleContact.sale_id == Sale.id)
    query = select(Sale, Lead).join(Lead, Lead.id == Sale.lead_id)
    query = query.where(Sale.delivered_at >= watch.looked_to - OVERLAP, Sale.delivered_at <= as_of, ~known)
    sales = [(sale, lead) for sale, lead in db.session.execute(query.order_by(Sale.delivered_at).limit(BATCH))]
    contacts = new_contacts(sales)
    store_contacts(contacts)
    watch.looked_to = max([watch.looked_to, *(contact.delivered_at for contact in contacts)])
    db.session.flush()
    return len(contacts)


def tell_late(as_of: datetime) -> int:
    """Mark up to a batch of sales as late, once each, and tell their buyers, but not of what went back meanwhile."""
    query = select(SaleContact).where(SaleContact.first_attempt_at.is_(None), SaleContact.late_at.is_(None),
                                      SaleContact.due_at < as_of)  # fmt: skip
    late = _claimed(query.order_by(SaleContact.due_at))
    for contact in late:
        contact.late_at = as_of
    _tell("sale.contact_late", as_of, [(one, {"due_at": one.due_at.isoformat()}) for one in late])
    return len(late)


def tell_follow_ups(as_of: datetime) -> int:
    """Tell buyers of up to a batch of agreed follow-ups whose time has come, each once, unless the lead went back."""
    query = select(SaleContact).where(SaleContact.follow_up_at <= as_of, SaleContact.follow_up_told_at.is_(None))
    due = _claimed(query.order_by(SaleContact.follow_up_at))
    for contact in due:
        contact.follow_up_told_at = as_of
    shown = [(one, {"follow_up_at": one.follow_up_at.isoformat()}) for one in due if one.follow_up_at is not None]
    _tell("sale.follow_up_due", as_of, shown)
    return len(due)


def pause_negligent(as_of: datetime) -> int:
    """Pause one of the orders that asked for it and leave too many leads alone, with the reason for its buyer.

    One a transaction: a pause locks the vertical's book, and whoever changes the next order may wait for that.
    """
    said = overrides()
    asked = {"as_of": as_of, "since": as_of - REMEMBERED, "states": list(OPEN_STATES), "actor": ACTOR,
             "least": said.setting(LEAST_SALES)}  # fmt: skip
    judged = db.session.execute(_LEFT_ALONE, asked).all()
    verticals = verticals_by_id() if judged else {}
    return int(any(
        _pause(row.id, row.untouched, row.sales, as_of) for row in judged
        if leaves_leads_alone(row.untouched, row.sales, _setting_of(verticals[row.vertical_id], row.own, said))
    ))  # fmt: skip


def _setting_of(vertical: Vertical, own: Said | None, said: Overrides) -> Setting:
    """Say what settings are for an order: its own, its vertical's, the exchange's; it has leads of many countries."""
    return lambda key: int(vertical.setting(key, order=own or NOTHING, exchange=said.exchange))


def _pause(order_id: UUID, untouched: int, sales: int, at: datetime) -> bool:
    order = pause_order(order_id, ACTOR, at)
    if order is None:
        return False  # its buyer was quicker
    why = f"{untouched} of {sales} leads untouched within the open hours for it"
    db.session.add(Event(subject_id=order.id, at=at, move="active>paused", actor=ACTOR, why=why))
    db.session.flush()
    data = {"order": str(order.id), "untouched": untouched, "sales": sales, "why": why}
    announce("notice", _news("order.paused", at, order.buyer_id, data))
    return True


def _claimed(query: Any) -> list[SaleContact]:
    """Lock a batch, passing over what another worker has."""
    return list(db.session.scalars(query.limit(BATCH).with_for_update(skip_locked=True)))


def _tell(event: str, at: datetime, found: Sequence[tuple[SaleContact, dict[str, Any]]]) -> None:
    """Announce to the buyers of sales that are still theirs, and write the rows."""
    db.session.flush()
    ids = [contact.sale_id for contact, _ in found]
    theirs = set(db.session.scalars(select(Sale.id).where(Sale.id.in_(ids), Sale.state.in_(OPEN_STATES))))
    news = [
        _news(event, at, contact.buyer_id, {"sale": str(contact.sale_id), "order": str(contact.order_id), **data})
        for contact, data in found if contact.sale_id in theirs
    ]  # fmt: skip
    announce("notice", *news)


def _news(event: str, at: datetime, buyer_id: UUID, data: dict[str, Any]) -> dict[str, Any]:
    return {"event": event, "at": at.isoformat(), "accounts": [str(buyer_id)], "data": data}
