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
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from core.clock import Clock
from core.db import Application, db, is_lost, present_app, transaction
from core.errors import Invalid
from core.http import business_clock
from core.outbound import NoAnswer, Request, outbound
from core.rounds import run_rounds
from marketplace.leads.delivery.answers import Verdict, judged
from marketplace.leads.delivery.claims import Claim, claim_due, claim_stranded, free_lost
from marketplace.leads.delivery.endpoints import tend
from marketplace.leads.delivery.files.gathering import set_aside
from marketplace.leads.delivery.log import Sent, write_attempt
from marketplace.leads.delivery.mail.letters import Letter, send_letter
from marketplace.leads.delivery.masking import masked_text
from marketplace.leads.delivery.next_buyer import Behind
from marketplace.leads.delivery.outcomes import pass_on_ended, settle_attempt
from marketplace.leads.delivery.posting import Posting, Prepared, postings_of
from marketplace.leads.delivery.resending import claim_by_hand
from marketplace.leads.delivery.settings import CsvDelivery

log = logging.getLogger(__name__)

HANDS = 24
IDLE_SECONDS = 0.05
FORGOTTEN_SECONDS = 30
LOOK_SECONDS = 5
_FORGOTTEN = text(
    "SELECT sale_id FROM marketplace.deliveries"
    " WHERE state IN ('refused', 'failed') AND NOT passed_on AND ended_at <= :ended_before LIMIT 100"
)
# What is recorded of attempts of which nothing was sent.
PAUSED = Verdict("not_sent", "endpoint_paused: nothing is sent to this address until it answers again")
_GONE = Verdict("not_sent", "contact_ended: the lead is its buyer's no more")


class Courier:
    """Delivers for one process, some deliveries at a time."""

    def __init__(self, app: Application, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._clock = clock
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="courier")
        self._busy: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._look_again_at = 0.0

    def take_round(self) -> list[Future[None]]:
        """Take in hand what is due, as far as hands are free, and return the attempts under way."""
        with self._lock:
            free = HANDS - self._busy.total()
            busy = dict(self._busy)
        if free <= 0:
            return []
        self._take_up_lost()
        claimed, written = _prepare(self._clock(), free, busy)
        with self._lock:
            self._busy.update(claim.lane for claim in claimed)
        return [self._pool.submit(self._deliver, claim, written.get(claim.sale_id)) for claim in claimed]

    def _take_up_lost(self) -> None:
        """Every few seconds, look for what others had in hand when they died, and for leads not passed on yet."""
        if time.monotonic() >= self._look_again_at:
            self._look_again_at = time.monotonic() + LOOK_SECONDS
            with transaction():
                free_lost()
            _pass_on_forgotten(self._clock())

    def close(self) -> None:
        """Wait for what is in hand."""
        self._pool.shutdown()

    def _deliver(self, claim: Claim, posting: Prepared | None) -> None:
        """Make one attempt that was claimed: send without a transaction, then record; without a posting only record."""
        try:
            with self._app.app_context():
                sent = unsent(_why_unsent(claim)) if posting is None else send_posting(posting)
                _record(claim, sent, self._clock)
        except Exception as error:  # noqa: BLE001  # the outermost loop of one attempt; its lease brings it back
            log.warning("the attempt waits: %s", error) if is_lost(error) else log.exception("an attempt failed")
        finally:
            with self._lock:
                self._busy[claim.lane] -= 1
                self._busy += Counter()


def _record(claim: Claim, sent: Sent, clock: Callable[[], datetime]) -> None:
    with transaction():
        write_attempt(claim.sale_id, claim.number, sent)
        is_to_pass_on = not claim.by_hand and settle_attempt(claim.sale_id, sent.verdict, clock())
    if is_to_pass_on:
        _pass_on(claim.sale_id, clock())


def unsent(why: Verdict) -> Sent:
    """Tell of an attempt that nothing was sent."""
    return Sent(Request("", "", {}), why)


def send_posting(posting: Prepared) -> Sent:
    """Make the call of an attempt and judge its answer; the caller holds no transaction."""
    if isinstance(posting, Invalid):  # a template that grows too long for this lead, each time anew
        return unsent(Verdict("not_sent", f"{posting.code}: {posting.detail}"))
    if isinstance(posting, Letter):
        return send_letter(posting)
    assert isinstance(posting, Posting)  # what goes into a file was set aside
    try:
        answer = outbound().send(posting.request, timeout_seconds=posting.timeout_seconds)
    except NoAnswer as silence:
        silent = Verdict("error", f"{silence.code}: {silence}"[:300])
        return Sent(posting.request, silent, None, silence.milliseconds, secrets=posting.secrets)
    verdict = judged(posting.rules, answer.status, answer.body, posting.currency)
    # Buyers repeat the person's data in their reasons, which others than they read.
    verdict = verdict._replace(reason=masked_text(verdict.reason, posting.parcel))
    return Sent(posting.request, verdict, answer.status, answer.milliseconds, answer.body, posting.secrets)


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
    run_rounds(app, ended, "the courier", lambda: bool(courier.take_round()), IDLE_SECONDS)
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


def _prepare(now: datetime, most: int, busy: dict[str, int]) -> tuple[list[Claim], dict[UUID, Prepared]]:
    """Claim what is to be sent now and write it; what goes into a file is set aside, until there is something else."""
    while True:
        with transaction():
            claimed = _claim(now, most, busy)
            written = _written_for(claimed)
            aside = {sale_id for sale_id, each in written.items() if isinstance(each, CsvDelivery)}
            set_aside(list(aside))
        rest = [claim for claim in claimed if claim.sale_id not in aside]
        if rest or not claimed:
            return rest, written


def _claim(now: datetime, most: int, busy: dict[str, int]) -> list[Claim]:
    may_be_stranded = tend(now)
    claimed = claim_due(now, most, busy)
    if may_be_stranded and len(claimed) < most:
        claimed += claim_stranded(now, most - len(claimed), busy)
    return claimed + claim_by_hand(most - len(claimed))


def _written_for(claimed: list[Claim]) -> dict[UUID, Prepared]:
    """Write what these claims send; nothing for those that are stranded."""
    sending = [claim for claim in claimed if not claim.is_stranded]
    again = [claim.sale_id for claim in sending if claim.by_hand]
    first = [claim.sale_id for claim in sending if not claim.by_hand]
    return postings_of(first) | postings_of(again, by_present_terms=True)


def _why_unsent(claim: Claim) -> Verdict:
    return _GONE if claim.by_hand else PAUSED
