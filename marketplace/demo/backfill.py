"""Filling in the days before the demonstration begins: the same leads, deeds and due work as live, without waiting.

Leads go through the intake one by one in the order of time, by a clock that is set to each; twice a day of the market
what people do with what they bought is done, and what fell due. So caps, budgets, wallets, windows and books are what
they would be had it been live. All is delivered to the portal, since nobody answers over a network yet. What has no
buyer in common (`lanes`) is played at once, each in a process of its own (`lane`), since it is the processor that
everything waits for.
"""

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import count, groupby
from multiprocessing import get_context
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import select, text

from core.db import db, present_pool, transaction
from core.http import settings
from core.ids import parse_id, show_id
from marketplace.demo import lane
from marketplace.demo.behaviour import Known, Sold, decision_of, deeds_of
from marketplace.demo.cast import Cast, Posting
from marketplace.demo.labels import LabelBook
from marketplace.demo.lanes import HOW_MANY, lanes_of
from marketplace.demo.paying import pay_publishers
from marketplace.demo.set_clock import SetClock
from marketplace.demo.settling import refill_wallets
from marketplace.demo.state import DemoState
from marketplace.documents.months import issue_untold
from marketplace.jobs import DUE, WATCH, settle_due
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.machine import unseen
from marketplace.leads.models import Lead, Sale

log = logging.getLogger(__name__)
T = TypeVar("T")

STEP = timedelta(hours=12)  # between two looks at what people do and what falls due
LEARN_AFTER = (1, 4, 16)  # steps
_BOOKS = {name: batch for name, batch in DUE.items() if name not in WATCH}
_BOOKS["months_looked_at"] = issue_untold  # nobody is told of a month that was over before he came


class _Due(NamedTuple):
    """A deed in the order of time; the number keeps equal instants in order."""

    at: datetime
    number: int
    lane: int
    act: lane.Act


class _Bought(NamedTuple):
    """What is known of the lead that was bought, and the lane it is in."""

    known: Known
    lane: int


class Backfill:
    """Plays the market from its first day until it opens, on the present application's database."""

    def __init__(self, cast: Cast, state: DemoState, labels: LabelBook, clock: SetClock, operator: str) -> None:
        self._cast, self._state, self._labels, self._clock = cast, state, labels, clock
        self._operator = operator
        self._publishers = {
            name: parse_id("acc", member.account_id)
            for name, member in state.members.items() if member.kind == "publisher"
        }  # fmt: skip
        self._start = datetime.combine(cast.first_day, time(), UTC)
        self._lane_of, self._numbers = lanes_of(cast), count()
        self._agenda: list[_Due] = []
        self._bought: dict[UUID, _Bought] = {}
        self._seen_to: UUID | None = None
        self.refused: Counter[str] = Counter()

    def run(self, progress: Callable[[datetime, int], None]) -> None:
        """Fill the days in; tell the progress as the instant of the market up to which all is done, and the leads."""
        until, reached, day = self._state.opened_at, 0, -1
        with ExitStack() as processes:
            self._lanes = [processes.enter_context(self._process()) for _ in range(HOW_MANY)]
            for step, postings in _made_ahead(groupby(self._postings(until), key=self._step_of)):
                while reached < step:
                    reached += 1
                    self._end_of_step(min(self._end(reached - 1), until))
                    progress(self._clock.at, 0)
                    if reached in LEARN_AFTER:
                        _learn_sizes()
                day = self._refill(day)
                self._post(postings)
                progress(postings[-1].sent.at, len(postings))
            self._end_of_step(until)
        progress(until, 0)
        log.debug("of the buyers' deeds some were refused: %s", dict(self.refused))

    @staticmethod
    def _process() -> ProcessPoolExecutor:
        begin = partial(lane.begin, settings(), str(present_pool().conninfo))
        return ProcessPoolExecutor(1, get_context("spawn"), initializer=begin)

    def _postings(self, until: datetime) -> Iterator[Posting]:
        for posting in self._cast.postings_from(self._start):
            if posting.sent.at >= until:
                return
            yield posting

    def _step_of(self, posting: Posting) -> int:
        return int((posting.sent.at - self._start) // STEP)

    def _end(self, step: int) -> datetime:
        return self._start + (step + 1) * STEP

    def _refill(self, day: int) -> int:
        today = self._cast.day_of(self._clock.at)
        if today > day:
            refill_wallets(self._cast, self._state.members, today, self._state.scale, self._clock.at)
        return max(day, today)

    def _post(self, postings: list[Posting]) -> None:
        """Post the leads of a step, and note what each truly is."""
        self._clock.at = postings[-1].sent.at
        lanes = self._split(postings, lambda posting: self._lane_of[posting.sent.body["vertical"]])
        sent = [process.submit(lane.post, [self._sent(each) for each in some])
                for process, some in zip(self._lanes, lanes, strict=True)]  # fmt: skip
        for future, some in zip(sent, lanes, strict=True):
            for posting, lead_id in zip(some, future.result(), strict=True):
                if lead_id is not None:
                    known = Known(posting.sent.body["external_id"], posting.sent.true_label)
                    self._labels.write(show_id("lead", lead_id), known)

    def _sent(self, posting: Posting) -> lane.Post:
        return lane.Post(self._publishers[posting.publisher.name], posting.sent.body, posting.sent.at)

    @staticmethod
    def _split(items: Iterable[T], lane_of: Callable[[T], int]) -> list[list[T]]:
        """Deal items out to the lanes they belong to, in their order."""
        lanes: list[list[T]] = [[] for _ in range(HOW_MANY)]
        for item in items:
            lanes[lane_of(item)].append(item)
        return lanes

    # -- what people do with what they bought --------------------------------------------------------------------------

    def _end_of_step(self, at: datetime) -> None:
        self._clock.at = at
        self._plan()
        due = []
        while self._agenda and self._agenda[0].at <= at:
            due.append(heapq.heappop(self._agenda))
        lanes = self._split(due, lambda each: each.lane)
        acting = [process.submit(lane.act, [each.act for each in some], at)
                  for process, some in zip(self._lanes, lanes, strict=True)]  # fmt: skip
        self.refused = sum((future.result() for future in acting), self.refused)
        for decide in (self._decide, self._judge):
            for deciding in decide(at):
                deciding.result()
        watching = self._lanes[0].submit(lane.watch, at)
        settle_due(at, _BOOKS)
        pay_publishers(self._operator, at)
        watching.result()

    def _plan(self) -> None:
        """Put on the agenda what the buyers will do with what they bought since the last look."""
        query = select(Sale, Lead.temperature).join(Lead, Lead.id == Sale.lead_id).order_by(Sale.id)
        with transaction():
            for sale, temperature in db.session.execute(
                query.where(Sale.id > self._seen_to) if self._seen_to else query
            ):
                self._seen_to = sale.id
                known = self._labels.find(show_id("lead", sale.lead_id))
                if known is not None:
                    self._plan_one(sale, temperature, known)

    def _plan_one(self, sale: Sale, temperature: str, known: Known) -> None:
        placed = self._state.orders[show_id("ord", sale.order_id)]
        sold = Sold(show_id("sale", sale.id), show_id("lead", sale.lead_id), placed.vertical, temperature,
                    sale.price_minor, sale.sold_at)  # fmt: skip
        number = self._lane_of[placed.vertical]
        self._bought[sale.id] = _Bought(known, number)
        buyer, rules = self._cast.buyer(placed.buyer), self._cast.rules(placed.vertical)
        for deed in deeds_of(buyer, sold, known, self._cast.market, rules, self._cast.bad_bp):
            heapq.heappush(self._agenda, _Due(deed.at, next(self._numbers), number, lane.Act(sale.buyer_id, deed)))

    def _judge(self, as_of: datetime) -> list[Future[None]]:
        """Let the machine look at what it has not seen, as it does within a minute."""
        with transaction():
            rows = db.session.execute(unseen(as_of).add_columns(Dispute.sale_id).order_by(Dispute.id)).all()
        lanes = self._split(rows, lambda row: self._bought[row.sale_id].lane)
        return [process.submit(lane.judge, [row.id for row in some], as_of)
                for process, some in zip(self._lanes, lanes, strict=True)]  # fmt: skip

    def _decide(self, as_of: datetime) -> list[Future[None]]:
        """Let the operator decide what has lain long enough; the machine has looked at it before."""
        query = select(Dispute.id, Dispute.sale_id, Dispute.opened_at).where(Dispute.state == "open")
        with transaction():
            rows = db.session.execute(query.order_by(Dispute.id)).all()
        ripe: list[list[lane.Decision]] = [[] for _ in range(HOW_MANY)]
        for dispute_id, sale_id, opened_at in rows:
            bought = self._bought[sale_id]
            at, said = decision_of(bought.known, opened_at, self._cast.seed)
            if at <= as_of:
                ripe[bought.lane].append(lane.Decision(dispute_id, said["decision"], said["note"], at))
        return [process.submit(lane.decide, some) for process, some in zip(self._lanes, ripe, strict=True)]


def _learn_sizes() -> None:
    """Let the database count its tables, which it does by itself after a minute only: we are done by then."""
    with transaction():
        db.session.execute(text("ANALYZE"))


def _made_ahead(steps: Iterable[tuple[int, Iterator[Posting]]]) -> Iterator[tuple[int, list[Posting]]]:
    """Yield each step's leads, made by another thread while this one waits for the database."""
    made = ((step, list(postings)) for step, postings in steps)
    with ThreadPoolExecutor(1, "made-ahead") as maker:
        following = maker.submit(next, made, None)
        while some := following.result():
            following = maker.submit(next, made, None)
            yield some
