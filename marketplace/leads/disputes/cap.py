"""The cap on a buyer's returns: who sends back too much of what he buys is heard only where a machine can prove it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import Conflict
from core.money import BASIS_POINTS
from marketplace.catalog.dispute_rules import Reason, ReturnCap, dispute_rules
from marketplace.leads.models import Sale


def is_above(cap: ReturnCap, sales: int, returned: int) -> bool:
    """Tell whether so many returns of so many sales are more than the cap allows; few sales are never too many."""
    return sales >= cap.least_sales and returned * BASIS_POINTS > sales * cap.share_bp


def check_cap(buyer_id: UUID, reason: Reason, at: datetime) -> None:
    """Refuse a claim that no machine decides from a buyer above the cap, Conflict `return_cap_reached`."""
    cap = dispute_rules().return_cap
    since = at - timedelta(days=cap.days)
    returned = func.count().filter(Sale.state == "returned")
    query = select(func.count(), returned).where(
        Sale.buyer_id == buyer_id, Sale.sold_at > since, Sale.delivered_at.is_not(None)
    )
    if not reason.machine and is_above(cap, *db.session.execute(query).one()):
        says = f"You sent back more than {cap.share_bp // 100} % of what you bought in {cap.days} days"
        raise Conflict("return_cap_reached", f"{says}: only claims that a machine can prove are taken for now.")
