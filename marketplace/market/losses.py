"""Why an order lost, by day: exactly, where it was tried for a lead; by a sample judged anew, for all that was offered.

What was tried stands in the stored decisions, counted into days (`counting.py`). Whoever bids too little, is paused or
wants other leads is never tried: so a bounded sample of a day's leads is judged anew by the order's versions of those
moments, whole when the day had fewer. Prices are told only where enough buyers had the leads, and rounded up, so that
nobody's bid can be read from them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select

from core.crypto import Vault
from core.db import db
from core.overrides import overrides
from core.sentences import sentences
from marketplace.leads.auction import SOLD
from marketplace.leads.delivery.endpoints import paused_by_version
from marketplace.leads.models import Lead, Sale
from marketplace.leads.pages import LeadFacts
from marketplace.leads.suppression.keeping_away import TOGETHER
from marketplace.leads.suppression.rows import SuppressedLead
from marketplace.leads.verdicts import WANTED, judge, missed
from marketplace.leads.why import facts_of_stored
from marketplace.market.counting import bounds_of, loss_of, sales_of
from marketplace.market.decided import Decided, Decisions, Offered
from marketplace.market.histograms import added, number_at
from marketplace.market.rows import OrderDay
from marketplace.market.steps import step_above
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

SHOWN_DAYS = 14
FEW_BUYERS = "few_buyers"
LOSSES: Mapping[str, str] = sentences({
    "won": "Bought by this order.",
    "price": "Another order bid more.",
    "below_min": "The lead asked for more than this order bids.",
    "cap": "A cap or budget of this order was reached.",
    "pace": "The pace of this order held it back at that moment.",
    "funds": "The wallet could not pay the price.",
    "paused": "This order, or the endpoint of its deliveries, was paused.",
    "closed": "This order was outside its hours.",
    "seats": "The lead was shared by as many buyers as the set allows.",
    "own_order": "Another of your orders bought it.",
    "other_way": "The lead was sold to one buyer only, or to several only, and this order buys the other way.",
    "undelivered": "It was chosen, and the delivery was refused or failed.",
    "suppressed": "The person is on a list of yours that keeps leads away.",
    "duplicate": "You have this person already.",
    "region": "The lead lies outside the regions of this order.",
    "filtered": "The lead does not meet the conditions of this order.",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Winning:
    """At which price half, and nine of ten, of the leads lost to price would have been won; or why that is not told."""

    leads: int
    median_minor: int | None
    p90_minor: int | None
    withheld: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the leads for which the order was tried on a day."""

    day: date
    outcomes: Mapping[str, int]
    winning: Winning

    @property
    def leads(self) -> int:
        """Return for how many leads the order was tried."""
        return sum(self.outcomes.values())

    @property
    def won(self) -> int:
        """Return how many it bought."""
        return self.outcomes.get("won", 0)


@dataclass(frozen=True, slots=True)
class Missed:
    """A rule of the order and how many leads it kept away: of them, how many it alone did."""

    rule: str
    leads: int
    alone: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What would have become of `looked_at` of the `offered` leads of a day in the vertical, for this order."""

    offered: int
    looked_at: int
    outcomes: Mapping[str, int]
    winning: Winning
    missed: Sequence[Missed]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Losses:
    """Why an order lost: of some days until the one asked for, and that day by a sample."""

    order_id: UUID
    currency: str
    day: date
    days: Sequence[Asked]
    together: Winning
    sample: Sample

    @property
    def asked(self) -> Asked:
        """Return the day asked for."""
        return self.days[-1]


@dataclass(slots=True)
class _Seen:
    outcomes: Counter[str] = field(default_factory=Counter)
    prices: Counter[int] = field(default_factory=Counter)
    winners: set[UUID] = field(default_factory=set)
    rules: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)


def losses_of(order: Order, day: date, vault: Vault, shown: int = SHOWN_DAYS) -> Losses:
    """Return why an order lost on a day, and on the days before it; whose order it is was asked before."""
    since = day - timedelta(days=shown - 1)
    days, together = asked_days(order.id, since, day)
    currency = str(order.terms["currency"])
    return Losses(order.id, currency, day, days, together, _sample(order, day, vault))


def asked_days(order_id: UUID, since: date, until: date) -> tuple[list[Asked], Winning]:
    """Return the days of an order by the stored decisions, none left out, and what would have won on all together."""
    query = select(OrderDay).where(OrderDay.order_id == order_id, OrderDay.day.between(since, until))
    rows = {row.day: row for row in db.session.scalars(query)}
    days = [since + timedelta(days=after) for after in range((until - since).days + 1)]
    found = [
        Asked(one, row.outcomes, winning([row.prices], row.winners))
        if (row := rows.get(one)) is not None else Asked(one, {}, winning([], ()))
        for one in days
    ]  # fmt: skip
    return found, winning([row.prices for row in rows.values()], [one for row in rows.values() for one in row.winners])


def winning(prices: Iterable[Mapping[str, int]], winners: Iterable[UUID]) -> Winning:
    """Tell at which round price leads would have been won, unless too few buyers had them to hide what they bid."""
    counts = added(prices)
    leads, middle, high = sum(counts.values()), number_at(counts, 0.5), number_at(counts, 0.9)
    if middle is None or high is None:
        return Winning(0, None, None, None)
    if len(set(winners)) < overrides().setting("market.least_buyers"):
        return Winning(leads, None, None, FEW_BUYERS)
    return Winning(leads, step_above(middle), step_above(high), None)


def _sample(order: Order, day: date, vault: Vault) -> Sample:
    start, end = bounds_of(day)
    by_chance = func.substr(func.uuid_send(Lead.id), 9)  # the part of an id that says nothing of its moment
    is_away = exists().where(SuppressedLead.lead_id == Lead.id, SuppressedLead.buyer_id == order.buyer_id)
    query = select(Lead, is_away, func.count().over()).where(
        Lead.vertical_id == order.vertical_id, Lead.received_at >= start, Lead.received_at < end,
        Lead.test.is_(False), Lead.status.in_(("sold", "unsold")), ~_is_private(order),
    )  # fmt: skip
    rows = db.session.execute(query.order_by(by_chance).limit(overrides().setting("market.sample_leads"))).all()
    leads = [row[0] for row in rows]
    seen, judged = _Seen(), _Judge(order, leads, end, vault)
    judged.away = {row[0].id for row in rows if row[1]}
    for lead in leads:
        judged.count(lead, seen)
    rules = [Missed(rule, times, seen.alone[rule]) for rule, times in seen.rules.most_common()]
    told = winning([{str(price): times for price, times in seen.prices.items()}], seen.winners)
    offered = rows[0][2] if rows else 0
    return Sample(offered, sum(seen.outcomes.values()), _in_tens(seen.outcomes), told, rules, offered == len(rows))


def _is_private(order: Order) -> Any:
    """Ask whether a private deal other than this order bought a lead: it never was on the market, nor is it counted."""
    deal = select(Sale.id).join(Order, Order.id == Sale.order_id)
    deal = deal.where(Sale.lead_id == Lead.id, Order.terms["deal"].as_string().is_not(None), Sale.order_id != order.id)
    return deal.correlate(Lead).exists()


def _in_tens(outcomes: Counter[str]) -> dict[str, int]:
    """Tell in full tens whom lists of the buyer's kept away, as the lists do; the others do not meet the order."""
    some = outcomes["suppressed"] % TOGETHER
    return +(outcomes + Counter(filtered=some) - Counter(suppressed=some))


class _Judge:
    """Judges leads by the versions that the order had when they came, as the intake did."""

    def __init__(self, order: Order, leads: Sequence[Lead], until: datetime, vault: Vault) -> None:
        self._order, self._vault = order, vault
        offered = [_offered(lead) for lead in leads]
        self._decisions = Decisions()
        self._decided = {one.id: said for one, said in zip(offered, self._decisions.read(offered), strict=True)}
        self._sold = sales_of(offered)
        self._offered = {one.id: one for one in offered}
        known = select(OrderVersion).where(OrderVersion.order_id == order.id, OrderVersion.at < until)
        rows = db.session.scalars(known.order_by(OrderVersion.version)).all()
        self._versions = [(row.at, row.version, decode_terms(row.terms)) for row in rows]
        self._pauses = paused_by_version(order.id, until) if any(row.endpoint for row in rows) else {}
        self.away: set[UUID] = set()  # from whose buyer these leads were kept away

    def count(self, lead: Lead, seen: _Seen) -> None:
        """Count what became of one lead; one that a private deal bought never was on the market."""
        decided = self._decided[lead.id]
        tried = next((one for one in decided.tried if one.order_id == self._order.id), None)
        if decided.is_private and tried is None:
            return
        winners = {one.buyer_id for one in decided.tried if one.outcome == SOLD}
        if tried is not None:
            buying = {sale.order_id for sale in self._sold.get(lead.id, ())}
            self._add(seen, loss_of(tried, winners, buying), decided, tried.terms, winners)
        elif (then := self._version_at(lead.received_at)) is not None:
            version, terms = then
            facts = self._facts(lead)
            code = self._untried(lead, version, terms, facts)
            is_own = code == "price" and self._order.buyer_id in winners
            self._add(seen, "own_order" if is_own else code, decided, terms, winners)
            rules = list(missed(terms, facts)) if terms.status == "active" else []
            seen.rules.update(rules)
            seen.alone.update(rules if len(rules) == 1 else [])

    def _facts(self, lead: Lead) -> LeadFacts:
        vertical = self._decisions.vertical_of(self._offered[lead.id])
        return facts_of_stored(lead, self._vault, vertical, frozenset())

    def _untried(self, lead: Lead, version: int, terms: OrderTerms, facts: LeadFacts) -> str:
        outcome, _ = judge(terms, facts, lead.received_at)
        if outcome != WANTED:
            return outcome
        if lead.id in self.away:
            return "suppressed"
        pauses = [is_paused for at, is_paused in self._pauses.get(version, ()) if at <= lead.received_at]
        return "paused" if pauses and pauses[-1] else "price"

    def _add(self, seen: _Seen, code: str, decided: Decided, terms: OrderTerms, winners: set[UUID]) -> None:
        seen.outcomes[code] += 1
        if code == "price" and (price := decided.would_win(terms.max_share, self._order.id)) is not None:
            seen.prices[price] += 1
            seen.winners |= winners

    def _version_at(self, at: datetime) -> tuple[int, OrderTerms] | None:
        known = [(version, terms) for since, version, terms in self._versions if since <= at]
        return known[-1] if known else None


def _offered(lead: Lead) -> Offered:
    said: dict[str, Any] = lead.details
    return Offered(lead.id, lead.publisher_id, lead.vertical_id, lead.region, lead.contact_class, lead.temperature,
                   lead.source_name, lead.received_at, said.get("min_price"), bool(said.get("exclusive_only")),
                   said.get("most_buyers"), lead.decision)  # fmt: skip
