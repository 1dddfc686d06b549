"""A stored decision run again: the model chooses anew among those who were tried, by the rules and terms of then.

What only the moment knew is stored with the decision: who could not buy and why, and, as the order in which candidates
were tried, whose turn it was among those who rank equally. Everything else is asked of the versions of that moment.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select, tuple_

from core.db import db
from core.errors import NotFound
from marketplace.catalog.shelf import vertical_by_book
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.models import FurtherOffer
from marketplace.leads.auction import CHOSEN, FIRST, WEIGHTED, Candidate, Rules, choose
from marketplace.leads.decisions import Tried, is_short, tried_in, written
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead
from marketplace.leads.why import facts_of_stored
from marketplace.orders.ages import Aging, paid_for
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.prices import price_for
from marketplace.orders.terms import OrderTerms, decode_terms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Replay:
    """A decision as it is stored, and as it comes out now; a lead that was never offered has none."""

    stored: str
    again: str

    @property
    def is_same(self) -> bool:
        """Tell whether both are the same, byte for byte."""
        return self.stored == self.again


def replay(lead_id: UUID) -> Replay:
    """Run a lead's decision again; NotFound when there is no such lead."""
    row = db.session.execute(
        select(Lead, cast(Lead.decision, Text).label("stored")).where(Lead.id == lead_id)
    ).one_or_none()
    if row is None:
        raise NotFound(detail="There is no lead with this id.")
    lead, stored = row
    return _again(lead, lead.decision, stored)


def replays(lead_id: UUID) -> list[Replay]:
    """Run a lead's decision and those of its further offers again, in their order; NotFound as `replay`."""
    first = replay(lead_id)
    query = select(FurtherOffer, cast(FurtherOffer.decision, Text).label("stored")).where(
        FurtherOffer.lead_id == lead_id
    )
    query = query.where(FurtherOffer.lead_id == lead_id).order_by(FurtherOffer.number)
    offers = db.session.execute(query).all()
    lead = db.session.get_one(Lead, lead_id) if offers else None
    return [first, *(_again(lead, offer.decision, stored, offer) for offer, stored in offers if lead is not None)]


def _again(lead: Lead, decision: dict[str, Any], stored: str, offer: FurtherOffer | None = None) -> Replay:
    tried = tried_in(decision)
    if not tried:
        return Replay(stored, stored)
    vertical = vertical_by_book(lead.vertical_id, decision["book"])
    chosen = choose(
        _candidates(lead, vertical, tried, offer),
        _rules(vertical, lead, offer),
        exclusive_only=lead.details.get("exclusive_only", False),
    )
    by_id = {one.order_id: one for one in tried}
    told = [_told_again(by_id[order_id], outcome) for order_id, outcome in chosen.outcomes]
    outcome = "sold" if chosen.orders else "unsold"
    return Replay(stored, written(decision["book"], outcome, told, short=is_short(decision)))


def _candidates(lead: Lead, vertical: Vertical, tried: list[Tried], offer: FurtherOffer | None) -> list[Candidate]:
    """Return those who were tried, whose last purchases stand for the order in which they were."""
    terms = _terms_then([(one.order_id, one.version) for one in tried])
    goes_by_lead = any(said.modifiers for _, said in terms.values())
    fields = facts_of_stored(lead, desk().vault, vertical).fields if goes_by_lead else {}
    aging = Aging(offer.age_minutes, offer.bp, offer.ceiling_minor) if offer else None
    found = []
    for turn, one in enumerate(tried):
        buyer_id, said = terms[one.order_id, one.version]
        price = price_for(said, fields) if one.price_minor is None else one.price_minor  # a ladder's is stored
        price, most = paid_for(price, said.age, aging), 1 if _is_alone(offer) else said.max_share
        found.append(Candidate(
            one.order_id, buyer_id, price, most, _EPOCH + timedelta(seconds=turn),
            None if one.outcome in CHOSEN else one.outcome, said.priority or None,
            is_deal=said.deal is not None,
        ))  # fmt: skip
    return found


def _terms_then(asked: list[tuple[UUID, int]]) -> dict[tuple[UUID, int], tuple[UUID, OrderTerms]]:
    query = select(OrderVersion.order_id, OrderVersion.version, Order.buyer_id, OrderVersion.terms)
    query = query.join(Order, Order.id == OrderVersion.order_id)
    rows = db.session.execute(query.where(tuple_(OrderVersion.order_id, OrderVersion.version).in_(asked)))
    return {(row.order_id, row.version): (row.buyer_id, decode_terms(row.terms)) for row in rows}


def _is_alone(offer: FurtherOffer | None) -> bool:
    """Tell whether a lead was offered that somebody had bought: to one buyer more."""
    return offer is not None and offer.ceiling_minor is not None


def _rules(vertical: Vertical, lead: Lead, offer: FurtherOffer | None) -> Rules:
    """Return the rules of then; by target share, whose turn it was stands in the decision alone."""
    rule, ceiling = vertical.distribution.rule, vertical.share.buyers_ceiling
    most = min(ceiling, lead.details.get("most_buyers") or ceiling)
    way = FIRST if _is_alone(offer) else vertical.distribution.way
    return Rules("round_robin" if rule == WEIGHTED else rule, way, most)


def _told_again(tried: Tried, outcome: str) -> Tried:
    """Return what is told of a candidate now, with the figures that were stored, unless it comes out otherwise."""
    if outcome == tried.outcome or outcome in CHOSEN:
        return tried._replace(outcome=outcome)
    return Tried(tried.order_id, tried.version, outcome)
