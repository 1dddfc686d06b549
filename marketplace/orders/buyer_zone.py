"""Which zone names the periods that limit all orders of a buyer together; orders say it too, so that sales go by it."""

from uuid import UUID

from sqlalchemy import select, text

from core.db import db
from marketplace.orders.models import BuyerCounters

_SHARED = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def buyer_zone_of(buyer_id: UUID, *, alone: bool = False) -> str:
    """Return the zone of the buyer's limits, empty without any; it stays so until the transaction ends.

    Who places an order waits for whoever is changing the limits, `alone`, and the other way round. It comes before all
    locks of orders and verticals.
    """
    db.session.execute(_ALONE if alone else _SHARED, {"name": f"buyer_limits:{buyer_id}"})
    return db.session.scalar(select(BuyerCounters.timezone).where(BuyerCounters.buyer_id == buyer_id)) or ""
