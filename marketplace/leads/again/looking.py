"""One look at a lead that is kept: it ends, waits, or is offered to the orders that want it at its age, by one worker.

The lead's lock is taken before the kept row's, as everywhere. A sale ends the transaction's work: the locks of two sets
of buyers would be taken in no order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select

from core.db import db
from core.outbox import announce
from core.overrides import overrides
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.deciding import Chance, Limits, PastSale, chance_of, ends, next_step
from marketplace.leads.again.models import FurtherSale, KeptLead
from marketplace.leads.again.offering import Offered, offer
from marketplace.leads.again.places import keep_places, places_of
from marketplace.leads.again.seeking import KeptFrom, come_back
from marketplace.leads.books import LiveVertical
from marketplace.leads.desk import desk
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.events import move
from marketplace.leads.matching import LeadFacts
from marketplace.leads.models import Lead, Sale
from marketplace.leads.sources.models import SourceRule
from marketplace.leads.why import facts_of_stored
from marketplace.orders.ages import Aging, band_of
from marketplace.orders.models import OrderVersion
from marketplace.orders.standing import band_bp

ACTOR = "system:again"
LATER = timedelta(days=1)
A_MOMENT = timedelta(minutes=1)
UNDECIDED = ("open", "appealed")


class Known(NamedTuple):
    """What a look is about: the kept lead, the lead itself, its vertical as it trades, and the source's rule."""

    kept: KeptLead
    lead: Lead
    live: LiveVertical
    rule: SourceRule | None
    sales: Sequence[PastSale]


def look(lead_id: UUID, at: datetime) -> bool | None:
    """Look at a kept lead that is due; None when somebody has it or it is not due.

    True when it was sold or kept orders waiting: other locks are taken then, and the transaction must end.
    """
    query = select(Lead).where(Lead.id == lead_id).with_for_update(skip_locked=True)
    lead = db.session.scalar(query, execution_options={"populate_existing": True})
    if lead is None:
        return None
    mine = select(KeptLead).where(KeptLead.lead_id == lead_id).with_for_update(skip_locked=True)
    kept = db.session.scalar(mine, execution_options={"populate_existing": True})
    if kept is None or kept.due_at is None or kept.due_at > at:
        return None
    live = _live(lead)
    rule = db.session.get(SourceRule, (lead.publisher_id, lead.source_name, lead.vertical_id))
    known = Known(kept, lead, live, rule, past_sales(lead.id))
    kept.looks += 1
    if rule is not None and not rule.offered_again:
        _close(kept, "off", "source_off", at)
        return False
    return _go_on(known, at)


def _live(lead: Lead) -> LiveVertical:
    """Return the vertical with its book as it is now: who looks at no order would never learn that it is stale."""
    row, books = db.session.get_one(VerticalRow, lead.vertical_id), desk().intake.books
    live = books.find(row.slug)
    while live is None or live.book.version < row.book_version:
        live = books.reload(row.slug, live)
    return live


def _go_on(known: Known, at: datetime) -> bool:
    kept, lead = known.kept, known.lead
    age = int((at - lead.received_at).total_seconds()) // 60
    bp = band_bp(known.live.vertical, band_of(age))
    limits = limits_of(known.live.vertical, kept.country)
    chance = chance_of(lead.received_at, lead.details, known.sales, limits, bp, at)
    kept.ends_at = ends(lead.received_at, lead.details, bool(known.sales), limits)[0]
    if chance.ended is not None:
        _close(kept, "ended", chance.ended, at)
        return False
    if lead.status == "pending":
        chance = Chance(later=at + A_MOMENT, reason="pending")
    elif (lead.publisher_id, lead.source_name) in known.live.paused_sources:
        chance = Chance(later=at + LATER, reason="source_paused")
    kept.why, kept.due_at = chance.reason, chance.later
    if chance.later is not None:
        return False
    may_wait = kept.looks == 1 and not known.sales and (known.rule is None or known.rule.waits)
    kept_from = keep_places(lead, known.live, at) if may_wait else []
    places = frozenset[UUID]() if known.sales else places_of(lead.id, at)  # kept of a lead that nobody bought
    aging = Aging(age, bp, chance.ceiling_minor, chance.returned, places)
    return _offer(known, chance, aging, kept_from, at)


def _offer(known: Known, chance: Chance, aging: Aging, kept_from: list[KeptFrom], at: datetime) -> bool:
    """Offer a lead to those who keep a place first, then to whoever buys its age; say when to look again.

    Orders learn last what kept them away: a sale that comes after would wait for counters while we hold their rows.
    """
    facts = facts_again(known, aging)
    taken = {sale.buyer_id for sale in known.sales}
    found = Offered("nobody")
    for kind in ("waiting", chance.kind) if aging.places else (chance.kind,):
        found = offer(known.lead, known.live, facts, kind, taken, ACTOR, at)
        kept_from += found.kept_from
        if found.outcome not in ("unsold", "nobody"):
            break
    if found.outcome == "sold":
        _sold(known, found, at)
    elif found.outcome == "duplicate":
        _close(known.kept, "ended", "duplicate", at)
    else:
        _sleep(known, aging, found.outcome, at)
    if not come_back(kept_from, at, known.lead.region) and found.outcome in ("unsold", "nobody"):
        known.kept.due_at = at + A_MOMENT
    return found.outcome == "sold" or bool(kept_from)


def _sleep(known: Known, aging: Aging, outcome: str, at: datetime) -> None:
    """Look again when the lead's price falls, an order begins to buy its age, or it may be offered no longer."""
    kept, lead, book = known.kept, known.lead, known.live.book
    if outcome in ("behind", "stale", "publisher_paused"):
        kept.why, kept.due_at = outcome, at + (LATER if outcome == "publisher_paused" else A_MOMENT)
        return
    edges = [one.terms.age.from_minutes for one in book.aging if one.terms.age is not None]
    until = kept.ends_at or at
    step = next_step(lead.received_at, aging.age_minutes, edges)
    kept.due_at = min(step or until, until) if edges or aging.places else until


def _sold(known: Known, found: Offered, at: datetime) -> None:
    """Let the lead be sold and tell all concerned; a day on it ends, unless its consent lets others have it later."""
    kept, lead = known.kept, known.lead
    move(lead, "sold", ACTOR, at)
    lets = (lead.details.get("consent") or {}).get("resale") is True
    kept.why, kept.due_at = "inside_window" if lets else "sold", at + LATER
    accounts = [str(lead.publisher_id), *map(str, found.buyers)]
    announce("notice", {"event": "lead.sold", "at": at.isoformat(), "accounts": accounts,
                        "data": {"lead": str(lead.id), "reasons": []}})  # fmt: skip


def facts_again(known: Known, aging: Aging) -> LeadFacts:
    """Return what orders judge a lead by at its age: its least price falls, the publisher's only by his own word."""
    lead, live = known.lead, known.live
    facts = facts_of_stored(lead, desk().vault, live.vertical, frozenset())
    asked = facts.asked_minor
    if known.rule is not None and known.rule.aged_min_price_minor is not None and aging.bp < 10_000:
        asked = known.rule.aged_min_price_minor
    least = least_again(live.vertical, facts, aging)
    return replace(facts, aging=aging, asked_minor=asked, min_price_minor=max(least, asked))


def least_again(vertical: Vertical, facts: LeadFacts, aging: Aging) -> int:
    """Return the least that is paid for a lead of this age: the vertical's, by the same percentage as its price."""
    least = max(vertical.min_price.minor, vertical.least_minor(facts.regions, facts.contact_class))
    least = -(-least * aging.bp // 10_000)
    least = least if aging.returned is None else -(-least * _of(vertical, "aged.returned_bp") // 10_000)
    return max(least, 1)  # nothing is given away, whatever the percentages say


def limits_of(vertical: Vertical, country: str) -> Limits:
    """Return how long leads of a country may be offered again in a vertical, and how often they are resold."""
    said = overrides()

    def kept(key: str) -> int:
        return int(vertical.setting(key, said.of_country(country), exchange=said.exchange))

    return Limits(vertical.consent.max_age_days, _of(vertical, "aged.most_days"), kept("retention.unsold_days"),
                  kept("retention.sold_months"), _of(vertical, "aged.most_resales"),
                  _of(vertical, "aged.returned_bp"))  # fmt: skip


def past_sales(lead_id: UUID) -> list[PastSale]:
    """Return the sales of a lead, the earliest first, each with the reason of a claim that was not rejected."""
    then = (OrderVersion.order_id == Sale.order_id) & (OrderVersion.version == Sale.order_version)
    query = select(Sale, Dispute.reason, Dispute.state, OrderVersion.terms["deal"].astext, FurtherSale.resale)
    query = query.join(OrderVersion, then, isouter=True).join(FurtherSale, FurtherSale.sale_id == Sale.id, isouter=True)
    query = query.join(Dispute, (Dispute.sale_id == Sale.id) & (Dispute.state != "rejected"), isouter=True)
    query = query.where(Sale.lead_id == lead_id)
    return [
        PastSale(sale.id, sale.buyer_id, sale.state, sale.price_minor, sale.sold_at, sale.window_ends_at,
                 None if state in UNDECIDED else claim, deal is not None, state in UNDECIDED, resale or 0)
        for sale, claim, state, deal, resale in db.session.execute(query.order_by(Sale.sold_at, Sale.id))
    ]  # fmt: skip


def _of(vertical: Vertical, key: str) -> int:
    return int(vertical.setting(key, exchange=overrides().exchange))


def _close(kept: KeptLead, state: str, why: str, at: datetime) -> None:
    kept.due_at, kept.why = None, why
    move(kept, state, ACTOR, at, why)
