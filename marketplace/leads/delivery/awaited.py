"""Buyers who answer inside the publisher's call: each is asked once, whoever refuses is followed by the next, in time.

The sale function leaves the deliveries to sync orders in the hands of its caller, under a lease; so the courier does
not touch them, and takes them up should the process die. No transaction or connection is held during a call, and no
place in the crew that answers requests.
What cannot be decided in time the courier carries on with; the lead is pending then.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core import idempotency
from core.crew import resting
from core.db import LOST_DATABASE, Application, db, is_lost, present_app, transaction
from core.errors import Unavailable
from core.http import settings
from marketplace.leads.delivery.courier import PAUSED, send_posting, unsent
from marketplace.leads.delivery.endpoints import admits
from marketplace.leads.delivery.log import Sent, write_attempt
from marketplace.leads.delivery.models import DeliveryAttempt, DeliveryRow
from marketplace.leads.delivery.next_buyer import OVER, Behind
from marketplace.leads.delivery.outcomes import pass_on_ended, settle_attempt
from marketplace.leads.delivery.posting import Posting, Prepared, postings_of
from marketplace.leads.delivery.waits import waits
from marketplace.leads.desk import desk
from marketplace.leads.intake import Received, Sender
from marketplace.leads.models import Lead, Sale

log = logging.getLogger(__name__)

LEAST_SECONDS = 1.0  # with less time than this left nobody is called


class _Call(NamedTuple):
    """One try to deliver a sale, written down and not yet made; `cut_ms` is its time when the order is due more."""

    sale_id: UUID
    posting: Prepared | None  # None when its endpoint is paused: nothing is sent
    cut_ms: float | None

    def is_cut_short(self, sent: Sent) -> bool:
        """Tell whether there was no answer because the lead's time was over before the order's."""
        return self.cut_ms is not None and sent.status is None and sent.milliseconds >= self.cut_ms - 1


def is_awaited(result: dict[str, Any]) -> bool:
    """Tell whether what the sale function said leaves buyers to be asked by its caller."""
    return any("sync" in sale for sale in result["sales"])


def answered(received: Received, sender: Sender) -> Received:
    """Return what the sender is told: what the sale function said or, when it left buyers to be asked, what came of it.

    A repetition under the same Idempotency-Key gets the final answer; Conflict while the first call may still run. If
    that one died, the answer is how the lead stands now, from now on.
    """
    if received.replayed:
        first = received.result["answer"]
        if not is_awaited(first):
            return received
        _refuse_while_running(sender)
        return Received(received.result | {"answer": _final(first, sender)}, replayed=True)
    if not is_awaited(received.result):
        return received
    return Received(ask_buyers(received.result, sender))


def ask_buyers(first: dict[str, Any], sender: Sender) -> dict[str, Any]:
    """Ask the buyers of a lead that was sold to sync orders; return how it stands then, in the sale function's words.

    Pending when that cannot be told, be it only because the database went away meanwhile: the courier carries on.
    """
    ends_at = time.monotonic() + settings().sync_seconds
    try:
        to_ask = [UUID(sale["id"]) for sale in first["sales"] if "sync" in sale]
        while to_ask:
            to_ask = _ask_all(to_ask, ends_at)
        return _final(first, sender)
    except (DBAPIError, Unavailable, *LOST_DATABASE) as error:
        if isinstance(error, DBAPIError) and not is_lost(error):
            raise
        log.warning("a lead stays pending: %s", error)
        return first | {"status": "pending"}


# -- asking ------------------------------------------------------------------------------------------------------------


def _ask_all(sale_ids: list[UUID], ends_at: float) -> list[UUID]:
    """Ask the buyers of some sales of one lead at once, and return the sales to those who are next and sync."""
    with _begun(sale_ids, ends_at) as calls:
        with resting():
            sent = _send_all([call.posting for call in calls])
        following = [_record(*each) for each in zip(calls, sent, strict=True)]
    return [sale_id for sale_id in following if sale_id is not None]


@contextmanager
def _begun(sale_ids: list[UUID], ends_at: float) -> Iterator[list[_Call]]:
    """Write down a try for each sale that may be called now; the others are left to the courier, at once."""
    entered: list[UUID] = []
    try:
        begun = [_begin(sale_id, ends_at, entered) for sale_id in sale_ids]
        yield [call for call in begun if call is not None]
    finally:
        for order_id in entered:
            waits().leave(order_id)


def _begin(sale_id: UUID, ends_at: float, entered: list[UUID]) -> _Call | None:
    """Begin the try of a sale in a transaction of its own: the locks of two endpoints would be taken in no order."""
    seconds_left = ends_at - time.monotonic()
    with transaction():
        row = _row_in_hand(sale_id)
        if row is None:
            return None
        if seconds_left < LEAST_SECONDS or not waits().enter(row.order_id):
            row.state, row.lease_until = "waiting", None
            return None
        entered.append(row.order_id)
        row.attempts = 1
        db.session.add(DeliveryAttempt(sale_id=sale_id, number=1, started_at=_now()))
        posting = postings_of([sale_id])[sale_id] if admits(row, _now()) else None
        return _call_of(sale_id, posting, seconds_left)


def _row_in_hand(sale_id: UUID) -> DeliveryRow | None:
    """Lock a delivery that is ours to begin; None when a courier has found its lease run out."""
    query = select(DeliveryRow).where(DeliveryRow.sale_id == sale_id, DeliveryRow.state == "in_hand")
    return db.session.scalar(query.where(DeliveryRow.attempts == 0).with_for_update())


def _call_of(sale_id: UUID, posting: Prepared | None, seconds_left: float) -> _Call:
    if not isinstance(posting, Posting) or posting.timeout_seconds <= seconds_left:
        return _Call(sale_id, posting, None)
    return _Call(sale_id, posting._replace(timeout_seconds=seconds_left), seconds_left * 1000)


def _send_all(postings: list[Prepared | None]) -> list[Sent]:
    """Make all calls at once; most leads need only one, which needs no other thread."""
    if len(postings) < 2:
        return [_send(posting) for posting in postings]
    with ThreadPoolExecutor(len(postings), "awaited") as pool:
        app = present_app()
        under_way = [pool.submit(_send_in, app, posting) for posting in postings]
        return [one.result() for one in under_way]


def _send_in(app: Application, posting: Prepared | None) -> Sent:
    with app.app_context():
        return _send(posting)


def _send(posting: Prepared | None) -> Sent:
    return unsent(PAUSED) if posting is None else send_posting(posting)


def _record(call: _Call, sent: Sent) -> UUID | None:
    """Let one answer take effect; when it ended the sale, return the sale to the next buyer if he is to be asked too.

    An error ends it at once, but one of too little time is nobody's: then the courier tries again.
    """
    with transaction():
        write_attempt(call.sale_id, 1, sent)
        is_to_pass_on = settle_attempt(call.sale_id, sent.verdict, _now(), once=not call.is_cut_short(sent))
    if not is_to_pass_on:
        return None
    try:
        with transaction():
            return pass_on_ended(call.sale_id, _now(), desk().intake.lease)
    except Behind:
        log.info("the courier looks for the next buyer of sale %s: the clock lags", call.sale_id)
        return None


def _now() -> datetime:
    return desk().intake.clock.now()


# -- answering ---------------------------------------------------------------------------------------------------------


def _refuse_while_running(sender: Sender) -> None:
    assert sender.idempotency_key is not None
    with transaction():
        at = idempotency.answered_at(sender.account_id, sender.route, sender.idempotency_key)
    if at is not None and datetime.now(UTC) < at + desk().intake.lease:
        raise idempotency.in_progress()


def _final(first: dict[str, Any], sender: Sender) -> dict[str, Any]:
    """Return how the lead stands now, kept as the answer of the sender's Idempotency-Key if there is one."""
    with transaction():
        final = _as_it_stands(first)
        if sender.idempotency_key is None:
            return final
        kept: dict[str, Any] = idempotency.revise(sender.account_id, sender.route, sender.idempotency_key, first, final)
        return kept


def _as_it_stands(first: dict[str, Any]) -> dict[str, Any]:
    """Say how a lead stands in the words of the sale function; sales that came to nothing are left out."""
    lead = db.session.get_one(Lead, UUID(first["id"]))
    query = select(Sale).where(Sale.lead_id == lead.id, Sale.state.not_in(OVER)).order_by(Sale.id)
    sales = [
        {"id": str(sale.id), "price": sale.price_minor, "payout": sale.payout_minor, "state": sale.state,
         "release_at": sale.release_at.isoformat() if sale.release_at else None}
        for sale in db.session.scalars(query)
    ]  # fmt: skip
    return first | {"status": lead.status, "sales": sales, "redirect_url": redirects_of([lead.id]).get(lead.id)}


def redirects_of(lead_ids: list[UUID]) -> dict[UUID, str]:
    """Return where the buyers of leads want the persons to go on; of several, the best paying."""
    query = select(DeliveryRow.lead_id, DeliveryRow.redirect_url).join(Sale, Sale.id == DeliveryRow.sale_id)
    query = query.where(DeliveryRow.lead_id.in_(lead_ids), DeliveryRow.redirect_url.is_not(None))
    rows = db.session.execute(query.order_by(Sale.price_minor, Sale.id.desc())).all()
    return {lead_id: url for lead_id, url in rows if url is not None}
