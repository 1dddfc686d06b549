"""What is told of leads offered again: how one stands, each further offer, and what the buyer of one may know."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import NotFound
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.deciding import ends
from marketplace.leads.again.looking import limits_of
from marketplace.leads.again.models import FurtherOffer, FurtherSale, KeptLead
from marketplace.leads.again.places import places_of, waiting_until
from marketplace.leads.models import Lead
from marketplace.leads.why import Further
from marketplace.orders.ages import Aging


class Standing(NamedTuple):
    """How a lead stands: open, off or ended and why, until when it may be offered, and until when orders wait."""

    state: str
    why: str | None
    until: datetime
    waiting_until: datetime | None


class Aged(NamedTuple):
    """What the buyer of an aged lead is told: its age then, whether others have it, and why one sent it back."""

    age_minutes: int
    resold: bool
    returned: str | None


def standing_of(lead: Lead, vertical: Vertical) -> Standing | None:
    """Return how a lead stands, None for one that is never offered again."""
    kept = db.session.get(KeptLead, lead.id)
    if kept is None:
        return None
    until, _ = ends(lead.received_at, lead.details, lead.status == "sold", limits_of(vertical, kept.country))
    return Standing(kept.state, kept.why, until, waiting_until(lead.id) if lead.status == "unsold" else None)


def offers_of(lead_id: UUID) -> Sequence[FurtherOffer]:
    """Return the further offers of a lead in their order."""
    query = select(FurtherOffer).where(FurtherOffer.lead_id == lead_id).order_by(FurtherOffer.number)
    return db.session.scalars(query).all()


def sales_by_offer(offers: Iterable[FurtherOffer]) -> dict[UUID, int]:
    """Return how many sales each of these offers made."""
    query = select(FurtherSale.offer_id, func.count()).where(FurtherSale.offer_id.in_([one.id for one in offers]))
    return {row[0]: row[1] for row in db.session.execute(query.group_by(FurtherSale.offer_id))}


def further(lead_id: UUID, number: int) -> Further:
    """Return one of a lead's further offers as `why` tells of it; NotFound when there is none of this number."""
    query = select(FurtherOffer).where(FurtherOffer.lead_id == lead_id, FurtherOffer.number == number)
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(detail="There is no further offer of this number.")
    places = places_of(lead_id, row.at) if row.kind == "waiting" else frozenset[UUID]()
    aging = Aging(row.age_minutes, row.bp, row.ceiling_minor, row.returned, places)
    return Further(row.id, row.at, row.decision, aging, row.least_minor)


def aged_of(sale_ids: Iterable[UUID]) -> dict[UUID, Aged]:
    """Return what buyers are told of those of these sales that further offers made."""
    query = select(FurtherSale.sale_id, FurtherSale.resale, FurtherOffer.age_minutes, FurtherOffer.returned)
    query = query.join(FurtherOffer, FurtherOffer.id == FurtherSale.offer_id)
    rows = db.session.execute(query.where(FurtherSale.sale_id.in_(list(sale_ids))))
    return {row.sale_id: Aged(row.age_minutes, row.resale > 0, row.returned) for row in rows}
