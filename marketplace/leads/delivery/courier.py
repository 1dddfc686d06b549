"""The courier: takes what is due, sends it, and records what came back; no lead is lost with a process.

An attempt is written before its call. Who dies with a delivery in hand leaves a lease that ends, after which somebody
tries again under the same message id, by which a buyer knows a repetition. Slow endpoints keep few hands busy each.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from core.clock import Clock
from core.db import Application, db, is_lost, present_app, transaction
from core.errors import Invalid
from core.http import business_clock
from core.outbound import NoAnswer, Request, outbound
from marketplace.leads.delivery.answers import Verdict, judged
from marketplace.leads.delivery.log import Sent, write_attempt
from marketplace.leads.delivery.masking import masked_text
from marketplace.leads.delivery.next_buyer import Behind
from marketplace.leads.delivery.outcomes import pass_on_ended, settle_attempt
from marketplace.leads.delivery.posting import Posting, postings_of

log = logging.getLogger(__name__)

HANDS = 24
HANDS_PER_ORDER = 8
IDLE_SECONDS = 0.05
LEASE_SECONDS = 90  # longer than any call may take
FORGOTTEN_SECONDS = 30
LOOK_SECONDS = 5
_FORGOTTEN = text(
    "SELECT sale_id FROM marketplace.deliveries"
    " WHERE state IN ('refused', 'failed') AND NOT passed_on AND ended_at <= :ended_before LIMIT 100"
)
_FREE_LOST = text(
    "UPDATE marketplace.deliveries SET state = 'waiting', lease_until = NULL"
    " WHERE state = 'in_hand' AND lease_until < :real"
)
_CLAIM = text("""
    WITH due AS (
        SELECT sale_id FROM marketplace.deliveries
        WHERE state = 'waiting' AND sale_id = ANY(ARRAY(
            SELECT sale_id FROM (
                SELECT sale_id, order_id, row_number() OVER (PARTITION BY order_id ORDER BY next_attempt_at) AS place
                FROM (SELECT * FROM marketplace.deliveries WHERE state = 'waiting' AND next_attempt_at <= :now
                        AND order_id <> ALL(:busy) ORDER BY next_attempt_at LIMIT 500) AS soon) AS ranked
            WHERE place <= :each LIMIT :most))
        FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE marketplace.deliveries d SET state = 'in_hand', attempts = attempts + 1, lease_until = :lease
        FROM due WHERE d.sale_id = due.sale_id RETURNING d.sale_id, d.order_id, d.attempts)
    INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at)
    SELECT sale_id, attempts, :now FROM taken RETURNING sale_id, number,
        (SELECT order_id FROM taken t WHERE t.sale_id = delivery_attempts.sale_id)
""")


class Claim(NamedTuple):
    """An attempt that this process has in hand."""

    sale_id: UUID
    number: int
    order_id: UUID


class Courier:
    """Delivers for one process, some deliveries at a time."""

    def __init__(self, app: Application, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._clock = clock
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="courier")
        self._busy: Counter[UUID] = Counter()
        self._lock = threading.Lock()
        self._look_again_at = 0.0

    def take_round(self) -> list[Future[None]]:
        """Take in hand what is due, as far as hands are free, and return the attempts under way."""
        with self._lock:
            free = HANDS - self._busy.total()
            busy = [order for order, hands in self._busy.items() if hands >= HANDS_PER_ORDER]
        if free <= 0:
            return []
        self._take_up_lost()
        with transaction():
            claimed = _claim(self._clock(), free, busy)
            written = postings_of([claim.sale_id for claim in claimed])
        with self._lock:
            self._busy.update(claim.order_id for claim in claimed)
        return [self._pool.submit(self._deliver, claim, written[claim.sale_id]) for claim in claimed]

    def _take_up_lost(self) -> None:
        """Every few seconds, look for what others had in hand when they died, and for leads not passed on yet."""
        if time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + LOOK_SECONDS
            with transaction():
                db.session.execute(_FREE_LOST, {"real": datetime.now(UTC)})
            _pass_on_forgotten(self._clock())

    def close(self) -> None:
        """Wait for what is in hand."""
        self._pool.shutdown()

    def _deliver(self, claim: Claim, posting: Posting | Invalid) -> None:
        """Make one attempt that was claimed: send without a transaction, then record."""
        try:
            with self._app.app_context():
                _record(claim, send_posting(posting), self._clock)
        except Exception as error:  # noqa: BLE001  # the outermost loop of one attempt; its lease brings it back
            log.warning("the attempt waits: %s", error) if is_lost(error) else log.exception("an attempt failed")
        finally:
            with self._lock:
                self._busy[claim.order_id] -= 1
                self._busy += Counter()


def _record(claim: Claim, sent: Sent, clock: Callable[[], datetime]) -> None:
    with transaction():
        write_attempt(claim.sale_id, claim.number, sent)
        is_to_pass_on = settle_attempt(claim.sale_id, sent.verdict, clock())
    if is_to_pass_on:
        _pass_on(claim.sale_id, clock())


def send_posting(posting: Posting | Invalid) -> Sent:
    """Make the call, without a transaction, and tell what came of it."""
    if isinstance(posting, Invalid):  # a template that grows too long for this lead
        return Sent(Request("", "", {}), Verdict("error", f"{posting.code}: {posting.detail}"))
    try:
        answer = outbound().send(posting.request, timeout_seconds=posting.timeout_seconds)
    except NoAnswer as silence:
        silent = Verdict("error", f"{silence.code}: {silence}"[:300])
        return Sent(posting.request, silent, None, silence.milliseconds)
    verdict = judged(posting.rules, answer.status, answer.body, posting.currency)
    # Buyers repeat the person's data in their reasons, which others than they read.
    verdict = verdict._replace(reason=masked_text(verdict.reason, posting.parcel))
    return Sent(posting.request, verdict, answer.status, answer.milliseconds, answer.body)


def deliver_due(as_of: datetime) -> int:
    """Attempt all that is due by then, in rounds until nothing is, and return how many attempts were made."""
    courier, made = Courier(present_app(), lambda: as_of), 0
    try:
        while under_way := courier.take_round():
            made += len(under_way)
            wait(under_way)
    finally:
        courier.close()
    return made


def run_courier(app: Application, ended: threading.Event) -> None:
    """Deliver until told to end; survives a database that goes away and comes back."""
    with app.app_context():
        clock: Clock = business_clock()
    courier = Courier(app, clock.now)
    while not ended.is_set():
        with app.app_context():
            try:
                taken = courier.take_round()
            except Exception as error:  # noqa: BLE001  # the outermost loop: log, wait, go on
                taken = []
                log.warning("the courier waits: %s", error) if is_lost(error) else log.exception("the courier failed")
                ended.wait(1)
        if not taken:
            ended.wait(IDLE_SECONDS)
    courier.close()


def _pass_on_forgotten(now: datetime) -> None:
    """Pass on what a process ended and could not pass on: it died, or its clock lagged."""
    with transaction():
        ended_before = now - timedelta(seconds=FORGOTTEN_SECONDS)
        forgotten = db.session.scalars(_FORGOTTEN, {"ended_before": ended_before}).all()
    for sale_id in forgotten:
        _pass_on(sale_id, now)


def _pass_on(sale_id: UUID, at: datetime) -> None:
    """Look for the next buyer; while our clock lags behind an order's counters, a later round does."""
    try:
        with transaction():
            pass_on_ended(sale_id, at)
    except Behind:
        log.info("the next buyer of sale %s is looked for later: the clock lags", sale_id)


def _claim(now: datetime, most: int, busy: list[UUID]) -> list[Claim]:
    rows = db.session.execute(_CLAIM, {
        "now": now, "busy": busy, "each": HANDS_PER_ORDER, "most": most,
        "lease": datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS),
    })  # fmt: skip
    return [Claim(*row) for row in rows]
