"""Files are gathered, taken in hand, handed over without a transaction, and what came of it is recorded.

Who dies with a file in hand leaves a lease that ends; then somebody puts the same file under the same name again, and
its sales are delivered once. Its threads are its own: a slow server holds up other files alone, and few of them.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from core.clock import Clock
from core.db import Application, db, is_lost, present_app, transaction
from core.errors import Invalid
from core.http import business_clock
from core.outbox import announce
from core.rounds import run_rounds
from marketplace.leads.delivery.answers import Verdict
from marketplace.leads.delivery.files.gathering import gather
from marketplace.leads.delivery.files.models import DeliveryFile, FiledSale
from marketplace.leads.delivery.files.outgoing import Handed, Outgoing, file_name, hand_over, outgoing_of
from marketplace.leads.delivery.outcomes import give_up, settle_attempt
from marketplace.leads.models import Event
from marketplace.orders.models import Order
from marketplace.orders.standing import pause_order

log = logging.getLogger(__name__)

HANDS = 6
LOOK_SECONDS = 5
LEASE_SECONDS = 300  # longer than any file may take
ACTOR = "system:files"
# Seconds after the slot: the quick tries of a delivery, then some hours, since nobody waits by the minute for a file.
TRIES = (0, 5, 30, 120, 300, 600, 3600, 10_800, 21_600)
TOLD_AT = 3  # failed tries, when the buyer hears of it first
_CLAIM = text("""
    UPDATE marketplace.delivery_files SET state = 'in_hand', attempts = attempts + 1, lease_until = :lease
    WHERE id IN (SELECT id FROM marketplace.delivery_files
                 WHERE state = 'waiting' AND next_attempt_at <= :now OR state = 'in_hand' AND lease_until < :real
                 ORDER BY next_attempt_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_LOG = text("""
    INSERT INTO marketplace.delivery_attempts (sale_id, number, started_at, outcome, reason, status, milliseconds)
    SELECT sale_id, :number, :at, :outcome, :reason, :status, :milliseconds
    FROM marketplace.filed_sales WHERE file_id = :file
    ON CONFLICT DO NOTHING
""")


def deliver_files(as_of: datetime) -> int:
    """Gather what is due by then and try each file that is due, in rounds until none is; return how many tries."""
    app, made = present_app(), 0
    with ThreadPoolExecutor(HANDS, thread_name_prefix="files") as hands:
        while claimed := _take(as_of, HANDS):
            made += len(claimed)
            list(hands.map(lambda file_id: _deliver(app, file_id, lambda: as_of), claimed))
    return made


def run_files(app: Application, ended: threading.Event) -> None:
    """Deliver files until told to end; survives a database that goes away and comes back."""
    with app.app_context():
        clock: Clock = business_clock()
    busy: list[Future[None]] = []
    with ThreadPoolExecutor(HANDS, thread_name_prefix="files") as hands:

        def one_round() -> bool:
            busy[:] = [one for one in busy if not one.done()]
            taken = _take(clock.now(), HANDS - len(busy))
            busy.extend(hands.submit(_deliver, app, file_id, clock.now) for file_id in taken)
            return False

        run_rounds(app, ended, "files", one_round, LOOK_SECONDS)


def _take(now: datetime, most: int) -> list[UUID]:
    """Gather, then take files in hand: two transactions, so that a slot which somebody else fills holds up no claim."""
    with transaction():
        gather(now)
    real = datetime.now(UTC)
    lease = real + timedelta(seconds=LEASE_SECONDS)
    with transaction():
        return list(db.session.scalars(_CLAIM, {"now": now, "real": real, "lease": lease, "most": most}))


def _deliver(app: Application, file_id: UUID, now: Callable[[], datetime]) -> None:
    """Make one try that was claimed."""
    try:
        with app.app_context():
            with transaction():
                written = _written(file_id)
            handed = hand_over(written) if isinstance(written, Outgoing) else written
            with transaction():
                _record(file_id, handed, now())
    except Exception as error:  # noqa: BLE001  # the outermost loop of one try; its lease brings it back
        log.warning("a file waits: %s", error) if is_lost(error) else log.exception("a file failed")


def _written(file_id: UUID) -> Outgoing | Handed:
    try:
        return outgoing_of(db.session.get_one(DeliveryFile, file_id))
    except Invalid as unwritable:
        return Handed("error", f"{unwritable.code}: {unwritable.detail}"[:300])


def _record(file_id: UUID, handed: Handed, at: datetime) -> None:
    """Let the outcome take effect for the file and all of its sales, once, whoever answers late."""
    file = db.session.get_one(DeliveryFile, file_id, with_for_update=True)
    if file.ended_at is not None:
        return
    said = {"number": file.attempts, "at": at, "file": file.id, **handed._asdict()}
    db.session.execute(_LOG, said)
    file.lease_until, file.reason = None, handed.reason or None
    again = None if handed.outcome == "refused" else _next_try(file, at)
    if handed.outcome == "accepted":
        _end(file, "taken", at)
        for sale_id in _sales_in(file.id):
            settle_attempt(sale_id, Verdict("accepted", reference=file_name(file)), at)
    elif again is not None:
        file.state, file.next_attempt_at = "waiting", again
        if file.attempts == TOLD_AT:
            _tell(file, at)
    else:
        _give_up(file, "refused" if handed.outcome == "refused" else "failed", at)


def _give_up(file: DeliveryFile, state: str, at: datetime) -> None:
    """End the file and its sales, whose leads go to the next buyers, and pause the order that has nowhere to go."""
    _end(file, "failed", at)
    for sale_id in _sales_in(file.id):
        give_up(sale_id, state, file.reason or "", at)
    if pause_order(file.order_id, ACTOR, at) is not None:
        db.session.add(Event(subject_id=file.order_id, at=at, move="active>paused", actor=ACTOR, why=file.reason))
    _tell(file, at)


def _end(file: DeliveryFile, state: str, at: datetime) -> None:
    file.state, file.ended_at = state, at
    db.session.flush()


def _sales_in(file_id: UUID) -> list[UUID]:
    """Return the sales of a file in the order in which their rows are locked."""
    return list(db.session.scalars(select(FiledSale.sale_id).where(FiledSale.file_id == file_id).order_by("sale_id")))


def _next_try(file: DeliveryFile, at: datetime) -> datetime | None:
    """Return when to try again: after the slot as the tries say, but not sooner than they are apart; None after all."""
    if file.attempts >= len(TRIES):
        return None
    apart = TRIES[file.attempts] - TRIES[file.attempts - 1]
    return max(file.slot + timedelta(seconds=TRIES[file.attempts]), at + timedelta(seconds=apart))


def _tell(file: DeliveryFile, at: datetime) -> None:
    """Tell the buyer that a file is not taken, with the reason, and whether it will be tried again."""
    buyer_id = db.session.get_one(Order, file.order_id).buyer_id
    data = {
        "order": str(file.order_id),
        "file": file_name(file),
        "why": file.reason,
        "given_up": file.state == "failed",
    }
    announce(
        "notice", {"event": "order.file_not_taken", "at": at.isoformat(), "accounts": [str(buyer_id)], "data": data}
    )
