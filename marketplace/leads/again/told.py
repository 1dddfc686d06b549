"""What is told of leads offered again: how one stands, each further offer, and what the buyer of one may know."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct, convert
from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.db import db
from core.errors import NotFound
from marketplace.leads.again.models import FurtherOffer, FurtherSale, KeptLead, KeptPlace
from marketplace.leads.again.places import places_of
from marketplace.leads.models import Lead
from marketplace.leads.why import Further
from marketplace.orders.ages import Aging


class Standing(NamedTuple):
    """How a lead stands: open, off or ended and why, until when it may be offered, and until when orders wait."""

    state: str
    why: str | None
    until: datetime | None
    waiting_until: datetime | None


class OfferTold(Struct, frozen=True):
    """A further offer as it is told."""

    id: UUID
    number: int
    at: datetime
    kind: str
    age_minutes: int
    bp: int
    ceiling_minor: int | None
    least_minor: int
    returned: str | None
    decision: dict[str, Any]
    sales: int


class Aged(NamedTuple):
    """What the buyer of an aged lead is told: its age then, whether others have it, and why one sent it back."""

    age_minutes: int
    resold: bool
    returned: str | None


_WAITING = select(func.max(KeptPlace.until_at)).where(KeptPlace.lead_id == Lead.id).scalar_subquery()
_MADE = select(func.count()).where(FurtherSale.offer_id == FurtherOffer.id).scalar_subquery()
_OFFERS = (
    select(func.jsonb_agg(aggregate_order_by(
        func.to_jsonb(literal_column("further_offers")).op("||")(func.jsonb_build_object("sales", _MADE)),
        FurtherOffer.number)))
    .select_from(FurtherOffer).where(FurtherOffer.lead_id == Lead.id).scalar_subquery()
)  # fmt: skip


def lead_with_offers(
    publisher_id: UUID | None, lead_id: UUID, at: datetime
) -> tuple[Lead, Standing | None, list[OfferTold]]:  # fmt: skip
    """Return a lead of this publisher, of anybody for None, with how it stands, and its further offers in their order.

    All of it in one statement; no standing for one that is never offered again, NotFound for anybody else's lead.
    """
    query = select(Lead, KeptLead, _WAITING, _OFFERS).outerjoin(KeptLead, KeptLead.lead_id == Lead.id)
    row = db.session.execute(query.where(Lead.id == lead_id)).one_or_none()
    if row is None or publisher_id not in (None, row[0].publisher_id):
        raise NotFound(detail="There is no lead with this id.")
    lead, kept, waiting, offers = row
    if kept is None:
        return lead, None, []
    waits = waiting if waiting and waiting > at and lead.status == "unsold" and kept.state == "open" else None
    state = "ended" if kept.why == "sold" else kept.state  # it is open until its sale cannot come to nothing any more
    return lead, Standing(state, kept.why, kept.ends_at, waits), convert(offers or [], list[OfferTold])


def further(lead_id: UUID, number: int) -> Further:
    """Return one of a lead's further offers as `why` tells of it; NotFound when there is none of this number."""
    query = select(FurtherOffer).where(FurtherOffer.lead_id == lead_id, FurtherOffer.number == number)
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(detail="There is no further offer of this number.")
    places = places_of(lead_id, row.at) if row.kind == "waiting" else frozenset[UUID]()
    aging = Aging(row.age_minutes, row.bp, row.ceiling_minor, row.returned, places)
    return Further(row.id, row.at, row.decision, aging, row.least_minor)


def told_of(sale: FurtherSale | None, offer: FurtherOffer | None) -> Aged | None:
    """Return what a buyer is told of a sale's further offer, None when it was of a lead as it came."""
    return Aged(offer.age_minutes, sale.resale > 0, offer.returned) if sale and offer else None


def aged_of(sale_ids: Iterable[UUID]) -> dict[UUID, Aged]:
    """Return what buyers are told of those of these sales that further offers made."""
    if not (wanted := list(sale_ids)):
        return {}
    query = select(FurtherSale.sale_id, FurtherSale.resale, FurtherOffer.age_minutes, FurtherOffer.returned)
    query = query.join(FurtherOffer, FurtherOffer.id == FurtherSale.offer_id)
    rows = db.session.execute(query.where(FurtherSale.sale_id.in_(wanted)))
    return {row.sale_id: Aged(row.age_minutes, row.resale > 0, row.returned) for row in rows}
