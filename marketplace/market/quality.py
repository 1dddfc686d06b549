"""How the sales of each source ended of late: counted by publisher, from returns and from what buyers reported.

A sale is judged when it has ended: settled or returned. It counts against its source when money went back for it, or
when the buyer's last word is that nobody could be reached. Of these words one buyer's count for no more than those of
all others together: nobody alone talks a source down. Who claims and who reports stays unknown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, true, update

from core.db import db
from core.overrides import overrides
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.dispositions import REACHED
from marketplace.leads.models import UNPAID, Lead, Sale
from marketplace.market.rows import SourceQuality

AGAIN = timedelta(hours=6)
COUNTS = ("judged", "returned", "unreachable", "reported", "reached", "won")


def count_next_sources(at: datetime) -> int:
    """Count the sources of the publisher who waits longest, in the session's transaction; return how many were."""
    waiting = SourceQuality.counted_at.is_(None) | (SourceQuality.counted_at <= at - AGAIN)
    query = select(SourceQuality.publisher_id).where(waiting)
    publisher_id = db.session.scalar(query.order_by(SourceQuality.counted_at.nulls_first()).limit(1))
    if publisher_id is None:
        return 0
    own = select(SourceQuality).where(SourceQuality.publisher_id == publisher_id).order_by(SourceQuality.source_name)
    rows = db.session.scalars(own.with_for_update(), execution_options={"populate_existing": True}).all()
    if all(row.counted_at is not None and row.counted_at > at - AGAIN for row in rows):
        return len(rows)  # somebody counted them while we waited
    until = at - timedelta(hours=overrides().setting("market.delay_hours"))  # everybody may read it
    since = until - timedelta(days=overrides().setting("market.quality_days"))
    found: dict[str, list[Any]] = {}
    for ended in db.session.execute(_endings(publisher_id, since, until)):
        found.setdefault(ended.source_name, []).append(ended)
    for row in rows:
        here = SourceQuality.publisher_id == publisher_id, SourceQuality.source_name == row.source_name
        counts = counts_of(found.get(row.source_name, []))
        db.session.execute(update(SourceQuality).where(*here).values(counted_at=at, **counts))
    return len(rows)


def _endings(publisher_id: UUID, since: datetime, at: datetime) -> Any:
    """Ask how a publisher's sales to each buyer ended: settled ones by one index, returned ones by another."""
    mine = Sale.publisher_id == publisher_id, Sale.ended_at > since, Sale.ended_at <= at
    said = Sale.id, Sale.lead_id, Sale.buyer_id, (Sale.state == "returned").label("is_returned"), Sale.credited_minor
    settled = select(*said).where(*mine, Sale.state == "settled")
    returned = select(*said).where(*mine, Sale.state == "returned", UNPAID)
    ended = settled.union_all(returned).subquery()
    came_back, last = ended.c.is_returned | (ended.c.credited_minor > 0), SaleContact.last_status
    # One look a lead: as a join, the whole of them is read in their order.
    lead = select(Lead.source_name, Lead.vertical_id).where(Lead.id == ended.c.lead_id).limit(1).lateral()
    query = select(
        lead.c.source_name, func.array_agg(lead.c.vertical_id.distinct()).label("verticals"),
        func.count().label("judged"),
        func.count().filter(came_back).label("returned"),
        func.count().filter(~came_back, last == "unreachable").label("unreachable"),
        func.count(last).label("reported"), func.count().filter(last.in_(REACHED)).label("reached"),
        func.count().filter(last == "won").label("won"),
    )  # fmt: skip
    query = query.select_from(ended).join(lead, true())
    return query.outerjoin(SaleContact, SaleContact.sale_id == ended.c.id).group_by(
        lead.c.source_name, ended.c.buyer_id
    )


def counts_of(buyers: Sequence[Any]) -> dict[str, Any]:
    """Return what the buyers of a source come to together."""
    together = {name: sum(getattr(one, name) for one in buyers) for name in COUNTS}
    others = together["unreachable"] - max((one.unreachable for one in buyers), default=0)
    verticals = sorted({vertical for one in buyers for vertical in one.verticals})
    return together | {
        "buyers": len(buyers), "verticals": verticals, "unreachable": min(together["unreachable"], 2 * others)
    }  # fmt: skip
