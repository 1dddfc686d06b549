"""Reading what the card processor knows: events that came or were missed, and the movements of our balance.

Every step ends by itself and may be done again: events are handled by their row, movements booked by their key.
No network call is made within a transaction.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.funding.balance import FROM_THE_BEGINNING, book_movement, keep_movements, note_balance, unbooked
from billing.funding.calls import Verb, carry_out, due_calls
from billing.funding.give_backs import payment_of_part, record_sent_back, reference_of
from billing.funding.looks import look_from, note_look
from billing.funding.models import BalanceTransaction, CardNews
from billing.funding.recharge.cards import method_of, record_card_page
from billing.funding.recharge.charging import look_up_charge, record_charge, why_not_charged
from billing.funding.rows import do_each
from billing.funding.telling import explain, tell, tell_chargeback
from billing.funding.top_ups import record_checkout
from billing.stripe_gateway import Card, Gateway, News, Payment, SentBack
from core.db import db, transaction
from core.failpoints import failpoint
from core.http import business_clock

FIRST_READ = timedelta(days=7)


def verbs_of(gateway: Gateway) -> dict[str, Verb]:
    """Return how each kind of call is sent, looked up and recorded."""

    def look_up_part(part_id: UUID) -> SentBack | None:
        with transaction():
            payment_id = payment_of_part(part_id)
        sent = gateway.sent_back_of(payment_id) if payment_id else []
        return next((one for one in sent if reference_of(one) == part_id), None)

    def forget_again(card_id: UUID) -> Card:
        with transaction():
            method_id = method_of(card_id)
        card = gateway.card(method_id)
        # The one call that is sent again without its key: a card is forgotten once, however often that is asked.
        return card if card.customer_id is None else gateway.forget_card({"method": method_id}, f"again:{card_id}")

    def why_no_charge(top_up_id: UUID) -> str | None:
        return why_not_charged(top_up_id, business_clock().now())

    def record_charged(top_up_id: UUID, payment: Payment | None, why: str | None) -> None:
        record_charge(top_up_id, payment, why, business_clock().now())

    def record_back(part_id: UUID, sent: SentBack | None, why: str | None) -> None:
        record_sent_back(part_id, sent, why, business_clock().now())

    return {
        # A page that nobody was shown is paid by nobody: it is not looked for.
        "open_checkout": Verb(gateway.open_checkout, lambda _: None, record_checkout),
        "open_card_page": Verb(gateway.open_checkout, lambda _: None, record_card_page),
        "forget_card": Verb(gateway.forget_card, forget_again, lambda *_: None),
        "charge_card": Verb(
            gateway.charge_card, lambda charge: look_up_charge(gateway, charge), record_charged, why_no_charge
        ),
        "send_back": Verb(gateway.send_back, look_up_part, record_back),
    }


def send_calls(gateway: Gateway) -> int:
    """Send the calls that are due; return how many have come to an end."""
    with transaction():
        due = due_calls()
    verbs = verbs_of(gateway)
    return sum(carry_out(call_id, verbs, if_due=True) for call_id in due)


def keep_news(news: News, via: str) -> bool:
    """Keep an event under its id; False when it is kept already."""
    row = {"id": news.id, "kind": news.kind, "about": news.about, "object_id": news.object_id,
           "created_at": news.created_at, "received_at": datetime.now(UTC), "via": via, "raw": news.raw}  # fmt: skip
    kept = db.session.execute(insert(CardNews).values(row).on_conflict_do_nothing().returning(CardNews.id))
    return kept.first() is not None


def fetch_news(gateway: Gateway) -> int:
    """Fetch the events that no webhook brought; return how many there were."""
    began = datetime.now(UTC)
    with transaction():
        since = look_from("news", began - FIRST_READ, began)
    found = list(gateway.news_since(since))
    with transaction():
        note_look("news", began)
        return sum(keep_news(news, "poll") for news in reversed(found))


def handle_news(gateway: Gateway, at: datetime, most: int = 200) -> int:
    """Handle the events that wait, whatever their order; return how many."""
    with transaction():
        query = select(CardNews).where(CardNews.handled_at.is_(None))
        query = query.order_by(CardNews.misses, CardNews.received_at).limit(most)
        waiting = [(row.id, row.about, row.object_id or "") for row in db.session.scalars(query)]

    def handle(row: tuple[str, str, str]) -> None:
        news_id, about, object_id = row
        failpoint("news.taken")
        outcome = tell(gateway, about, object_id, at)
        failpoint("news.handled")
        with transaction():
            _end_news(news_id, outcome)
        failpoint("news.recorded")

    return do_each(CardNews, waiting, handle)


def _end_news(news_id: str, outcome: str) -> None:
    row = db.session.get_one(CardNews, news_id, with_for_update=True, populate_existing=True)
    row.handled_at, row.outcome = row.handled_at or datetime.now(UTC), row.outcome or outcome


def read_movements(gateway: Gateway) -> None:
    """Keep the movements of our balance since the last time."""
    began = datetime.now(UTC)
    with transaction():
        since = look_from("movements", FROM_THE_BEGINNING, began)
    found = list(gateway.movements_since(since))
    failpoint("balance.read")
    with transaction():
        keep_movements(found)
        note_look("movements", began)
    failpoint("balance.kept")


def book_movements(gateway: Gateway, at: datetime) -> int:
    """Book the movements that are kept and wait for it; return how many were looked at."""
    with transaction():
        waiting = [(row.id, row.kind, row.source_id or "") for row in unbooked()]

    def book(row: tuple[str, str, str]) -> None:
        movement_id, kind, source_id = row
        known = explain(gateway, kind, source_id, at)
        failpoint("movement.explained")
        with transaction():
            booked_as = book_movement(movement_id, known, at)
        failpoint("movement.booked")
        if booked_as == "chargeback_withdrawn":  # the bank may have decided before we saw the money go
            tell_chargeback(gateway, source_id, at)

    return do_each(BalanceTransaction, waiting, book)


def read_balance(gateway: Gateway, at: datetime) -> int:
    """Keep and book the movements of our balance since the last time; return how many were looked at."""
    read_movements(gateway)
    count = book_movements(gateway, at)
    told = gateway.balance()
    with transaction():
        note_balance(told)
    return count
