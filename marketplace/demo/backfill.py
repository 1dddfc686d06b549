"""Filling in the days before the demonstration begins: the same leads, deeds and due work as live, without waiting.

Leads go through the intake one by one in the order of time, by a clock that is set to each; every few hours of the
market what people do with what they bought is done, and what fell due. So caps, budgets, wallets, windows and books are
what they would be had it been live. All is delivered to the portal, since nobody answers over a network yet. What has
no buyer in common (`lanes`) is played at once, since Python and the database would wait for each other otherwise.
"""

import heapq
import logging
import threading
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from itertools import count, groupby
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import select

from core.clock import from_rfc3339
from core.db import Application, db, present_app, transaction
from core.errors import DomainError
from core.http import settings
from core.ids import parse_id, show_id
from core.schemas import convert
from marketplace.demo.behaviour import Deed, Known, Sold, decision_of, deeds_of
from marketplace.demo.cast import Cast, Posting
from marketplace.demo.labels import LabelBook
from marketplace.demo.lanes import HOW_MANY, lanes_of
from marketplace.demo.settling import ACTOR, refill_wallets
from marketplace.demo.state import DemoState
from marketplace.jobs import settle_due
from marketplace.leads.desk import desk
from marketplace.leads.dispositions import Report, report_at_once
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes import Claim, open_dispute, resolve_dispute
from marketplace.leads.disputes.evidence import add_file
from marketplace.leads.intake import Intake, Sender
from marketplace.leads.models import Lead, Sale
from marketplace.leads.refusals import count_refusal
from marketplace.leads.submission import Submission

log = logging.getLogger(__name__)
T = TypeVar("T")

STEP = timedelta(hours=12)  # between two looks at what people do and what falls due
TOGETHER = 50  # deeds in a transaction
REPORTS_TOGETHER = 500
_LANES = range(HOW_MANY)


class SetClock(threading.local):
    """A clock that stands at the instant it was set to, in each thread by itself."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return that instant."""
        return self.at


class _Due(NamedTuple):
    """A deed in the order of time, with whose it is; the number keeps equal instants in order."""

    at: datetime
    number: int
    buyer_id: UUID
    lane: int
    deed: Deed


class _Posted(NamedTuple):
    """A lead that was posted, with the id it got or why it is none."""

    posting: Posting
    said: UUID | DomainError


class Backfill:
    """Plays the market from its first day until it opens."""

    def __init__(self, cast: Cast, state: DemoState, labels: LabelBook, clock: SetClock) -> None:
        self._cast, self._state, self._labels, self._clock = cast, state, labels, clock
        self._senders = {
            name: Sender(parse_id("acc", member.account_id), None, by=ACTOR)
            for name, member in state.members.items() if member.kind == "publisher"
        }  # fmt: skip
        self._start = datetime.combine(cast.first_day, time(), UTC)
        self._lanes, self._numbers = lanes_of(cast), count()
        self._agenda: list[_Due] = []
        self._sold: dict[UUID, Known] = {}
        self._seen_to: UUID | None = None
        self.skipped: Counter[str] = Counter()

    def run(self, progress: Callable[[datetime, int], None]) -> None:
        """Fill the days in; tell the progress as the instant of the market up to which all is done, and the leads."""
        until, reached, day = self._state.opened_at, 0, -1
        with ThreadPoolExecutor(HOW_MANY, "lane") as self._pool:
            for step, postings in _made_ahead(groupby(self._postings(until), key=self._step_of)):
                while reached < step:
                    reached += 1
                    self._end_of_step(min(self._end(reached - 1), until))
                    progress(self._clock.at, 0)
                day = self._refill(day)
                self._post(postings)
                progress(postings[-1].sent.at, len(postings))
            self._end_of_step(until)
        progress(until, 0)
        log.debug("of the buyers' deeds some were refused: %s", dict(self.skipped))

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
        intake = desk().intake
        lanes = [[each for each in postings if self._lane(each.sent.body["vertical"]) == lane] for lane in _LANES]
        for posted in self._pool.map(lambda some: self._post_one_by_one(some, intake), lanes):
            for (sent, publisher), said in posted:
                if isinstance(said, DomainError):
                    with transaction():
                        count_refusal(self._senders[publisher.name].account_id, said, sent.at)
                else:
                    self._labels.write(show_id("lead", said), Known(sent.body["external_id"], sent.true_label))

    def _post_one_by_one(self, postings: list[Posting], intake: Intake) -> list[_Posted]:
        return [_Posted(posting, self._post_one(posting, intake)) for posting in postings]

    def _post_one(self, posting: Posting, intake: Intake) -> UUID | DomainError:
        self._clock.at = posting.sent.at
        try:
            taken = intake.take(convert(posting.sent.body, Submission), self._senders[posting.publisher.name])
        except DomainError as refused:
            return refused
        return UUID(taken.result["id"])

    def _lane(self, vertical: str) -> int:
        return self._lanes[vertical]

    # -- what people do with what they bought --------------------------------------------------------------------------

    def _end_of_step(self, at: datetime) -> None:
        self._clock.at = at
        self._plan()
        due = []
        while self._agenda and self._agenda[0].at <= at:
            due.append(heapq.heappop(self._agenda))
        app = present_app()
        lanes = [[each for each in due if each.lane == lane] for lane in _LANES]
        for skipped in self._pool.map(lambda some: self._do(some, at, app), lanes):
            self.skipped += skipped
        self._decide(at)
        settle_due(at)

    def _do(self, due: list[_Due], at: datetime, app: Application) -> Counter[str]:
        """Do the deeds of a lane and return how many of them were refused, by code."""
        self._clock.at, skipped = at, Counter[str]()
        with app.app_context():
            self._report([each.deed for each in due if each.deed.kind == "disposition"], at)
            for some in batched([each for each in due if each.deed.kind == "dispute"], TOGETHER):
                with transaction():
                    skipped.update(filter(None, [self._dispute(each.buyer_id, each.deed) for each in some]))
        return skipped

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
                    self._sold[sale.id] = known
                    self._plan_one(sale, temperature, known)

    def _plan_one(self, sale: Sale, temperature: str, known: Known) -> None:
        placed = self._state.orders[show_id("ord", sale.order_id)]
        sold = Sold(show_id("sale", sale.id), show_id("lead", sale.lead_id), placed.vertical, temperature,
                    sale.price_minor, sale.sold_at)  # fmt: skip
        buyer, rules = self._cast.buyer(placed.buyer), self._cast.rules(placed.vertical)
        for deed in deeds_of(buyer, sold, known, self._cast.market, rules, self._cast.bad_bp):
            due = _Due(deed.at, next(self._numbers), sale.buyer_id, self._lane(placed.vertical), deed)
            heapq.heappush(self._agenda, due)

    @staticmethod
    def _report(deeds: list[Deed], now: datetime) -> None:
        for some in batched(deeds, REPORTS_TOGETHER):
            with transaction():
                report_at_once([(parse_id("sale", deed.sale), _report_of(deed.body)) for deed in some], ACTOR, now)

    @staticmethod
    def _dispute(buyer_id: UUID, deed: Deed) -> str | None:
        said, file = {**deed.body}, deed.body.get("file")
        said.pop("file", None)
        claim = Claim(**said, brings_file=file is not None)
        try:
            opened = open_dispute(buyer_id, parse_id("sale", deed.sale), claim, ACTOR, deed.at)
        except DomainError as refused:  # above the cap on returns, mostly: refused before anything is written
            return refused.code
        if file is not None:
            data = b64decode(file["base64"])
            add_file(buyer_id, opened.id, file["name"], data, settings().data_folder, ACTOR, deed.at)
        return None

    def _decide(self, as_of: datetime) -> None:
        """Let the operator decide what has lain long enough; the machine has looked at it before."""
        with transaction():
            rows = db.session.execute(
                select(Dispute.id, Dispute.sale_id, Dispute.opened_at)
                .where(Dispute.state == "open")
                .order_by(Dispute.id)
            ).all()
            for dispute_id, sale_id, opened_at in rows:
                known = self._sold[sale_id]
                at, said = decision_of(known, opened_at, self._cast.seed)
                if at <= as_of:
                    resolve_dispute(dispute_id, said["decision"], said["note"], ACTOR, at)


def _made_ahead(steps: Iterable[tuple[int, Iterator[Posting]]]) -> Iterator[tuple[int, list[Posting]]]:
    """Yield each step's leads, made by another thread while this one waits for the database."""
    made = ((step, list(postings)) for step, postings in steps)
    with ThreadPoolExecutor(1, "made-ahead") as maker:
        following = maker.submit(next, made, None)
        while some := following.result():
            following = maker.submit(next, made, None)
            yield some


def batched(items: list[T], most: int) -> Iterator[list[T]]:
    """Yield a list's items, so many at a time."""
    return (items[begin : begin + most] for begin in range(0, len(items), most))


def _report_of(body: dict[str, Any]) -> Report:
    return msgspec.structs.replace(convert(body | {"at": body["at"]}, Report), at=from_rfc3339(body["at"]))
