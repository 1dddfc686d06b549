"""Disputes about a publisher's leads: the list, and one with its evidence, its sale and what may still be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import NotFound
from core.keyset import Asked, Columns, Part, part_of
from core.money import Money
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import Appeal, Dispute, EvidenceFile
from marketplace.leads.disputes.appeal import PUBLISHER, is_open_to_appeal
from marketplace.leads.disputes.file import files_about
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.queries import events_of

# Ids sort by the moment at which they were made, and the index of a publisher's disputes is by them.
SORTS: Columns = {"opened": Dispute.id, "decide": Dispute.decide_by}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many disputes wait for the publisher's answer, and until when the first of them is heard."""

    disputes: int
    first_until: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeStory:
    """All that the publisher may know of one dispute, and what may be done about it now."""

    dispute: Dispute
    sale: Sale
    lead: Lead
    files: Sequence[EvidenceFile]
    appeal: Appeal | None
    events: Sequence[Event]
    says: str
    sub_says: str
    may_answer: bool
    may_appeal: bool

    @property
    def credited(self) -> Money:
        """Return what went back to the buyer."""
        return Money(self.dispute.credited_minor, self.sale.currency)

    @property
    def payout(self) -> Money:
        """Return what the sale paid, or will pay, when it was disputed."""
        return Money(self.dispute.full_payout_minor, self.sale.currency)


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


def dispute_story(publisher_id: UUID, dispute_id: UUID, at: datetime) -> DisputeStory:
    """Return the whole of one dispute about the publisher's leads; NotFound for anybody else's."""
    row = db.session.get(Dispute, dispute_id)
    if row is None or row.publisher_id != publisher_id:
        raise NotFound(detail="There is no dispute with this id.")
    sale, about = db.session.get_one(Sale, row.sale_id), files_about([row])[row.id]
    rule = dispute_rules().reasons[row.reason]
    return DisputeStory(
        dispute=row, sale=sale, lead=db.session.get_one(Lead, sale.lead_id), files=about.files, appeal=about.appeal,
        events=events_of(row.id), says=rule.says, sub_says=rule.sub_reasons.get(row.sub_reason or "", ""),
        may_answer=row.state == "open" and row.accepts is None and at < row.hear_until,
        may_appeal=about.appeal is None and is_open_to_appeal(row, PUBLISHER, at),
    )  # fmt: skip
