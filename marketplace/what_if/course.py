"""The run: two courses of the same leads side by side, what happened and what would have, lead by lead.

What happened goes by the record. What would have asks of each lead who may buy it now; where that question is what it
was when the lead came, the record's answer stands, else the model gives one (`leads/auction.py`).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from marketplace.leads.auction import CHOSEN, SOLD, choose
from marketplace.what_if.fates import fate_of
from marketplace.what_if.further import FurtherSales
from marketplace.what_if.happened import (
    EndpointTurned,
    Fact,
    LeadCame,
    LimitsSaid,
    MoneyMoved,
    OrderSaid,
    Record,
    SaleThen,
    SoldElsewhere,
)
from marketplace.what_if.sides import NO_ORDER, Course, Sold, Trail
from marketplace.what_if.supposing import Supposed
from marketplace.what_if.world import Question, Terms, World

_A_MOMENT = timedelta(microseconds=1)  # of one instant, what changes the market comes before what is sold in it


class Run:
    """A run over a record, under a change; `by_model` lets the model decide every lead, whatever the record says."""

    def __init__(self, record: Record, supposed: Supposed, by_model: bool = False) -> None:
        self._record, self._supposed, self._by_model = record, supposed, by_model
        anew, by = supposed.verticals_weighed_anew, record.bought_by
        self.happened = Course(World(record.bought, record.funds, bought_by=by))
        self.supposed = Course(World(record.bought, record.funds, supposed.terms_of_order, anew, by))
        self.further = FurtherSales()
        self.counts: Counter[str] = Counter()

    def go(self) -> Iterator[datetime]:
        """Run through all facts, yielding the instant of each lead."""
        for said in self._supposed.first_facts():
            self._take_in(said, self.supposed)
        for fact in self._record.facts:
            self._catch_up(fact.at if isinstance(fact, LeadCame) else fact.at - _A_MOMENT)
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
        elif isinstance(fact, LimitsSaid):
            world.limited.say(fact)
        elif isinstance(fact, EndpointTurned):
            world.turn(fact)
        elif isinstance(fact, MoneyMoved):
            world.move_money(fact.buyer_id, fact.currency, fact.minor)
        elif isinstance(fact, SoldElsewhere):
            if fact.change == "sold":
                world.sell(fact.order_id, fact.buyer_id, fact.currency, fact.minor, fact.at)
                return
            world.move_money(fact.buyer_id, fact.currency, fact.minor)
            if fact.change == "over":
                world.undo(fact.order_id, fact.buyer_id, fact.currency, fact.minor, fact.sold_at)

    def _catch_up(self, at: datetime | None) -> None:
        """Let sales come out in both courses; a lead on which one fell through is offered to the next buyer."""
        for _ in self.happened.until(at, self.further.happens):
            pass
        for when, trail, sold in self.supposed.until(at, self.further.is_supposed):
            if not trail.follows_record and sold.resale is None:
                self._next_buyer(trail, when)

    def _next_buyer(self, trail: Trail, at: datetime) -> None:
        course = self.supposed
        shares = [course.world.share_of(trail.lead.vertical_id, one.order_id) for one in trail.kept]
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
        trail.sales += [_sold_then(lead, one) for one in lead.sales]
        return trail

    def _finish(self, course: Course, trail: Trail) -> None:
        """Make a recorded lead's sales, and close it unless something is to come."""
        sales, trail.sales = trail.sales, []
        if "duplicate" in trail.lead.reasons:
            self._reject(course, trail.lead, trail.terms, "duplicate")
            return
        for sold in sales:
            is_first = sold.at <= trail.lead.at and sold.resale is None
            (course.sell if is_first else course.sell_later)(trail, sold)
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
            trail.sales = [_with_split(one, lead, then, now) for one in trail.sales]
            self._finish(course, trail)
            return
        self.counts["by_model"] += 1
        if question.is_duplicate:
            self._reject(course, lead, now, "duplicate")
            self.further.leave_out(lead, "duplicate")
            return
        if not self._by_model:
            question = _with_record(question, asked, lead)
        chosen = choose(question.candidates, question.rules, exclusive_only=question.exclusive_only)
        trail = Trail(lead, now, unsold=_first_word(word for _, word in chosen.outcomes))
        self._sell_all(course, trail, question, chosen.orders, lead.at)
        for one in lead.sales:
            if one.resale is not None:
                course.sell_later(trail, _with_split(_sold_then(lead, one), lead, then, now))
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


def _sold_then(lead: LeadCame, one: SaleThen) -> Sold:
    fate = replace(fate_of(lead, one.buyer_id), payout_minor=one.payout_minor)
    return Sold(one.order_id, one.buyer_id, one.price_minor, one.payout_minor, one.sold_at, fate, one.resale)


def _with_split(sold: Sold, lead: LeadCame, then: Terms, now: Terms) -> Sold:
    """Return a sale of the record with the publisher's part as the change has it."""
    if now.vertical.bands == then.vertical.bands and now.split == then.split:
        return sold
    return replace(sold, payout_minor=now.payout_of(sold.price_minor), fate=fate_of(lead, sold.buyer_id))


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
            refusal = None if word in CHOSEN else word
            found.append(replace(one, refusal=refusal, price_minor=price or one.price_minor))
        else:
            found.append(one)
    return replace(question, candidates=tuple(found))
