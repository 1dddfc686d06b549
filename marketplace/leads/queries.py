"""Reading leads, sales and disputes: whose they are is part of every question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from core.crypto import Vault
from core.db import db
from core.errors import NotFound
from core.schemas import learned
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.intake import Sealed
from marketplace.leads.models import Event, Lead, Sale
from marketplace.orders.models import OrderVersion

OPEN_STATES = ("held", "delivered", "disputed")
THEIRS = ("delivered", "disputed", "settled")  # the states in which the lead is its buyer's


@dataclass(frozen=True, slots=True)
class Pending:
    """A publisher's open sales: what they will pay if nothing is returned."""

    amount_minor: int
    sales: int
    next_release_at: datetime | None


def get_lead(publisher_id: UUID | None, lead_id: UUID) -> Lead:
    """Return a lead of this publisher, of anybody for None (an operator); NotFound otherwise."""
    lead = db.session.get(Lead, lead_id)
    if lead is None or publisher_id not in (None, lead.publisher_id):
        raise NotFound(detail="There is no lead with this id.")
    return lead


def leads_of(publisher_id: UUID, status: str | None, test: bool, after: UUID | None, limit: int) -> list[Lead]:
    """Return the publisher's test leads or the real ones, the newest first, optionally of one status."""
    query = select(Lead).where(Lead.publisher_id == publisher_id, Lead.test.is_(test))
    query = query.order_by(Lead.id.desc()).limit(limit)
    query = query.where(Lead.status == status) if status else query
    return list(db.session.scalars(query.where(Lead.id < after) if after else query))


def sales_of_leads(lead_ids: list[UUID]) -> dict[UUID, list[Sale]]:
    """Return the sales of each of these leads, the dearest first."""
    found: dict[UUID, list[Sale]] = {lead_id: [] for lead_id in lead_ids}
    query = select(Sale).where(Sale.lead_id.in_(lead_ids)).order_by(Sale.price_minor.desc(), Sale.id)
    for sale in db.session.scalars(query):
        found[sale.lead_id].append(sale)
    return found


def sales_with_credit(lead_ids: list[UUID]) -> tuple[dict[UUID, list[Sale]], dict[UUID, int], dict[UUID, bool]]:
    """Return what `sales_of_leads` does, and of each sale what of its price was paid from its buyer's credit line and
    whether its order has the right of return; without it only fraud counts.
    """
    found: dict[UUID, list[Sale]] = {lead_id: [] for lead_id in lead_ids}
    then = (OrderVersion.order_id == Sale.order_id) & (OrderVersion.version == Sale.order_version)
    query = select(Sale, func.billing.drawn_for(Sale.id), OrderVersion.terms["returns"]).outerjoin(OrderVersion, then)
    drawn, returnable = {}, {}
    query = query.where(Sale.lead_id.in_(lead_ids)).order_by(Sale.price_minor.desc(), Sale.id)
    for sale, minor, returns in db.session.execute(query):
        found[sale.lead_id].append(sale)
        drawn[sale.id], returnable[sale.id] = int(minor), returns is not False
    return found, drawn, returnable


def get_sale(buyer_id: UUID | None, sale_id: UUID) -> Sale:
    """Return one of the buyer's sales, of anybody for None (an operator); NotFound otherwise."""
    sale = db.session.get(Sale, sale_id)
    if sale is None or buyer_id not in (None, sale.buyer_id):
        raise NotFound(detail="There is no sale with this id.")
    return sale


def sales_of(buyer_id: UUID, state: str | None, after: UUID | None, limit: int) -> list[Sale]:
    """Return what the buyer bought, the newest first, optionally in one state."""
    query = select(Sale).where(Sale.buyer_id == buyer_id).order_by(Sale.id.desc()).limit(limit)
    query = query.where(Sale.state == state) if state else query
    return list(db.session.scalars(query.where(Sale.id < after) if after else query))


def leads_by_id(lead_ids: list[UUID]) -> dict[UUID, Lead]:
    """Return these leads by id."""
    return {lead.id: lead for lead in db.session.scalars(select(Lead).where(Lead.id.in_(lead_ids)))}


def disputes_of(account_id: UUID | None, state: str | None, after: UUID | None, limit: int) -> list[Dispute]:
    """Return the disputes that concern an account as buyer or publisher, all for None (an operator)."""
    query = select(Dispute).order_by(Dispute.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where((Dispute.buyer_id == account_id) | (Dispute.publisher_id == account_id))
    query = query.where(Dispute.state == state) if state else query
    return list(db.session.scalars(query.where(Dispute.id < after) if after else query))


def pending_of(publisher_id: UUID, currency: str) -> Pending:
    """Sum the publisher's open sales in a currency: a query, not a liability."""
    query = select(func.coalesce(func.sum(Sale.payout_minor), 0), func.count(), func.min(Sale.release_at))
    query = query.where(Sale.publisher_id == publisher_id, Sale.state.in_(OPEN_STATES), Sale.currency == currency)
    amount, count, next_release = db.session.execute(query).one()
    return Pending(int(amount), count, next_release)


def events_of(subject_id: UUID) -> list[Event]:
    """Return what happened to a subject, in order."""
    return list(db.session.scalars(select(Event).where(Event.subject_id == subject_id).order_by(Event.id)))


def unsealed(lead: Lead, vault: Vault) -> dict[str, Any]:
    """Return a lead's contact and comments in the clear; only for whoever bought it or sent it."""
    opened = opened_with(vault, lead.id, lead.contact, lead.contact_key)
    return {"contact": msgspec.to_builtins(opened.contact), "comments": opened.comments}


def opened_with(vault: Vault, lead_id: UUID, contact: bytes, contact_key: int) -> Sealed:
    """Open what is sealed of a lead, given as its columns: thousands are looked through faster than as rows."""
    return msgspec.json.decode(vault.open(contact, contact_key, lead_id), type=learned(Sealed))
