"""The cap on a buyer's returns: who sends back too much of what he buys is heard only where a machine can prove it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select

from core.db import db
from core.errors import Conflict
from core.money import BASIS_POINTS
from marketplace.catalog.dispute_rules import ReturnCap
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.models import Sale


def is_above(cap: ReturnCap, sales: int, returned: int) -> bool:
    """Tell whether so many returns of so many sales are more than the cap allows; few sales are never too many."""
    return sales >= cap.least_sales and returned * BASIS_POINTS > sales * cap.share_bp


def bought_and_returned(buyer_id: UUID, at: datetime) -> tuple[int, int]:
    """Count what the buyer bought within the cap's days, and what of it went back or is disputed at the moment."""
    bought, returned = db.session.execute(count_bought(buyer_id, at)).one()
    return bought, returned


def count_bought(buyer_id: UUID, at: datetime) -> Select[int, int]:
    """Ask for what `bought_and_returned` counts.

    What is disputed counts, or the cap could be passed by claiming everything at once before anything is decided.
    """
    since = at - timedelta(days=rules_in_force().return_cap.days)
    back = func.count().filter(Sale.state.in_(("returned", "disputed")))
    return select(func.count().label("bought"), back.label("returned")).where(
        Sale.buyer_id == buyer_id, Sale.sold_at > since, Sale.delivered_at.is_not(None)
    )


def check_cap(buyer_id: UUID, provable: bool, at: datetime) -> bool:
    """Tell whether a buyer is above the cap; Conflict `return_cap_reached` for a claim of his that is not provable.

    Claims of one buyer pass here one after the other until their commit.
    """
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"claims:{buyer_id}", 0))))
    cap = rules_in_force().return_cap
    above = is_above(cap, *bought_and_returned(buyer_id, at))
    if above and not provable:
        says = f"You sent back or dispute more than {cap.share_bp // 100} % of what you bought in {cap.days} days"
        raise Conflict("return_cap_reached", f"{says}: only claims that a machine can prove are taken for now.")
    return above
