"""Places kept: orders that would have bought a lead but for their cap, pace or hours, and that wait for it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
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

# The leads' locks come first: a look that has one of them in hand may still sell it to who keeps a place.
_STOP = text("""
    WITH theirs AS (
        SELECT l.id FROM marketplace.leads l JOIN marketplace.kept_leads k ON k.lead_id = l.id
        WHERE k.publisher_id = :publisher AND k.source_name = :source AND k.vertical_id = :vertical
          AND k.state <> 'ended' AND EXISTS (
              SELECT FROM marketplace.kept_places p WHERE p.lead_id = l.id AND p.until_at > :at)
        ORDER BY l.id FOR UPDATE OF l
    )
    UPDATE marketplace.kept_places p SET until_at = :at FROM theirs WHERE p.lead_id = theirs.id AND p.until_at > :at
""")


def keep_places(lead: Lead, live: LiveVertical, at: datetime) -> list[KeptFrom]:
    """Keep a place for each waiting order that only its cap, pace or hours kept from a lead that nobody bought.

    Returns these orders: each looks for the lead when that may be over, if it is young enough then.
    """
    waiting = [one for one in live.book.aging if one.terms.wait_minutes and _until(lead, one) > at]
    if not waiting or not lead.decision.get("book"):
        return []
    facts = facts_of_stored(lead, desk().vault, live.vertical)
    waiting = [one for one in live.book.aging_for(facts) if one in waiting]
    were_there = set(db.session.scalars(
        select(Order.id).where(Order.id.in_([one.order_id for one in waiting]), Order.created_at <= lead.received_at)
    ))  # fmt: skip
    words = {one.order_id: one.outcome for one in tried_in(lead.decision)}
    found = list[KeptFrom]()
    for one in (each for each in waiting if each.order_id in were_there):
        outcome, _ = verdict_of(one, facts, lead.received_at)
        word = words.get(one.order_id, "") if outcome == WANTED else outcome
        if word in ("closed", *CAPPED):
            found.append((one, word))
            row = {"lead_id": lead.id, "order_id": one.order_id, "until_at": _until(lead, one)}
            db.session.execute(insert(KeptPlace).values(row).on_conflict_do_nothing())
    return found


def stop_waiting(publisher_id: UUID, source: str, vertical_id: int, at: datetime) -> None:
    """End all places kept for the leads of a source, from the commit on; what was offered before keeps its story."""
    db.session.execute(_STOP, {"publisher": publisher_id, "source": source, "vertical": vertical_id, "at": at})


def places_of(lead_id: UUID, at: datetime) -> frozenset[UUID]:
    """Return the orders that keep a place for a lead at this instant."""
    query = select(KeptPlace.order_id).where(KeptPlace.lead_id == lead_id, KeptPlace.until_at > at)
    return frozenset(db.session.scalars(query))


def _until(lead: Lead, listed: Listed) -> datetime:
    return lead.received_at + timedelta(minutes=listed.terms.wait_minutes)
