"""Disputes about a publisher's leads: the list, and how many of them wait for the publisher's answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.keyset import Asked, Columns, Part, part_of
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Sale

# Ids sort by the moment at which they were made, and the index of a publisher's disputes is by them.
SORTS: Columns = {"opened": Dispute.id, "decide": Dispute.decide_by}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many disputes wait for the publisher's answer, and until when the first of them is heard."""

    disputes: int
    first_until: datetime | None


def disputes_asked(publisher_id: UUID, state: str | None, asked: Asked) -> Part:
    """Return one part of the disputes about the publisher's leads, optionally in one state."""
    query = select(Dispute).where(Dispute.publisher_id == publisher_id)
    return part_of(query.where(Dispute.state == state) if state else query, asked, SORTS, Dispute.id)


def sales_of_disputes(disputes: Sequence[Dispute]) -> dict[UUID, Sale]:
    """Return the sale of each of these disputes by its id."""
    query = select(Sale).where(Sale.id.in_([dispute.sale_id for dispute in disputes]))
    return {sale.id: sale for sale in db.session.scalars(query)}


def waiting_for(publisher_id: UUID, at: datetime) -> Waiting:
    """Count the disputes that the publisher can still answer."""
    query = select(func.count(), func.min(Dispute.hear_until)).where(
        Dispute.publisher_id == publisher_id, Dispute.state == "open", Dispute.accepts.is_(None),
        Dispute.hear_until > at,
    )  # fmt: skip
    return Waiting(*db.session.execute(query).one())
