"""What the clock does about deals: those that are full or over end, and briefs whose time is over."""

from datetime import datetime

from sqlalchemy import or_, select

from core.db import db
from marketplace.deals.accepting import end_deal
from marketplace.deals.models import Brief, Deal
from marketplace.deals.stages import ACTIVE, ENDED, FULL, OPEN, move
from marketplace.orders.models import OrderCounters

BATCH = 50
ONE = 1  # deal a transaction: each takes the locks of its brief and its vertical
ACTOR = "system:deals"


def end_deals(as_of: datetime) -> int:
    """End some deals that have bought what was promised, or whose time is over; return how many."""
    while (found := _next_done(as_of)) is not None:
        deal, bought = found
        db.session.refresh(deal)
        if deal.state == ACTIVE:
            is_full = bought >= deal.volume
            why = f"{bought} of {deal.volume} leads were bought"
            end_deal(deal, FULL if is_full else ENDED, ACTOR, as_of, why)
            return ONE
    return 0


def _next_done(as_of: datetime) -> tuple[Deal, int] | None:
    """Lock the brief of a deal that is done, as its end does first; one that somebody else is at is passed by.

    Whoever held the lock may have ended the deal just before.
    """
    query = select(Deal, OrderCounters.total_leads).join(OrderCounters, OrderCounters.order_id == Deal.order_id)
    query = query.join(Brief, Brief.id == Deal.brief_id).with_for_update(of=Brief, skip_locked=True)
    is_done = or_(Deal.ends_at <= as_of, OrderCounters.total_leads >= Deal.volume)
    row = db.session.execute(query.where(Deal.state == ACTIVE, is_done).order_by(Deal.id).limit(ONE)).first()
    return None if row is None else (row[0], row[1])


def end_briefs(as_of: datetime) -> int:
    """End some briefs whose time is over; return how many."""
    query = select(Brief).where(Brief.state.in_((OPEN, FULL)), Brief.ends_at <= as_of).order_by(Brief.id).limit(BATCH)
    rows = list(db.session.scalars(query.with_for_update(skip_locked=True)))
    for row in rows:
        move(row, ENDED, ACTOR, as_of)
    return len(rows)


STEPS = {"deals_ended": end_deals, "briefs_ended": end_briefs}
