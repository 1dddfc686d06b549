"""One dispute as an operator reads it: both sides' words, what is stored about the lead, and how each side stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from billing import Earned, WalletBalance, earned_by, wallet_of
from core.db import db
from core.errors import NotFound
from core.identity import Account
from core.money import Money
from marketplace.catalog.dispute_rules import Reason
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.catalog.shelf import BOOK, vertical_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.dispute_rows import Appeal, Dispute, EvidenceFile
from marketplace.leads.disputes.reasons import reasons_as_sold
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.source_breaker import Figures, figures_of
from marketplace.orders.models import OrderVersion
from marketplace.reports.claimants import BuyerStanding, buyer_standing


@dataclass(frozen=True, slots=True)
class OtherSale:
    """Another sale of the same lead, and what its buyer disputed, if he did."""

    sale: Sale
    buyer: str
    reason: str | None
    state: str | None


@dataclass(frozen=True, slots=True)
class PublisherStanding:
    """How the lead's source stands over the breaker's days, and what the publisher has earned by the books."""

    source: Figures
    earned: Earned


@dataclass(frozen=True, slots=True)
class Story:
    """All that belongs to one dispute."""

    dispute: Dispute
    sale: Sale
    lead: Lead
    vertical: Vertical
    rule: Reason
    buyer: str
    publisher: str
    appeal: Appeal | None
    files: Sequence[EvidenceFile]
    events: Sequence[Event]
    others: Sequence[OtherSale]
    buyer_stands: BuyerStanding
    wallet: WalletBalance
    publisher_stands: PublisherStanding

    @property
    def price(self) -> Money:
        """Return what the lead was sold for."""
        return self.money(self.sale.price_minor)

    def money(self, minor: int) -> Money:
        """Return an amount in the currency of the sale."""
        return Money(minor, self.sale.currency)

    @property
    def back(self) -> Money:
        """Return what went back to the buyer, as the sale stands."""
        return self.price if self.sale.state == "returned" else self.money(self.sale.credited_minor)

    @property
    def payout(self) -> Money:
        """Return what the publisher gets of the price, as the sale stands."""
        return self.money(0 if self.sale.state == "returned" else self.sale.payout_minor)

    @property
    def margin(self) -> Money:
        """Return what is left to the platform, below zero where it paid out of its own pocket."""
        kept = self.sale.price_minor - self.back.minor - self.payout.minor
        return self.money(kept - self.dispute.compensation_minor)

    @property
    def labels(self) -> dict[str, str]:
        """Return what the vertical calls its fields, by their names."""
        return {field.name: field.label for field in self.vertical.fields}

    @property
    def attributes(self) -> dict[str, Any]:
        """Return what the lead answered to the vertical's questions."""
        return dict(self.lead.details.get("attributes") or {})


def story_of(dispute_id: UUID, at: datetime) -> Story:
    """Return one dispute with all that belongs to it; NotFound when there is none."""
    buyer, publisher = aliased(Account), aliased(Account)
    query = select(Dispute, Sale, Lead, OrderVersion.terms, buyer.name, publisher.name, Appeal, *BOOK)
    query = query.join(Sale, Sale.id == Dispute.sale_id).join(Lead, Lead.id == Sale.lead_id)
    query = query.join(VerticalRow, VerticalRow.id == Lead.vertical_id).join(buyer, buyer.id == Sale.buyer_id)
    query = query.join(publisher, publisher.id == Sale.publisher_id).outerjoin(Appeal, Appeal.dispute_id == Dispute.id)
    then = (OrderVersion.order_id == Sale.order_id) & (OrderVersion.version == Sale.order_version)
    row = db.session.execute(query.join(OrderVersion, then).where(Dispute.id == dispute_id)).one_or_none()
    if row is None:
        raise NotFound(detail="There is no dispute with this id.")
    dispute, sale, lead, terms, buyer_name, publisher_name, appeal, *book = row
    vertical = vertical_of(book)
    files = select(EvidenceFile).where(EvidenceFile.dispute_id == dispute_id).order_by(EvidenceFile.id)
    events = select(Event).where(Event.subject_id.in_((dispute.id, sale.id))).order_by(Event.at, Event.id)
    return Story(
        dispute, sale, lead, vertical,
        reasons_as_sold(sale, vertical, lead.region, terms)[dispute.reason], buyer_name, publisher_name, appeal,
        db.session.scalars(files).all(), db.session.scalars(events).all(),
        _others(sale), buyer_standing(sale.buyer_id, at), wallet_of(sale.buyer_id, sale.currency),
        _publisher(sale, lead, at),
    )  # fmt: skip


def _others(sale: Sale) -> list[OtherSale]:
    query = select(Sale, Account.name, Dispute.reason, Dispute.state).join(Account, Account.id == Sale.buyer_id)
    query = query.outerjoin(Dispute, Dispute.sale_id == Sale.id)
    query = query.where(Sale.lead_id == sale.lead_id, Sale.id != sale.id).order_by(Sale.id)
    return [OtherSale(*row) for row in db.session.execute(query)]


def _publisher(sale: Sale, lead: Lead, at: datetime) -> PublisherStanding:
    since = at - timedelta(days=rules_in_force().source_breaker.days)
    source = figures_of(sale.publisher_id, lead.source_name, since, at)
    earned = earned_by([sale.publisher_id], sale.currency)[sale.publisher_id]
    return PublisherStanding(source, earned)
