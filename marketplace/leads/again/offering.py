"""A further offer: the orders that want a kept lead at its age, asked in one call of the database, kept as it ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from core.db import db
from core.ids import new_id
from marketplace.leads.again.seeking import KEPT_FROM, KeptFrom
from marketplace.leads.auction import EXCLUSIVE_ONLY, FIRST, SHARED_ONLY
from marketplace.leads.books import LiveVertical
from marketplace.leads.decisions import tried_in
from marketplace.leads.matching import LeadFacts, Listed
from marketplace.leads.models import Lead
from marketplace.leads.offers import array, offer_of, rules_of
from marketplace.leads.recognised import keys_of
from marketplace.leads.suppression.keeping_away import kept_away_now
from marketplace.leads.verdicts import verdict_of
from marketplace.orders.prices import price_for
from marketplace.orders.terms import MAX_SHARE

ALONE = ("resale", "returned")
_OFFER = (
    "SELECT marketplace.offer_again(ROW(%s,%s,0,%s,%s,%s,%s,%s,%s,%s,'null')::marketplace.further_offers, %s, %s,"
    " ROW(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)::marketplace.offer,"
    " ROW(%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)::marketplace.rules, %s)"
)


class Offered(NamedTuple):
    """What came of an offer: as the database says, or `nobody` when no order wants the lead.

    `kept_from` are orders that their caps, hours or money alone kept from it.
    """

    outcome: str
    buyers: tuple[UUID, ...] = ()
    kept_from: Sequence[KeptFrom] = ()


def offer(
    lead: Lead, live: LiveVertical, facts: LeadFacts, kind: str, taken: set[UUID], actor: str, at: datetime
) -> Offered:
    """Offer a locked lead to those who want it and have not bought it: who keeps a place when it is `waiting`."""
    assert facts.aging is not None
    keys = keys_of(lead)
    suppressed = kept_away_now(lead.id, keys, live.suppressing, at)
    places, facts = facts.aging.places, replace(facts, suppressed=suppressed)
    way = FIRST if kind in ALONE else live.vertical.distribution.way
    fit = [
        replace(one, terms=replace(one.terms, max_share=1)) if kind in ALONE else one
        for one in live.book.again(facts, at)
        if one.buyer_id not in taken and (one.order_id in places) == (kind == "waiting")
        and not (kind in ALONE and live.vertical.distribution.way == (
            SHARED_ONLY if one.terms.exclusive else EXCLUSIVE_ONLY))
    ]  # fmt: skip
    closed = [(one, "closed") for one in live.book.aging_for(facts) if verdict_of(one, facts, at)[0] == "closed"]
    if not fit:
        return Offered("nobody", kept_from=closed)
    said = _ask(lead, live, facts, kind, fit, keys, way, actor, at)
    words = {one.order_id: one.outcome for one in tried_in(said)}
    kept_from = [(one, word) for one in fit if (word := words.get(one.order_id, "")) in KEPT_FROM]
    return Offered(said["outcome"], tuple(UUID(one) for one in said.get("buyers", ())), [*closed, *kept_from])


def _ask(
    lead: Lead, live: LiveVertical, facts: LeadFacts, kind: str, fit: Sequence[Listed], keys: tuple[bytes, ...],
    way: str, actor: str, at: datetime,
) -> dict[str, Any]:  # fmt: skip
    aging, most = facts.aging, lead.details.get("most_buyers") or MAX_SHARE
    assert aging is not None
    bids = array([price_for(one.terms, facts.fields) for one in fit])
    falls = array(["t" if one.terms.age is None or one.terms.age.falls else "f" for one in fit])
    values = (
        new_id(), lead.id, at, kind, aging.age_minutes, aging.bp, aging.ceiling_minor if kind in ALONE else None,
        facts.min_price_minor, aging.returned, bids, falls, *offer_of(list(fit), True, live, at),
        *rules_of(live, keys, facts.asked_minor, facts.min_price_minor, most, way=way), actor,
    )  # fmt: skip
    said: dict[str, Any] = db.session.connection().exec_driver_sql(_OFFER, values).scalar_one()
    return said
