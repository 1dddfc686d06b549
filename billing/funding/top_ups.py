"""Top-ups: somebody asks for a payment page, pays there by card, and finds the same amount in the wallet, once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from billing.currencies import CURRENCIES
from billing.documents.issuing import Paid, issue_receipt
from billing.funding.calls import write_call
from billing.funding.models import CardCustomer, TopUp
from billing.funding.page_cap import demand_page
from billing.funding.recharge.payer import lock_payer
from billing.ledger import AVAILABLE, CLEARING, SUSPENSE, Line, post
from billing.stripe_gateway import Checkout, Payment
from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

LEAST_MINOR = 100  # of what is not the first payment of a newcomer
ACTOR = "system:cards"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays: the account, since when it is here if it registered by itself, and who asks for it."""

    account_id: UUID
    registered_at: datetime | None
    actor: str


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the payment page sends people back."""

    paid: str
    left: str


def order_top_up(
    payer: Payer, money: Money, ways: Ways, at: datetime, *, saves_card: bool = False
) -> tuple[UUID, UUID]:
    """Ask for a payment page; return the top-up's id and that of the call that opens the page.

    With `saves_card` whoever pays there lets us keep the card, to be charged later without them.

    Invalid, with the field, for an amount or currency that is not taken, and above what a newcomer may pay by card;
    TooMany once the account has opened as many pages within a day as it may.
    """
    lock_payer(payer.account_id)  # two at once would each fit under a newcomer's limit
    demand_page(payer.account_id, at)
    _check(payer, money, at)
    top_up = TopUp(id=new_id(), account_id=payer.account_id, currency=money.currency, amount_minor=money.minor,
                   actor=payer.actor, opened_at=at)  # fmt: skip
    db.session.add(top_up)
    db.session.flush()
    customer = db.session.get(CardCustomer, payer.account_id)
    payload = _payload(top_up, ways, customer)
    if saves_card:
        payload["payment_intent_data"]["setup_future_usage"] = "off_session"
    return top_up.id, write_call("open_checkout", top_up.id, payload, is_in_hand=True)


def get_top_up(account_id: UUID, top_up_id: UUID) -> TopUp:
    """Return an account's top-up; NotFound for anybody else's."""
    top_up = db.session.get(TopUp, top_up_id, populate_existing=True)
    if top_up is None or top_up.account_id != account_id:
        raise NotFound(detail="There is no top-up of yours with this id.")
    return top_up


def top_ups_of(account_id: UUID, most: int = 50) -> list[TopUp]:
    """Return an account's top-ups, the newest first."""
    query = select(TopUp).where(TopUp.account_id == account_id)
    return list(db.session.scalars(query.order_by(TopUp.opened_at.desc(), TopUp.id.desc()).limit(most)))


def find_session(account_id: UUID, session_id: str) -> TopUp | None:
    """Return an account's top-up by the payment page's id."""
    return db.session.scalar(select(TopUp).where(TopUp.session_id == session_id, TopUp.account_id == account_id))


def record_checkout(top_up_id: UUID, checkout: Checkout | None, why: str | None) -> None:
    """Note the payment page that was opened, or why none was."""
    top_up = db.session.get_one(TopUp, top_up_id, with_for_update=True, populate_existing=True)
    if top_up.state != "opening":
        return
    if checkout is None:
        top_up.state, top_up.why, top_up.ended_at = "refused", why, datetime.now(UTC)
        if (why or "").startswith("resource_missing"):  # the customer is gone there, and would be refused for ever
            db.session.execute(delete(CardCustomer).where(CardCustomer.account_id == top_up.account_id))
        return
    top_up.state, top_up.session_id, top_up.checkout_url = "open", checkout.id, checkout.url


def expire_top_up(checkout: Checkout, at: datetime) -> str:
    """End a top-up whose page has expired unpaid."""
    top_up = referred(checkout.reference)
    if top_up is None:
        return "unknown"
    if checkout.state != "expired" or top_up.state not in ("opening", "open"):
        return "nothing_to_do"
    top_up.state, top_up.ended_at = "expired", at
    return "expired"


def settle_payment(payment: Payment, at: datetime) -> str:
    """Book a payment that has arrived, once: into the wallet, or set aside when it is not what was asked for.

    A page that had expired for us and was paid all the same counts: the money is there. Returns what it came to.
    """
    top_up = referred(payment.reference)
    if top_up is None or top_up.payment_id not in (None, payment.id):
        return "unknown"
    if not payment.is_paid:
        return "not_paid"
    fits = payment.money == Money(top_up.amount_minor, top_up.currency)
    credit = Line(AVAILABLE, -payment.money.minor, top_up.account_id) if fits else Line(SUSPENSE, -payment.money.minor)
    post("top_up", f"pi:{payment.id}", payment.money.currency, [Line(CLEARING, payment.money.minor), credit],
         source=str(top_up.id), actor=ACTOR, at=at)  # fmt: skip
    if top_up.payment_id is None:
        top_up.payment_id, top_up.state = payment.id, ("paid" if fits else "set_aside")
        top_up.ended_at = at
        # In minor units: this may be a currency that is not traded, whose digits are unknown here.
        says = f"paid {payment.money.minor} {payment.money.currency} in minor units, which was not asked for"
        top_up.why = None if fits else says
        if fits:
            how = Paid(payment.card or "card", payment.id)
            issue_receipt(top_up.account_id, payment.money, f"pi:{payment.id}", top_up.id, how, at)
        remember_customer(top_up.account_id, payment.customer_id)
    return top_up.state


def find_payment(payment_id: str | None) -> TopUp | None:
    """Return the top-up that a payment was booked for."""
    return db.session.scalar(select(TopUp).where(TopUp.payment_id == payment_id)) if payment_id else None


def referred(reference: str | None) -> TopUp | None:
    """Return the top-up that the processor's object names, and lock it; None for an object that is not ours."""
    try:
        top_up_id = UUID(reference or "")
    except ValueError:
        return None
    return db.session.get(TopUp, top_up_id, with_for_update=True, populate_existing=True)


def remember_customer(account_id: UUID, customer_id: str | None) -> None:
    """Remember which customer at the processor an account is, the first one for good."""
    if customer_id is not None:
        row = {"account_id": account_id, "customer_id": customer_id, "seen_at": datetime.now(UTC)}
        db.session.execute(insert(CardCustomer).values(row).on_conflict_do_nothing())


def _payload(top_up: TopUp, ways: Ways, customer: CardCustomer | None) -> dict[str, Any]:
    named = {"leadbourse": str(top_up.id)}
    price = {"currency": top_up.currency.lower(), "unit_amount": top_up.amount_minor,
             "product_data": {"name": "Wallet top-up"}}  # fmt: skip
    whose = {"customer": customer.customer_id} if customer else {"customer_creation": "always"}
    return {
        "mode": "payment", "line_items": [{"quantity": 1, "price_data": price}], "success_url": ways.paid,
        "cancel_url": ways.left, "metadata": named, "payment_intent_data": {"metadata": named}, **whose,
    }  # fmt: skip


def _check(payer: Payer, money: Money, at: datetime) -> None:
    fault = _currency_fault(money) or _amount_fault(payer, money) or _newcomer_fault(payer, money, at)
    if fault is not None:
        raise Invalid("invalid_top_up", "This top-up cannot be paid.", [fault])


def _currency_fault(money: Money) -> Fault | None:
    if money.currency in CURRENCIES:
        return None
    return Fault("amount.currency", "currency_not_taken", f"Pay in one of {', '.join(CURRENCIES)}.")


def _amount_fault(payer: Payer, money: Money) -> Fault | None:
    is_first = payer.registered_at is not None and not _has_paid(payer.account_id)
    least = overrides().setting("wallet.top_up_least_minor") if is_first else LEAST_MINOR
    most = overrides().setting("wallet.top_up_most_minor")
    if least <= money.minor <= most:
        return None
    bounds = [f"{Money(minor, money.currency)} {money.currency}" for minor in (least, most)]
    return Fault("amount.amount", "amount_out_of_range", f"Pay from {bounds[0]} to {bounds[1]} at once.")


def _newcomer_fault(payer: Payer, money: Money, at: datetime) -> Fault | None:
    for days, left in _newcomer_limits(payer.account_id, payer.registered_at, at):
        if money.minor > left:
            says = f"A new card may pay {Money(max(left, 0), money.currency)} {money.currency} more within {days} d."
            return Fault("amount.amount", "new_card_limit", says)
    return None


def is_newcomer(registered_at: datetime | None, at: datetime) -> bool:
    """Tell whether an account registered by itself so lately that its cards have limits."""
    return registered_at is not None and at - registered_at < timedelta(days=overrides().setting("card.new_days"))


def newcomer_left(account_id: UUID, registered_at: datetime | None, at: datetime) -> int | None:
    """Return what a newcomer may still pay by card, in minor units; None for anybody else."""
    limits = [left for _, left in _newcomer_limits(account_id, registered_at, at)]
    return min(limits) if limits else None


def _newcomer_limits(account_id: UUID, registered_at: datetime | None, at: datetime) -> list[tuple[int, int]]:
    """Return the days of each limit and what is left of it; none for whoever is no newcomer."""
    if not is_newcomer(registered_at, at):
        return []
    limits = ((1, "card.new_day_minor"), (7, "card.new_week_minor"))
    paid = _paid_since(account_id, [at - timedelta(days=days) for days, _ in limits])
    return [(days, overrides().setting(key) - minor) for (days, key), minor in zip(limits, paid, strict=True)]


def _has_paid(account_id: UUID) -> bool:
    query = select(TopUp.id).where(TopUp.account_id == account_id, TopUp.state == "paid")
    return db.session.scalar(query.limit(1)) is not None


def _paid_since(account_id: UUID, instants: list[datetime]) -> list[int]:
    """Sum what was paid in since each instant, and what may yet be on open pages, in whatever currency.

    One limit is for all currencies, of which a unit is about the same here; else four would be four limits.
    """
    waits = TopUp.state.in_(("open", "opening"))
    sums = [
        func.coalesce(
            func.sum(TopUp.amount_minor).filter(waits | ((TopUp.state == "paid") & (TopUp.ended_at > since))), 0
        )
        for since in instants
    ]
    return [int(minor) for minor in db.session.execute(select(*sums).where(TopUp.account_id == account_id)).one()]
