"""One dispute as either of its two sides reads it: the same claim, evidence and decision, and what that side may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import db
from core.errors import NotFound
from core.money import Money
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import Appeal, Dispute, EvidenceFile
from marketplace.leads.disputes.appeal import PUBLISHER, is_open_to_appeal, side_of
from marketplace.leads.disputes.file import files_about
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.queries import events_of


@dataclass(frozen=True, slots=True)
class DisputeStory:
    """All that a side may know of one dispute, and what it may do about it now."""

    side: str
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
    def price(self) -> Money:
        """Return what the buyer paid; not for a publisher's eyes."""
        return Money(self.sale.price_minor, self.sale.currency)

    @property
    def payout(self) -> Money:
        """Return what the sale paid, or will pay, when it was disputed; not for a buyer's eyes."""
        return Money(self.dispute.full_payout_minor, self.sale.currency)

    @property
    def fee(self) -> Money:
        """Return what the claim costs the buyer when it is rejected."""
        return Money(self.dispute.fee_minor, self.sale.currency)


def dispute_story(account_id: UUID, dispute_id: UUID, at: datetime) -> DisputeStory:
    """Return the whole of one dispute to one of its sides; NotFound for anybody else."""
    row = db.session.get(Dispute, dispute_id)
    if row is None:
        raise NotFound(detail="There is no dispute with this id.")
    side = side_of(row, account_id)
    sale, about = db.session.get_one(Sale, row.sale_id), files_about([row])[row.id]
    rule = dispute_rules().reasons[row.reason]
    return DisputeStory(
        side=side, dispute=row, sale=sale, lead=db.session.get_one(Lead, sale.lead_id), files=about.files,
        appeal=about.appeal, events=events_of(row.id), says=rule.says,
        sub_says=rule.sub_reasons.get(row.sub_reason or "", ""),
        may_answer=side == PUBLISHER and row.state == "open" and row.accepts is None and at < row.hear_until,
        may_appeal=about.appeal is None and is_open_to_appeal(row, side, at),
    )  # fmt: skip
