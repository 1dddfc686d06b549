"""How the sales of each source ended of late: counted by publisher, from returns and from what buyers reported.

A sale is judged when it has ended: settled or returned. It counts against its source when money went back for it, or
when the buyer's last word is that nobody could be reached. Who claims and who reports stays unknown.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from core.db import db
from core.overrides import overrides
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.dispositions import REACHED
from marketplace.leads.models import Lead, Sale
from marketplace.market.rows import SourceQuality

AGAIN = timedelta(hours=6)
COUNTS = ("judged", "returned", "unreachable", "reported", "reached", "won")


def count_next_sources(at: datetime) -> int:
    """Count the sources of the publisher who waits longest, in the session's transaction; return how many were."""
    waiting = SourceQuality.counted_at.is_(None) | (SourceQuality.counted_at <= at - AGAIN)
    query = select(SourceQuality).where(waiting).order_by(SourceQuality.counted_at.nulls_first()).limit(1)
    first = db.session.scalar(query.with_for_update(skip_locked=True))
    if first is None:
        return 0
    publisher_id = first.publisher_id
    since = at - timedelta(days=overrides().setting("market.quality_days"))
    found = {row.source_name: row for row in db.session.execute(_endings(publisher_id, since, at))}
    own = select(SourceQuality.source_name).where(SourceQuality.publisher_id == publisher_id)
    names = db.session.scalars(own.order_by(SourceQuality.source_name)).all()
    for name in names:
        here = SourceQuality.publisher_id == publisher_id, SourceQuality.source_name == name
        db.session.execute(update(SourceQuality).where(*here).values(counted_at=at, **_counts(found.get(name))))
    return len(names)


def _endings(publisher_id: UUID, since: datetime, at: datetime) -> Any:
    came_back = (Sale.state == "returned") | (Sale.credited_minor > 0)
    last = SaleContact.last_status
    query = select(
        Lead.source_name, func.array_agg(Lead.vertical_id.distinct()).label("verticals"), func.count().label("judged"),
        func.count().filter(came_back).label("returned"),
        func.count().filter(~came_back, last == "unreachable").label("unreachable"),
        func.count(last).label("reported"), func.count().filter(last.in_(REACHED)).label("reached"),
        func.count().filter(last == "won").label("won"),
    )  # fmt: skip
    query = query.select_from(Sale).join(Lead, Lead.id == Sale.lead_id)
    query = query.outerjoin(SaleContact, SaleContact.sale_id == Sale.id)
    mine = Sale.publisher_id == publisher_id, Sale.state.in_(("settled", "returned"))
    return query.where(*mine, Sale.ended_at > since, Sale.ended_at <= at).group_by(Lead.source_name)


def _counts(row: Any) -> dict[str, Any]:
    if row is None:
        return {"verticals": []} | dict.fromkeys(COUNTS, 0)
    return {"verticals": sorted(row.verticals)} | {name: getattr(row, name) for name in COUNTS}
