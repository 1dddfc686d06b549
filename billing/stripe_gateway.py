"""The one door to Stripe: our questions in, plain values out, and every failure told apart by what may have happened.

Only here does Stripe's client appear. A call is never repeated in here: whoever calls keeps the idempotency key and the
payload, and knows what became of the call before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import stripe

from core.http import kept_by_app, settings
from core.money import Money

T = TypeVar("T")
About = Literal["checkout", "payment", "refund", "chargeback", "card", "other"]
SECONDS = 20  # for an answer
PAGE = 100
KEPT = "leadbourse_stripe"  # under which an application keeps its door
API_VERSION = stripe.api_version


class Undecided(Exception):  # what happened is unknown, which is no error yet
    """Nobody knows whether the call took effect: ask again with the same key, or look it up."""


class Refused(Exception):  # an answer like another
    """Stripe decided against the call, and will say the same to its key again."""

    def __init__(self, code: str, says: str) -> None:
        self.code = code
        self.says = says
        super().__init__(f"{code}: {says}")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A hosted payment page, and how far it has come."""

    id: str
    url: str | None
    state: Literal["open", "complete", "expired"]
    payment_id: str | None
    reference: str | None
    setup_id: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What a card was asked for, and whether it has paid; `reference` is what we named it by.

    `saves` is the card that its owner let us keep by paying.
    """

    id: str
    is_paid: bool
    money: Money
    customer_id: str | None
    reference: str | None
    card: str | None = None  # as "Visa •• 4242"
    saves: str | None = None
    is_failed: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A card at Stripe; without a customer it is of no use to us any more. Saved twice, it has one fingerprint."""

    id: str
    customer_id: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of our balance: what it was (in Stripe's words), and its source there."""

    id: str
    kind: str
    source_id: str | None
    money: Money
    fee: Money
    created_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """An event, what it is about, and the bytes that told of it."""

    id: str
    kind: str
    about: About
    object_id: str | None
    created_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class SentBack:
    """A refund, and how far it has come."""

    id: str
    state: Literal["pending", "sent", "failed"]
    money: Money
    payment_id: str | None
    reference: str | None
    why: str


@dataclass(frozen=True, slots=True)
class ChargedBack:
    """A chargeback as it stands; `dropped` is a question of the bank's that ended before money moved."""

    id: str
    payment_id: str | None
    money: Money
    state: Literal["open", "won", "lost", "dropped"]
    reason: str


class Gateway:
    """Stripe's account of this installation; threads may share it."""

    def __init__(self, secret_key: str, api_base: str | None, webhook_secret: str | None, wire: Any = None) -> None:
        self._webhook_secret = webhook_secret
        bases: Any = {"api": api_base} if api_base else {}
        wire = wire or stripe.RequestsClient(timeout=SECONDS)
        self._client = stripe.StripeClient(secret_key, base_addresses=bases, max_network_retries=0, http_client=wire).v1

    def open_checkout(self, payload: Any, key: str) -> Checkout:
        """Open a hosted payment page."""
        return _checkout(_ask(lambda: self._client.checkout.sessions.create(payload, _with(key))))

    def checkout(self, session_id: str) -> Checkout:
        """Read a payment page as it stands now."""
        return _checkout(_ask(lambda: self._client.checkout.sessions.retrieve(session_id)))

    def payment(self, payment_id: str) -> Payment:
        """Read a payment as it stands now."""
        asked: Any = {"expand": ["latest_charge"]}
        return _payment(_ask(lambda: self._client.payment_intents.retrieve(payment_id, asked)))

    def payment_of_charge(self, charge_id: str) -> Payment | None:
        """Read the payment that a charge belongs to; None for a charge without one."""
        charge = _ask(lambda: self._client.charges.retrieve(charge_id))
        payment_id = _id_of(charge.payment_intent)
        return self.payment(payment_id) if payment_id else None

    def charge_card(self, payload: Any, key: str) -> Payment:
        """Charge a saved card without its owner; Refused says why its bank declined."""
        return _payment(_ask(lambda: self._client.payment_intents.create(payload, _with(key))))

    def payments_of(self, customer_id: str, since: datetime) -> Iterator[Payment]:
        """Read the payments of a customer from an instant on."""
        asked: dict[str, Any] = {"customer": customer_id, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
        asked |= {"expand": ["data.latest_charge"]}
        for one in _pages(self._client.payment_intents.list, asked):
            yield _payment(one)

    def card(self, method_id: str) -> Card:
        """Read a saved card as it stands now."""
        return _card(_ask(lambda: self._client.payment_methods.retrieve(method_id)))

    def card_of_setup(self, setup_id: str) -> Card | None:
        """Read the card that was saved on a page; None while none was."""
        intent = _ask(lambda: self._client.setup_intents.retrieve(setup_id))
        method_id = _id_of(intent.payment_method)
        return self.card(method_id) if intent.status == "succeeded" and method_id else None

    def forget_card(self, payload: Any, key: str) -> Card:
        """Detach a card from its customer, so that nobody can charge it any more."""
        return _card(_ask(lambda: self._client.payment_methods.detach(payload["method"], {}, _with(key))))

    def send_back(self, payload: Any, key: str) -> SentBack:
        """Send money back to the card that paid it."""
        return _sent_back(_ask(lambda: self._client.refunds.create(payload, _with(key))))

    def sent_back(self, refund_id: str) -> SentBack:
        """Read a refund as it stands now."""
        return _sent_back(_ask(lambda: self._client.refunds.retrieve(refund_id)))

    def sent_back_of(self, payment_id: str) -> list[SentBack]:
        """Read all refunds of one payment."""
        asked: dict[str, Any] = {"payment_intent": payment_id, "limit": PAGE}
        return [_sent_back(one) for one in _pages(self._client.refunds.list, asked)]

    def charged_back(self, chargeback_id: str) -> ChargedBack:
        """Read a chargeback as it stands now."""
        return _charged_back(_ask(lambda: self._client.disputes.retrieve(chargeback_id)))

    def movements_since(self, instant: datetime) -> Iterator[Movement]:
        """Read the movements of our balance from an instant on, the newest first, as Stripe lists them."""
        asked: dict[str, Any] = {"created": {"gte": int(instant.timestamp())}, "limit": PAGE}
        for one in _pages(self._client.balance_transactions.list, asked):
            yield _movement(one)

    def news_since(self, instant: datetime) -> Iterator[News]:
        """Read the events from an instant on, the newest first; Stripe keeps them for 30 days."""
        asked: dict[str, Any] = {"created": {"gte": int(instant.timestamp())}, "limit": PAGE}
        for one in _pages(self._client.events.list, asked):
            yield _news(one, str(one).encode())

    def balance(self) -> dict[str, int]:
        """Return what Stripe owes us, available and pending together, in minor units by currency."""
        told: Any = _ask(self._client.balance.retrieve)
        sums: dict[str, int] = {}
        for part in (*told.available, *told.pending):
            currency = part.currency.upper()
            sums[currency] = sums.get(currency, 0) + part.amount
        return sums

    def told(self, raw: bytes, signature: str | None) -> News | None:
        """Read an event that Stripe sent; None when its signature is wrong or old, or it is none."""
        try:
            event = stripe.Webhook.construct_event(raw, signature or "", self._webhook_secret or "")
            return _news(event, raw)
        except (stripe.SignatureVerificationError, ValueError, AttributeError, KeyError, TypeError):
            return None


def gateway() -> Gateway:
    """Return this application's door to Stripe."""
    said = settings()
    return kept_by_app(
        KEPT,
        lambda: Gateway(said.stripe_secret_key or "none", said.stripe_api_base, said.stripe_webhook_secret),
    )


def _with(key: str) -> Any:
    return {"idempotency_key": key}


# Whoever is asked with a wrong key, or with a used one, decides nothing of what an earlier attempt has done.
_UNDECIDED = (
    stripe.RateLimitError, stripe.APIConnectionError, stripe.AuthenticationError, stripe.PermissionError,
    stripe.IdempotencyError,
)  # fmt: skip


def _ask(call: Callable[[], T]) -> T:
    try:
        return call()
    except _UNDECIDED as error:
        raise Undecided(_says(error)) from error
    except stripe.StripeError as error:
        # 409: another request with the key is under way. Whatever has no status never got an answer.
        if error.http_status is None or error.http_status >= 500 or error.http_status == 409:
            raise Undecided(_says(error)) from error
        raise Refused(str(error.code or f"http_{error.http_status}"), _says(error)) from error


def _says(error: stripe.StripeError) -> str:
    return str(error.user_message or error)[:500]


def _pages(ask: Callable[[Any], Any], asked: dict[str, Any]) -> Iterator[Any]:
    after: dict[str, Any] = {}
    while True:
        page = _ask(lambda: ask(asked | after))  # noqa: B023  # called before `after` moves
        yield from page.data
        if not page.has_more or not page.data:
            return
        after = {"starting_after": page.data[-1].id}


def _id_of(named: Any) -> str | None:
    return named if named is None or isinstance(named, str) else str(named.id)


def _money(minor: int, currency: str) -> Money:
    return Money(minor, currency.upper())


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _reference(metadata: Any) -> str | None:
    return getattr(metadata, "leadbourse", None)


def _checkout(session: Any) -> Checkout:
    return Checkout(
        session.id, session.url, session.status, _id_of(session.payment_intent), _reference(session.metadata),
        _id_of(session.setup_intent),
    )  # fmt: skip


def _payment(intent: Any) -> Payment:
    money = _money(intent.amount_received or intent.amount, intent.currency)
    paid = intent.status == "succeeded"
    saves = _id_of(intent.payment_method) if paid and intent.setup_future_usage == "off_session" else None
    failed = intent.status in ("requires_payment_method", "canceled")
    return Payment(
        intent.id, paid, money, _id_of(intent.customer), _reference(intent.metadata), _card_name(intent), saves, failed
    )


def _card_name(intent: Any) -> str | None:
    details = getattr(intent.latest_charge, "payment_method_details", None)
    card = getattr(details, "card", None)
    return f"{str(card.brand).replace('_', ' ').title()} •• {card.last4}" if card else None


def _card(method: Any) -> Card:
    card = method.card
    return Card(
        method.id, _id_of(method.customer), card.brand, card.last4, card.exp_month, card.exp_year, card.fingerprint
    )


def _movement(one: Any) -> Movement:
    money, fee = _money(one.amount, one.currency), _money(one.fee, one.currency)
    return Movement(one.id, one.type, _id_of(one.source), money, fee, _at(one.created))


# By how an event's type begins.
_ABOUT: dict[str, About] = {
    "checkout.session.": "checkout", "payment_intent.": "payment", "refund.": "refund", "charge.refund.": "refund",
    "charge.dispute.": "chargeback", "payment_method.": "card",
}  # fmt: skip


def _news(event: Any, raw: bytes) -> News:
    about: About = next((about for start, about in _ABOUT.items() if event.type.startswith(start)), "other")
    told = event.data.object
    return News(event.id, event.type, about, getattr(told, "id", None), _at(event.created), raw)


_REFUND_STATES: dict[str, Literal["pending", "sent", "failed"]] = {
    "succeeded": "sent", "failed": "failed", "canceled": "failed",
}  # fmt: skip


def _sent_back(refund: Any) -> SentBack:
    state = _REFUND_STATES.get(refund.status or "", "pending")
    money = _money(refund.amount, refund.currency)
    why = getattr(refund, "failure_reason", None) or ""
    return SentBack(refund.id, state, money, _id_of(refund.payment_intent), _reference(refund.metadata), why)


_CHARGEBACK_STATES: dict[str, Literal["open", "won", "lost", "dropped"]] = {
    "won": "won", "lost": "lost", "warning_closed": "dropped", "prevented": "dropped",
}  # fmt: skip


def _charged_back(one: Any) -> ChargedBack:
    state = _CHARGEBACK_STATES.get(one.status, "open")
    return ChargedBack(one.id, _id_of(one.payment_intent), _money(one.amount, one.currency), state, one.reason)
