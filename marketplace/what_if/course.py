"""The run: two courses of the same leads side by side, what happened and what would have, lead by lead.

What happened goes by the record. What would have asks of each lead who may buy it now; where that question is what it
was when the lead came, the record's answer stands, else the model gives one (`leads/auction.py`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from marketplace.leads.auction import OTHER_WAY, OUTBID, SHARE_FULL, SOLD, choose
from marketplace.what_if.fates import Fate, fate_of
from marketplace.what_if.happened import (
    EndpointTurned,
    Fact,
    LeadCame,
    MoneyMoved,
    OrderSaid,
    Record,
    SoldElsewhere,
)
from marketplace.what_if.supposing import Supposed
from marketplace.what_if.tally import Tally
from marketplace.what_if.world import Question, Terms, World

NO_ORDER = "no_order"  # nobody wanted the lead
_CHOSEN = (SOLD, OUTBID, SHARE_FULL, OTHER_WAY)  # what the choice itself says; all else kept a candidate from buying


class Sold(Struct, frozen=True):
    """A sale of one course: as it was made, and as it comes out."""

    order_id: UUID
    buyer_id: UUID
    price_minor: int
    payout_minor: int
    at: datetime
    fate: Fate


@dataclass
class Trail:
    """What became of one lead in one course, kept until its last sale has come out."""

    lead: LeadCame
    terms: Terms
    sales: list[Sold] = field(default_factory=list)
    pending: int = 0
    follows_record: bool = False
    unsold: str = NO_ORDER


class Course:
    """One side of a run: its world and its figures."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tallies: dict[int, Tally] = {}
        self._coming: list[tuple[datetime, int, bool, Trail, Sold]] = []
        self._turn = count()

    def tally(self, lead: LeadCame, terms: Terms) -> Tally:
        """Return the figures of a lead's vertical."""
        return self.tallies.setdefault(lead.vertical_id, Tally(terms.vertical.currency))

    def sell(self, trail: Trail, sold: Sold) -> None:
        """Make a sale; what becomes of it follows in its time."""
        world, currency = self.world, trail.terms.vertical.currency
        world.counted(sold.order_id).count(sold.price_minor, sold.at)
        world.move_money(sold.buyer_id, currency, -sold.price_minor)
        trail.sales.append(sold)
        if sold.fate.at is not None:
            self._await(max(sold.fate.at, sold.at), False, trail, sold)

    def sell_later(self, trail: Trail, sold: Sold) -> None:
        """Make a sale in its time."""
        self._await(sold.at, True, trail, sold)

    def _await(self, at: datetime, is_new: bool, trail: Trail, sold: Sold) -> None:
        trail.pending += 1
        heappush(self._coming, (at, next(self._turn), is_new, trail, sold))

    def until(self, at: datetime | None) -> Iterator[tuple[datetime, Trail, Sold]]:
        """Let come out what does until an instant, all that is left for None; yield each sale that fell through."""
        while self._coming and (at is None or self._coming[0][0] <= at):
            when, _, is_new, trail, sold = heappop(self._coming)
            trail.pending -= 1
            if is_new:
                self.sell(trail, sold)
            else:
                self.world.move_money(sold.buyer_id, trail.terms.vertical.currency, sold.fate.back_of(sold.price_minor))
                if sold.fate.is_over:
                    self.world.counted(sold.order_id).uncount(sold.price_minor, sold.at)
                    yield when, trail, sold
            if not trail.pending:
                self.close(trail)

    def close(self, trail: Trail) -> None:
        """Count a lead of which nothing is to come any more."""
        if trail.pending:
            return
        tally = self.tally(trail.lead, trail.terms)
        kept = [one for one in trail.sales if not one.fate.is_over]
        for one in kept:
            tally.add_sale(one.price_minor, one.fate.credit_of(one.price_minor), one.fate.payout_of(one))
        if kept:
            tally.sold += 1
            return
        tally.unsold += 1
        tally.reasons[trail.sales[-1].fate.word if trail.sales else trail.unsold] += 1
        if trail.sales:
            self.world.unclaim(trail.lead)


class Run:
    """A run over a record, under a change; `by_model` lets the model decide every lead, whatever the record says."""

    def __init__(self, record: Record, supposed: Supposed, by_model: bool = False) -> None:
        self._record, self._supposed, self._by_model = record, supposed, by_model
        self.happened = Course(World(record.bought, record.funds))
        anew = supposed.verticals_weighed_anew
        self.supposed = Course(World(record.bought, record.funds, supposed.terms_of_order, anew))
        self.counts: Counter[str] = Counter()

    def go(self) -> Iterator[datetime]:
        """Run through all facts, yielding the instant of each lead."""
        for said in self._supposed.first_facts():
            self._take_in(said, self.supposed)
        for fact in self._record.facts:
            self._catch_up(fact.at)
            if isinstance(fact, LeadCame):
                self._lead(fact)
                yield fact.at
            else:
                self._take_in(fact, self.happened)
                self._take_in(fact, self.supposed)
        self._catch_up(None)

    # -- everything but leads ------------------------------------------------------------------------------------------

    def _take_in(self, fact: Fact, course: Course) -> None:
        world = course.world
        if isinstance(fact, OrderSaid):
            world.say(fact)
        elif isinstance(fact, EndpointTurned):
            world.turn(fact)
        elif isinstance(fact, MoneyMoved):
            world.move_money(fact.buyer_id, fact.currency, fact.minor)
        elif isinstance(fact, SoldElsewhere):
            world.move_money(fact.buyer_id, fact.currency, -fact.minor if fact.change == "sold" else fact.minor)
            if fact.change == "sold":
                world.counted(fact.order_id).count(fact.minor, fact.at)
            elif fact.change == "over":
                world.counted(fact.order_id).uncount(fact.minor, fact.sold_at)

    def _catch_up(self, at: datetime | None) -> None:
        """Let sales come out in both courses; a lead on which one fell through is offered to the next buyer."""
        for _ in self.happened.until(at):
            pass
        for when, trail, _ in self.supposed.until(at):
            if not trail.follows_record:
                self._next_buyer(trail, when)

    def _next_buyer(self, trail: Trail, at: datetime) -> None:
        course, kept = self.supposed, [one for one in trail.sales if not one.fate.is_over]
        shares = [course.world.share_of(trail.lead.vertical_id, one.order_id) for one in kept]
        taken = frozenset(one.buyer_id for one in trail.sales)
        question = course.world.next_question(trail.lead, trail.terms, taken, shares, at)
        chosen = choose(question.candidates, question.rules)
        self._sell_all(course, trail, question, chosen.orders[:1], at)

    # -- a lead --------------------------------------------------------------------------------------------------------

    def _lead(self, lead: LeadCame) -> None:
        then = self._terms(lead)
        now = self._supposed.terms_of_lead(lead, then)
        kept_out = [reason for reason in lead.reasons if reason != "duplicate"]
        if kept_out:  # judged before the market, which no change touches
            for course, terms in ((self.happened, then), (self.supposed, now)):
                self._reject(course, lead, terms, kept_out[0])
            return
        asked = self.happened.world.question(lead, then)
        answered = self._as_recorded(lead, then)
        self._compare(lead, asked)
        self._suppose(lead, then, now, asked)
        self._finish(self.happened, answered)

    def _terms(self, lead: LeadCame) -> Terms:
        vertical = self._record.vertical(lead.vertical_id, lead.book)
        facts, least = lead.facts, vertical.least_minor(lead.facts.regions, lead.facts.contact_class)
        facts = replace(facts, min_price_minor=max(least, facts.asked_minor))
        return Terms(vertical, facts, lead.most_buyers, self._record.split(lead.publisher_id, lead.at))

    def _as_recorded(self, lead: LeadCame, terms: Terms) -> Trail:
        """Follow the record: each sale of a lead in its time."""
        trail = Trail(lead, terms, unsold=_first_word(one.outcome for one in lead.tried))
        for one in lead.sales:
            fate = replace(fate_of(lead, one.buyer_id), payout_minor=one.payout_minor)
            sold = Sold(one.order_id, one.buyer_id, one.price_minor, one.payout_minor, one.sold_at, fate)
            trail.sales.append(sold)
        return trail

    def _finish(self, course: Course, trail: Trail) -> None:
        """Make a recorded lead's sales, and close it unless something is to come."""
        sales, trail.sales = trail.sales, []
        if "duplicate" in trail.lead.reasons:
            self._reject(course, trail.lead, trail.terms, "duplicate")
            return
        if sales:
            course.world.claim(trail.lead)
        for sold in sales:
            (course.sell if sold.at <= trail.lead.at else course.sell_later)(trail, sold)
        course.close(trail)

    def _reject(self, course: Course, lead: LeadCame, terms: Terms, reason: str) -> None:
        tally = course.tally(lead, terms)
        tally.rejected += 1
        tally.reasons[reason] += 1

    def _compare(self, lead: LeadCame, asked: Question) -> None:
        """Count whether the model, asked as it was then, says what the record says."""
        bought = {one.order_id for one in lead.tried if one.outcome == SOLD}
        said = set() if asked.is_duplicate else set(_chosen(asked))
        is_alike = said == bought and asked.is_duplicate == ("duplicate" in lead.reasons)
        self.counts["alike" if is_alike else "otherwise"] += 1

    def _suppose(self, lead: LeadCame, then: Terms, now: Terms, asked: Question) -> None:
        course = self.supposed
        question = course.world.question(lead, now)
        if question == asked and not self._by_model:
            self.counts["by_record"] += 1
            trail = self._as_recorded(lead, now)
            trail.follows_record = True
            if now.vertical.bands != then.vertical.bands or now.split != then.split:
                trail.sales = [replace(one, payout_minor=now.payout_of(one.price_minor),
                                       fate=fate_of(lead, one.buyer_id)) for one in trail.sales]  # fmt: skip
            self._finish(course, trail)
            return
        self.counts["by_model"] += 1
        if question.is_duplicate:
            self._reject(course, lead, now, "duplicate")
            return
        if not self._by_model:
            question = _with_record(question, asked, lead)
        chosen = choose(question.candidates, question.rules, exclusive_only=question.exclusive_only)
        trail = Trail(lead, now, unsold=_first_word(word for _, word in chosen.outcomes))
        if chosen.orders:
            course.world.claim(lead)
        self._sell_all(course, trail, question, chosen.orders, lead.at)
        course.close(trail)

    def _sell_all(
        self, course: Course, trail: Trail, question: Question, orders: tuple[UUID, ...], at: datetime
    ) -> None:  # fmt: skip
        by_id = {one.order_id: one for one in question.candidates}
        for order_id in orders:
            one = by_id[order_id]
            payout = trail.terms.payout_of(one.price_minor)
            fate = fate_of(trail.lead, one.buyer_id)
            course.sell(trail, Sold(order_id, one.buyer_id, one.price_minor, payout, at, fate))

    def decided(self) -> dict[str, int]:
        """Return how many leads were decided how, and of how many the model, asked as it was then, says the same."""
        return {name: self.counts[name] for name in ("by_record", "by_model", "alike", "otherwise")}


def _chosen(question: Question) -> tuple[UUID, ...]:
    return choose(question.candidates, question.rules, exclusive_only=question.exclusive_only).orders


def _first_word(words: Iterator[str]) -> str:
    return next(words, NO_ORDER)


def _with_record(question: Question, asked: Question, lead: LeadCame) -> Question:
    """Put the record's words and prices where a candidate is what it was: only the moment knew them."""
    then = {one.order_id: one for one in asked.candidates}
    tried = {one.order_id: (one.outcome, one.price_minor) for one in lead.tried}
    found = []
    for one in question.candidates:
        if one.order_id in tried and then.get(one.order_id) == one:
            word, price = tried[one.order_id]
            refusal = None if word in _CHOSEN else word
            found.append(replace(one, refusal=refusal, price_minor=price or one.price_minor))
        else:
            found.append(one)
    return replace(question, candidates=tuple(found))
