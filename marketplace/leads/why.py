"""Why a lead went where it went: every order of its vertical at that moment, in the order considered, by role.

What was tried is stored with the lead, by order and version; the rest is computed when asked, from the order versions
of that moment. A version may bear an instant from before the moment and be committed after it, or the other way round
where clocks differ: so what was tried never goes by the instant.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace as replaced
from sqlalchemy import select, text

from core.crypto import Vault
from core.db import db
from core.ids import show_id
from core.money import Money
from marketplace.catalog.regions import parents_of
from marketplace.catalog.shelf import vertical_by_book
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.models import FurtherSale
from marketplace.leads.decisions import Tried, tried_in
from marketplace.leads.delivery.endpoints import pauses_at
from marketplace.leads.facts import hour_of
from marketplace.leads.matching import LeadFacts, Listed
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.queries import unsealed
from marketplace.leads.source_codes import public_codes
from marketplace.leads.suppression.keeping_away import kept_away_of
from marketplace.leads.verdicts import price_of, verdicts
from marketplace.orders.ages import Aging
from marketplace.orders.filters import lead_fields
from marketplace.orders.terms import decode_terms
from marketplace.orders.where import PLACE

_VERSIONS_THEN = text(
    "SELECT DISTINCT ON (v.order_id) v.order_id, o.buyer_id, v.version, v.terms, EXISTS (SELECT FROM"
    " marketplace.suppressed_leads k WHERE k.lead_id = :lead AND k.buyer_id = o.buyer_id AND k.at <= :at)"
    " AS is_kept_away"
    " FROM marketplace.order_versions v JOIN marketplace.orders o ON o.id = v.order_id"
    " LEFT JOIN unnest(CAST(:orders AS uuid[]), CAST(:versions AS integer[])) AS tried (order_id, version)"
    " ON tried.order_id = v.order_id"
    " WHERE o.vertical_id = :vertical"
    " AND CASE WHEN tried.version IS NULL THEN v.at <= :at ELSE v.version = tried.version END"
    " ORDER BY v.order_id, v.version DESC"
)
SENTENCES = {
    "sold": "Bought the lead.",
    "outbid": "Another order ranked before this one.",
    "age": "The order buys leads of another age, or none that was sold before.",
    "filtered": "The lead does not meet the order's conditions.",
    "capped": "A cap or budget of the order is reached.",
    "buyer_capped": "A cap or budget of the buyer over all of his orders is reached.",
    "no_funds": "The buyer's wallet cannot pay the price.",
    "paused": "The order is paused.",
    "closed": "The order is outside its hours.",
    "region": "The order does not buy in this region.",
    "other_way": "Leads here are sold to one buyer only, or to several only, and this order buys the other way.",
    "share_full": "The lead is shared by as many buyers as the set allows.",
    "suppressed": "The buyer knows the person already.",
    "below_min": "The order bids less than the publisher's minimum.",
    "refused": "The buyer refused the lead when it was delivered.",
    "undeliverable": "The lead could not be delivered to the buyer in time.",
}
_ENDED = {"refused": "refused", "failed": "undeliverable"}  # how a sale that came to nothing is told
_ENDINGS = tuple(f"held>{state}" for state in _ENDED)
OF_A_TEST = SENTENCES | {"sold": "Would have bought the lead, were it no test."}


@dataclass(frozen=True, slots=True)
class Reason:
    """What became of one order for one lead; `detail` has the order's own figures, `sentence` nobody's."""

    order_id: UUID
    buyer_id: UUID
    outcome: str
    detail: str
    price_minor: int
    currency: str
    test: bool

    @property
    def public_outcome(self) -> str:
        """Return the outcome as strangers may know it: not whom a buyer knows, nor what limits him."""
        return {"suppressed": "filtered", "buyer_capped": "capped"}.get(self.outcome, self.outcome)

    @property
    def sentence(self) -> str:
        """Return what anybody may be told."""
        return (OF_A_TEST if self.test else SENTENCES)[self.public_outcome]


@dataclass(frozen=True, slots=True)
class Further:
    """A further offer of a lead, as it is told: its id, instant and decision, and what was known of the lead then."""

    id: UUID
    at: datetime
    decision: Mapping[str, Any]
    aging: Aging
    least_minor: int


def why(
    lead: Lead, vault: Vault, vertical: Vertical | None = None, further: Further | None = None
) -> list[Reason]:  # fmt: skip
    """Return the outcome of every order of the lead's vertical at its moment: those tried first, in their order.

    Empty when nobody was asked, as the lead was rejected before the market. `vertical` is that of
    then, read if not given. With `further` it tells of that offer instead of the first decision.
    """
    if lead.status == "rejected":
        return []
    decision, at = (further.decision, further.at) if further else (lead.decision, lead.received_at)
    tried = {one.order_id: one for one in tried_in(decision)}
    then, suppressed = _orders_then(lead, {order_id: one.version for order_id, one in tried.items()}, at)
    vertical = vertical or vertical_by_book(lead.vertical_id, decision["book"])
    facts = facts_of_stored(lead, vault, vertical, suppressed)
    if further is not None:
        facts = replaced(facts, aging=further.aging, min_price_minor=further.least_minor)
    then = {key: replaced(one, offered_minor=price_of(one.terms, facts)) for key, one in then.items()}
    reasons = [_tried(then[order_id], lead.test, one) for order_id, one in tried.items()]
    rest = sorted((each for each in then.values() if each.order_id not in tried),
                  key=lambda each: (-each.price_minor, each.order_id))  # fmt: skip
    paused = pauses_at({each.order_id: each.version for each in rest}, at)
    for verdict in verdicts(rest, facts, at):
        outcome, detail = verdict.outcome, verdict.detail
        if outcome == "wanted":
            pause = paused.get(verdict.order_id)
            outcome, detail = ("paused", f"endpoint_paused: {pause}") if pause else ("outbid", "")
        reasons.append(_reason(then[verdict.order_id], lead.test, outcome, detail))
    return _as_it_ended(lead, reasons, further.id if further else None)


def _as_it_ended(lead: Lead, reasons: list[Reason], offer_id: UUID | None) -> list[Reason]:
    """Tell of each order that bought the lead, at once or in another's place, what became of its sale."""
    query = select(Sale.order_id, Sale.state, Event.why).where(Sale.lead_id == lead.id)
    query = query.outerjoin(Event, (Event.subject_id == Sale.id) & Event.move.in_(_ENDINGS))
    query = query.outerjoin(FurtherSale, FurtherSale.sale_id == Sale.id)
    query = query.where(FurtherSale.offer_id.is_not_distinct_from(offer_id))
    ended = {order_id: (_ENDED.get(state, "sold"), why) for order_id, state, why in db.session.execute(query)}
    return [replace(each, outcome=ended[each.order_id][0], detail=ended[each.order_id][1] or "")
            if each.order_id in ended and ended[each.order_id][0] != each.outcome else each
            for each in reasons]  # fmt: skip


def _orders_then(
    lead: Lead, tried: dict[UUID, int], at: datetime
) -> tuple[dict[UUID, Listed], frozenset[UUID]]:  # fmt: skip
    """Return each order of the vertical as it was tried, or else as it stood at that moment, and from whom of their
    buyers the lead was kept away.
    """
    asked = {
        "lead": lead.id,
        "vertical": lead.vertical_id,
        "at": at,
        "orders": list(tried),
        "versions": [*tried.values()],
    }
    rows = db.session.execute(_VERSIONS_THEN, asked).all()
    found = {row.order_id: Listed(row.order_id, row.buyer_id, row.version, decode_terms(row.terms)) for row in rows}
    return found, frozenset(row.buyer_id for row in rows if row.is_kept_away)


def facts_of_stored(
    lead: Lead, vault: Vault, vertical: Vertical | None = None, suppressed: frozenset[UUID] | None = None
) -> LeadFacts:
    """Return what orders could judge a stored lead by; the same as at its intake, with the vertical of then.

    From which buyers it was kept away is asked for unless it is said.
    """
    details, regions = lead.details, parents_of(lead.region)
    fields = lead_fields(
        regions=regions, channel=details.get("channel"), interest=details.get("interest"), score=lead.score,
        temperature=lead.temperature, contact_class=lead.contact_class, contact=unsealed(lead, vault)["contact"],
        attributes=details.get("attributes", {}), source_name=lead.source_name,
        subs=details.get("source", {}).get("sub", {}), hour=hour_of(lead.region, lead.received_at),
        codes=public_codes(lead.publisher_id, lead.source_name),
    )  # fmt: skip
    if details.get(PLACE):
        fields[PLACE] = tuple(details[PLACE])
    said = details.get("min_price")
    asked = Money.parse(said["amount"], said["currency"]).minor if said else 0
    least = vertical.least_minor(regions, lead.contact_class) if vertical else 0
    return LeadFacts(
        regions, fields, lead.score, lead.temperature, lead.contact_class,
        exclusive_only=details.get("exclusive_only", False),
        min_price_minor=max(asked, least), asked_minor=asked, publisher_id=lead.publisher_id,
        suppressed=kept_away_of(lead.id) if suppressed is None else suppressed,
    )  # fmt: skip


def pseudonym(lead_id: UUID, order_id: UUID) -> str:
    """Name an order for somebody who may not know it: stable for one lead, unlinkable between leads."""
    return "order-" + hashlib.blake2s(order_id.bytes, key=lead_id.bytes, digest_size=5).hexdigest()


def show_reason(reason: Reason, lead_id: UUID, viewer: UUID | None) -> dict[str, Any]:
    """Show a reason to its buyer or an operator (None) with its figures, to others under a pseudonym without them."""
    if viewer in (None, reason.buyer_id):
        bid = Money(reason.price_minor, reason.currency).as_json()
        return {"order": show_id("ord", reason.order_id), "outcome": reason.outcome,
                "detail": reason.detail or reason.sentence, "bid": bid}  # fmt: skip
    alias = pseudonym(lead_id, reason.order_id)
    return {"order": alias, "outcome": reason.public_outcome, "detail": reason.sentence, "bid": None}


def _tried(listed: Listed, test: bool, tried: Tried) -> Reason:
    """Tell of an order that was tried, with the price that a ladder said."""
    reason = _reason(listed, test, tried.outcome, f"Reached: {tried.reached}." if tried.reached else "")
    return reason if tried.price_minor is None else replace(reason, price_minor=tried.price_minor)


def _reason(listed: Listed, test: bool, outcome: str, detail: str) -> Reason:
    terms = listed.terms
    return Reason(listed.order_id, listed.buyer_id, outcome, detail, listed.price_minor, terms.currency, test)
