"""What the clock does about deals: those that are full or over end, and briefs whose time is over."""

from datetime import datetime

from sqlalchemy import or_, select

from core.db import db
from marketplace.deals.accepting import end_deal
from marketplace.deals.models import Brief, Deal
from marketplace.deals.stages import ACTIVE, ENDED, FULL, OPEN, move
from marketplace.orders.models import OrderCounters

BATCH = 50
ACTOR = "system:deals"


def end_deals(as_of: datetime) -> int:
    """End a deal that has bought what was promised, or whose time is over; return how many.

    One a transaction, since each takes the locks of its brief and its vertical. Briefs that somebody else has in hand
    are passed over, and so is a deal that he has ended since we looked.
    """
    query = select(Deal, OrderCounters.total_leads).join(OrderCounters, OrderCounters.order_id == Deal.order_id)
    is_done = or_(Deal.ends_at <= as_of, OrderCounters.total_leads >= Deal.volume)
    query = query.join(Brief, Brief.id == Deal.brief_id).where(Deal.state == ACTIVE, is_done).order_by(Deal.id)
    for deal, bought in db.session.execute(query.limit(BATCH).with_for_update(of=Brief, skip_locked=True)).all():
        db.session.refresh(deal)
        if deal.state == ACTIVE:
            why = f"{bought} of {deal.volume} leads were bought"
            end_deal(deal, FULL if bought >= deal.volume else ENDED, ACTOR, as_of, why)
            return 1
    return 0


def end_briefs(as_of: datetime) -> int:
    """End some briefs whose time is over; return how many."""
    query = select(Brief).where(Brief.state.in_((OPEN, FULL)), Brief.ends_at <= as_of).order_by(Brief.id).limit(BATCH)
    rows = list(db.session.scalars(query.with_for_update(skip_locked=True)))
    for row in rows:
        move(row, ENDED, ACTOR, as_of)
    return len(rows)


STEPS = {"deals_ended": end_deals, "briefs_ended": end_briefs}
