"""Reading what the card processor knows: events that came or were missed, and the movements of our balance.

Every step ends by itself and may be done again: events are handled by their row, movements booked by their key.
No network call is made within a transaction.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from billing.funding.balance import (
    NOTHING,
    PAYMENTS,
    REFUNDS,
    Explained,
    book_movement,
    keep_movements,
    note_balance,
    read_from,
    unbooked,
)
from billing.funding.calls import Verb, carry_out, due_calls
from billing.funding.chargebacks import announce_chargeback
from billing.funding.give_backs import payment_of_part, record_sent_back, reference_of, settle_sent_back
from billing.funding.models import CardNews
from billing.funding.top_ups import expire_top_up, record_checkout, settle_payment
from billing.stripe_gateway import Gateway, News, Refused, SentBack
from core.db import db, transaction
from core.failpoints import failpoint

OVERLAP = timedelta(hours=1)
FIRST_READ = timedelta(days=7)
CHARGEBACK_IDS = ("du_", "dp_")
Tells = Callable[[Gateway, str, datetime], str]


def verbs_of(gateway: Gateway) -> dict[str, Verb]:
    """Return how each kind of call is sent, looked up and recorded."""

    def look_up_part(part_id: UUID) -> SentBack | None:
        with transaction():
            payment_id = payment_of_part(part_id)
        sent = gateway.sent_back_of(payment_id) if payment_id else []
        return next((one for one in sent if reference_of(one) == part_id), None)

    return {
        # A page that nobody was shown is paid by nobody: it is not looked for.
        "open_checkout": Verb(gateway.open_checkout, lambda _: None, record_checkout),
        "send_back": Verb(gateway.send_back, look_up_part, record_sent_back),
    }


def send_calls(gateway: Gateway) -> int:
    """Send the calls that are due; return how many have come to an end."""
    with transaction():
        due = due_calls()
    return sum(carry_out(call_id, verbs_of(gateway)) for call_id in due)


def keep_news(news: News, via: str) -> bool:
    """Keep an event under its id; False when it is kept already."""
    row = {"id": news.id, "kind": news.kind, "about": news.about, "object_id": news.object_id,
           "created_at": news.created_at, "received_at": datetime.now(UTC), "via": via, "raw": news.raw}  # fmt: skip
    kept = db.session.execute(insert(CardNews).values(row).on_conflict_do_nothing().returning(CardNews.id))
    return kept.first() is not None


def fetch_news(gateway: Gateway) -> int:
    """Fetch the events that no webhook brought; return how many there were."""
    with transaction():
        newest = db.session.scalar(select(func.max(CardNews.created_at)))
    found = list(gateway.news_since(newest - OVERLAP if newest else datetime.now(UTC) - FIRST_READ))
    with transaction():
        return sum(keep_news(news, "poll") for news in reversed(found))


def handle_news(gateway: Gateway, at: datetime, most: int = 200) -> int:
    """Handle the events that wait, whatever their order; return how many."""
    with transaction():
        query = select(CardNews).where(CardNews.handled_at.is_(None)).order_by(CardNews.received_at).limit(most)
        waiting = [(row.id, row.about, row.object_id or "") for row in db.session.scalars(query)]
    for news_id, about, object_id in waiting:
        failpoint("news.taken")
        outcome = _handle(gateway, about, object_id, at)
        failpoint("news.handled")
        with transaction():
            row = db.session.get_one(CardNews, news_id, with_for_update=True, populate_existing=True)
            row.handled_at, row.outcome = row.handled_at or datetime.now(UTC), row.outcome or outcome
        failpoint("news.recorded")
    return len(waiting)


def read_balance(gateway: Gateway, at: datetime) -> int:
    """Keep and book the movements of our balance since the last time; return how many were booked."""
    with transaction():
        since = read_from()
    found = list(gateway.movements_since(since))
    failpoint("balance.read")
    with transaction():
        keep_movements(found)
        waiting = [(row.id, row.kind, row.source_id or "") for row in unbooked()]
    failpoint("balance.kept")
    for movement_id, kind, source_id in waiting:
        known = _explain(gateway, kind, source_id, at)
        failpoint("movement.explained")
        with transaction():
            booked_as = book_movement(movement_id, known, at)
        failpoint("movement.booked")
        if booked_as == "chargeback_withdrawn":  # the bank may have decided before we saw the money go
            _tell_chargeback(gateway, source_id, at)
    told = gateway.balance()
    with transaction():
        note_balance(told)
    return len(waiting)


def _handle(gateway: Gateway, about: str, object_id: str, at: datetime) -> str:
    tells = _TELLS.get(about)
    if tells is None:
        return "ignored"
    try:
        return tells(gateway, object_id, at)
    except Refused as refused:  # the event tells of what does not exist
        return f"refused: {refused.code}"


def _tell_checkout(gateway: Gateway, session_id: str, at: datetime) -> str:
    checkout = gateway.checkout(session_id)
    if checkout.payment_id is not None:
        return _tell_payment(gateway, checkout.payment_id, at)
    with transaction():
        return expire_top_up(checkout)


def _tell_payment(gateway: Gateway, payment_id: str, at: datetime) -> str:
    payment = gateway.payment(payment_id)
    failpoint("payment.read")
    with transaction():
        return settle_payment(payment, at)


def _tell_refund(gateway: Gateway, refund_id: str, _: datetime) -> str:
    sent = gateway.sent_back(refund_id)
    failpoint("refund.read")
    with transaction():
        return settle_sent_back(sent)


def _tell_chargeback(gateway: Gateway, chargeback_id: str, at: datetime) -> str:
    told = gateway.charged_back(chargeback_id)
    failpoint("chargeback.read")
    with transaction():
        return announce_chargeback(told, at)


_TELLS: dict[str, Tells] = {
    "checkout": _tell_checkout, "payment": _tell_payment, "refund": _tell_refund, "chargeback": _tell_chargeback,
}  # fmt: skip


def _explain(gateway: Gateway, kind: str, source_id: str, at: datetime) -> Explained:
    """Find what a movement belongs to, settling it first, as its event may be late or lost."""
    try:
        if kind in PAYMENTS:
            payment = gateway.payment_of_charge(source_id)
            if payment is not None:
                _tell_payment(gateway, payment.id, at)
                return Explained(payment_id=payment.id)
        elif kind in REFUNDS:
            _tell_refund(gateway, source_id, at)
            return Explained(part_id=reference_of(gateway.sent_back(source_id)))
        elif source_id.startswith(CHARGEBACK_IDS):
            _tell_chargeback(gateway, source_id, at)
            return Explained(chargeback_id=source_id)
    except Refused:
        return NOTHING
    return NOTHING
