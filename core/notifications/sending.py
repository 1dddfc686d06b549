"""Sending what is due: each call in a thread of its own, a bounded number at once, none of them holding a transaction.

The worker does it all the time (`run_sender`), `run-due` once (`send_due`). It is no job of the queue: endpoints that
take their time would hold the queue's few workers, and with them everything else that falls due.
"""

import threading
import time
from datetime import datetime
from queue import Empty, SimpleQueue

from core.clock import REAL_TIME
from core.db import Application, transaction
from core.http import business_clock
from core.notifications.claims import Claimed, Outcome, claim_due, record
from core.notifications.schedule import read_retry_after
from core.outbound import NoAnswer, Outbound, Request, outbound
from core.rounds import run_rounds
from core.signatures import sign

MOST_AT_ONCE = 64
TIMEOUT_SECONDS = 15.0
MOST_ANSWER_BYTES = 65_536
SHOWN_CHARACTERS = 1000  # of an answer, in the log
IDLE_SECONDS = 0.25
GRACE_SECONDS = 2.0  # for what is being sent when the worker ends; then its lease must run out


def call(out: Outbound, claimed: Claimed) -> Outcome:
    """Make one signed call and return what became of it."""
    headers = sign(claimed.secrets, claimed.message_id, REAL_TIME.now(), claimed.body)
    request = Request("POST", claimed.url, {"Content-Type": "application/json", **headers}, claimed.body)
    try:
        answer = out.send(request, timeout_seconds=TIMEOUT_SECONDS, most_bytes=MOST_ANSWER_BYTES)
    except NoAnswer as none:
        return Outcome(None, none.code, none.milliseconds, str(none))
    shown = answer.body.decode("utf-8", "replace").replace("\0", "\ufffd")[:SHOWN_CHARACTERS]
    retry_after = read_retry_after(answer.headers.get("retry-after"), REAL_TIME.now())
    return Outcome(answer.status, None, answer.milliseconds, shown, retry_after)


class InFlight:
    """The calls that are being made now."""

    def __init__(self, out: Outbound) -> None:
        self._out = out
        self._ended: SimpleQueue[tuple[Claimed, Outcome]] = SimpleQueue()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def start(self, claimed: Claimed) -> None:
        """Begin a call."""
        self._count += 1
        threading.Thread(target=self._run, args=(claimed,), name="webhook", daemon=True).start()

    def _run(self, claimed: Claimed) -> None:
        outcome = Outcome(None, "internal_error", 0, "The call could not be made; it is logged.")
        try:
            outcome = call(self._out, claimed)
        finally:
            self._ended.put((claimed, outcome))

    def record_ended(self, at: datetime, patience_seconds: float) -> int:
        """Record the calls that have ended, waiting a little for the first; what cannot be recorded stays ended."""
        recorded, patience = 0, patience_seconds
        while self._count:
            try:
                claimed, outcome = self._ended.get(timeout=patience)
            except Empty:
                break
            try:
                with transaction():
                    record(claimed, outcome, at)
            except BaseException:
                self._ended.put((claimed, outcome))
                raise
            self._count -= 1
            recorded, patience = recorded + 1, 0
        return recorded


def send_due(as_of: datetime) -> int:
    """Send all that is due by then, first tries and later ones, and return how many attempts were made."""
    calls, made = InFlight(outbound()), 0
    while True:
        _claim(calls, as_of)
        if not calls:
            return made
        made += calls.record_ended(as_of, TIMEOUT_SECONDS * 2)


def run_sender(app: Application, ended: threading.Event) -> None:
    """Send what falls due until told to end; survives a database that goes away and comes back."""
    with app.app_context():
        calls = InFlight(outbound())

    def send_round() -> bool:
        now = business_clock().now()
        _claim(calls, now)
        return calls.record_ended(now, IDLE_SECONDS) > 0

    run_rounds(app, ended, "notifications", send_round, IDLE_SECONDS)
    _finish(app, calls)


def _claim(calls: InFlight, as_of: datetime) -> None:
    free = MOST_AT_ONCE - len(calls)
    if free <= 0:
        return
    with transaction():
        claimed = claim_due(as_of, free)
    for one in claimed:
        calls.start(one)


def _finish(app: Application, calls: InFlight) -> None:
    ends = time.monotonic() + GRACE_SECONDS
    with app.app_context():
        while calls and time.monotonic() < ends:
            calls.record_ended(business_clock().now(), IDLE_SECONDS)
