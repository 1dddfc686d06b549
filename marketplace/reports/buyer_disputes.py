"""What a buyer disputed: the list, narrowed by state and reason, in parts or whole, and the dispute of one sale."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from core.db import db
from core.keyset import Asked, Columns, Part, part_of
from marketplace.leads.dispute_rows import Appeal, Dispute
from marketplace.leads.models import Sale

# Ids sort by the moment at which they were made, and the index of a buyer's disputes is by them.
SORTS: Columns = {"opened": Dispute.id, "decide": Dispute.decide_by}
UNDECIDED = ("open", "appealed")
READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which disputes are asked for; None stands for any."""

    state: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """How many of the buyer's disputes are undecided, and when silence decides the first of those never decided."""

    disputes: int
    first_by: datetime | None


def disputes_of_buyer(buyer_id: UUID, narrowed: Narrowed, asked: Asked) -> Part:
    """Return one part of the buyer's disputes."""
    return part_of(select(Dispute).where(*_conditions(buyer_id, narrowed)), asked, SORTS, Dispute.id)


def every_dispute(buyer_id: UUID, narrowed: Narrowed) -> Iterator[tuple[Dispute, Sale]]:
    """Yield all disputes asked for with their sales, the newest first; reads a thousand at a time."""
    query = select(Dispute, Sale).join(Sale, Sale.id == Dispute.sale_id).where(*_conditions(buyer_id, narrowed))
    query = query.order_by(Dispute.id.desc()).limit(READ_AT_ONCE)
    rows = db.session.execute(query).all()
    while rows:
        yield from ((dispute, sale) for dispute, sale in rows)
        rows = db.session.execute(query.where(Dispute.id < rows[-1][0].id)).all()


def pending_claims(buyer_id: UUID) -> Pending:
    """Count the buyer's disputes that nobody has decided yet."""
    first = func.min(Dispute.decide_by).filter(Dispute.state == "open")
    query = select(func.count(), first).where(Dispute.buyer_id == buyer_id, Dispute.state.in_(UNDECIDED))
    return Pending(*db.session.execute(query).one())


def appeals_due(disputes: Part) -> dict[UUID, datetime]:
    """Return until when each appeal among these disputes is decided."""
    appealed = [row.id for row in disputes.rows if row.state == "appealed"]
    rows = db.session.execute(select(Appeal.dispute_id, Appeal.decide_by).where(Appeal.dispute_id.in_(appealed)))
    return {row.dispute_id: row.decide_by for row in rows}


def dispute_of_sale(buyer_id: UUID, sale_id: UUID) -> UUID | None:
    """Return the dispute of one of the buyer's sales, None while there is none."""
    query = select(Dispute.id).where(Dispute.sale_id == sale_id, Dispute.buyer_id == buyer_id)
    return db.session.scalar(query)


def _conditions(buyer_id: UUID, narrowed: Narrowed) -> Iterator[ColumnElement[bool]]:
    yield Dispute.buyer_id == buyer_id
    if narrowed.state:
        yield Dispute.state == narrowed.state
    if narrowed.reason:
        yield Dispute.reason == narrowed.reason
