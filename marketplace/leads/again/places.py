"""Places kept: orders that would have bought a lead but for their cap, pace or hours, and that wait for it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from marketplace.leads.again.models import KeptPlace
from marketplace.leads.again.seeking import CAPPED, KeptFrom
from marketplace.leads.books import LiveVertical
from marketplace.leads.decisions import tried_in
from marketplace.leads.desk import desk
from marketplace.leads.matching import Listed
from marketplace.leads.models import Lead
from marketplace.leads.verdicts import WANTED, verdict_of
from marketplace.leads.why import facts_of_stored
from marketplace.orders.models import Order


def keep_places(lead: Lead, live: LiveVertical, at: datetime) -> list[KeptFrom]:
    """Keep a place for each waiting order that only its cap, pace or hours kept from a lead that nobody bought.

    Returns these orders: each looks for the lead when that may be over, if it is young enough then.
    """
    waiting = [one for one in live.book.aging if one.terms.wait_minutes and _until(lead, one) > at]
    if not waiting or not lead.decision.get("book"):
        return []
    were_there = set(db.session.scalars(
        select(Order.id).where(Order.id.in_([one.order_id for one in waiting]), Order.created_at <= lead.received_at)
    ))  # fmt: skip
    words = {one.order_id: one.outcome for one in tried_in(lead.decision)}
    facts = facts_of_stored(lead, desk().vault, live.vertical)
    found = list[KeptFrom]()
    for one in (each for each in waiting if each.order_id in were_there):
        outcome, _ = verdict_of(one, facts, lead.received_at)
        word = words.get(one.order_id, "") if outcome == WANTED else outcome
        if word in ("closed", *CAPPED):
            found.append((one, word))
            row = {"lead_id": lead.id, "order_id": one.order_id, "until_at": _until(lead, one)}
            db.session.execute(insert(KeptPlace).values(row).on_conflict_do_nothing())
    return found


def places_of(lead_id: UUID, at: datetime) -> frozenset[UUID]:
    """Return the orders that keep a place for a lead at this instant."""
    query = select(KeptPlace.order_id).where(KeptPlace.lead_id == lead_id, KeptPlace.until_at > at)
    return frozenset(db.session.scalars(query))


def _until(lead: Lead, listed: Listed) -> datetime:
    return lead.received_at + timedelta(minutes=listed.terms.wait_minutes)
