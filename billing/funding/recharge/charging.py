"""Charging a saved card without its owner: ordered by the cards' round, sent as any call, booked as any payment.

One charge of a wallet is under way at a time, which an index enforces; its outcome is noted once, however learnt.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from billing.funding.calls import withdraw, write_call
from billing.funding.models import CardCall, TopUp
from billing.funding.recharge.deciding import TOLD, Code, after_decline, withheld
from billing.funding.recharge.looking import Outlook, look
from billing.funding.recharge.mails import mail_authentication, mail_paused
from billing.funding.recharge.models import Recharge, SavedCard, WalletPace
from billing.funding.recharge.pauses import note, resume_if_free
from billing.funding.recharge.payer import lock_payer
from billing.funding.recharge.tries import asked_lately, tries_of
from billing.funding.recharge.wording import WHY
from billing.funding.top_ups import referred, settle_payment
from billing.models import Wallet
from billing.stripe_gateway import Gateway, Payment
from core.db import db, transaction
from core.failpoints import failpoint
from core.ids import new_id
from core.money import Money
from core.overrides import overrides

ACTOR = "system:cards"
ASKS = "authentication_required"
WITHDRAWN = "withdrawn"


def recharge_due(at: datetime) -> int:
    """Order a charge for each wallet that wants one now; return how many. Each is decided in its own transaction."""
    with transaction():
        due = _low()
    ordered = 0
    for account_id, currency in due:
        with transaction():
            ordered += recharge_one(account_id, currency, at)
        failpoint("recharge.ordered")
    return ordered


def recharge_one(account_id: UUID, currency: str, at: datetime) -> bool:
    """Decide on one wallet, and write the charge or, once, why there is none; true when a charge was written."""
    lock_payer(account_id)  # what is charged today is summed, and must not change until this is written
    row = db.session.get_one(Recharge, (account_id, currency), with_for_update=True, populate_existing=True)
    seen = look(row, at)
    code = seen.decision.code
    if code == "charge":
        _order(row, seen, at)
    elif code in TOLD and code != row.last_code:
        note(row, code, WHY[code], ACTOR, at)
    row.last_code = code
    db.session.flush()
    return code == "charge"


def record_charge(top_up_id: UUID, payment: Payment | None, why: str | None, at: datetime) -> None:
    """Note what a charge came to: booked when it has paid, or declined, and then the card is left alone for a while."""
    if payment is not None:
        settle(payment, at)
        return
    top_up = db.session.get_one(TopUp, top_up_id, with_for_update=True, populate_existing=True)
    if top_up.state == "opening":
        _refuse(top_up, why or "refused", at)


def why_not_charged(top_up_id: UUID, at: datetime) -> str | None:
    """Say why an ordered charge is not to be sent any more, if so; its owner changes nothing before the commit."""
    query = select(TopUp.account_id, TopUp.currency, TopUp.card_id).where(TopUp.id == top_up_id)
    account_id, currency, card_id = db.session.execute(query).one()
    lock_payer(account_id)
    seen = look(db.session.get_one(Recharge, (account_id, currency), populate_existing=True), at)
    code = withheld(seen.terms, seen.pace, seen.standing, at)
    if code is None and (seen.card is None or seen.card.id != card_id):
        code = "other_card"
    return _withdrawn(code) if code is not None else None


def withdraw_charges(
    *which: ColumnElement[bool], code: Code | Literal["card_removed", "refunded"], at: datetime
) -> None:
    """End the charges that were ordered and not sent, under the payer's lock; what was sent is only looked up."""
    why = _withdrawn(code)
    query = select(TopUp.id).where(TopUp.card_id.is_not(None), TopUp.state == "opening", *which).order_by(TopUp.id)
    for top_up_id in db.session.scalars(query).all():
        if withdraw(top_up_id, why):
            record_charge(top_up_id, None, why, at)


def _withdrawn(code: str) -> str:
    return f"{WITHDRAWN}: Withdrawn before it was sent. {WHY[code]}"


def settle(payment: Payment, at: datetime) -> str:
    """Book a payment that has arrived, of a page or of a saved card, once; return what it came to."""
    top_up = referred(payment.reference)
    was_paid = top_up is not None and top_up.payment_id is not None
    outcome = settle_payment(payment, at)
    if top_up is not None and top_up.card_id is None:
        if outcome == "paid" and not was_paid:
            _note_asked_is_paid(top_up, at)
    elif top_up is not None:
        if outcome in ("paid", "set_aside") and not was_paid:
            _note_paid(top_up, at)
        elif outcome == "not_paid" and payment.is_failed and top_up.state == "opening" and _is_answered(top_up.id):
            _refuse(top_up, "payment_failed: The payment was given up.", at)
    return outcome


def look_up_charge(gateway: Gateway, top_up_id: UUID) -> Payment | None:
    """Find the payment of a charge among those of its customer; None when the call never took effect."""
    with transaction():
        query = select(SavedCard.customer_id, TopUp.opened_at).join(TopUp, TopUp.card_id == SavedCard.id)
        customer_id, _ = db.session.execute(query.where(TopUp.id == top_up_id)).one()
        made_at = db.session.scalars(select(CardCall.made_at).where(CardCall.subject_id == top_up_id)).one()
    payments = gateway.payments_of(customer_id, made_at - timedelta(hours=1))
    return next((one for one in payments if one.reference == str(top_up_id)), None)


def _low() -> list[tuple[UUID, str]]:
    """Return the wallets that are to top themselves up and hold less than they should."""
    mine = (Wallet.account_id == Recharge.account_id, Wallet.currency == Recharge.currency)
    pace = (WalletPace.account_id == Recharge.account_id, WalletPace.currency == Recharge.currency)
    by_pace = func.coalesce(WalletPace.daily_minor, 0) * overrides().setting("wallet.recharge_below_days")
    threshold = func.coalesce(Recharge.threshold_minor, by_pace)
    query = select(Recharge.account_id, Recharge.currency).outerjoin(Wallet, and_(*mine))
    query = query.outerjoin(WalletPace, and_(*pace)).where(
        Recharge.is_on, func.coalesce(Wallet.available + Wallet.promo, 0) < threshold
    )
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(Recharge.account_id, Recharge.currency))]


def _order(row: Recharge, seen: Outlook, at: datetime) -> None:
    card, minor = seen.card, seen.decision.minor
    assert card is not None  # or the decision would have been another
    top_up = TopUp(id=new_id(), account_id=row.account_id, currency=row.currency, amount_minor=minor, actor=ACTOR,
                   opened_at=at, card_id=card.id)  # fmt: skip
    db.session.add(top_up)
    db.session.flush()
    write_call("charge_card", top_up.id, _payload(top_up, card))
    left = Money(seen.standing.spendable_minor, row.currency)
    note(row, "charge", f"{left} {row.currency} were left; {card.name} is charged.", ACTOR, at, minor=minor,
         top_up_id=top_up.id)  # fmt: skip


def _payload(top_up: TopUp, card: SavedCard) -> dict[str, Any]:
    return {
        "amount": top_up.amount_minor, "currency": top_up.currency.lower(), "customer": card.customer_id,
        "payment_method": card.method_id, "off_session": True, "confirm": True, "description": "Wallet top-up",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "metadata": {"leadbourse": str(top_up.id)}, "expand": ["latest_charge"],
    }  # fmt: skip


def _note_paid(top_up: TopUp, at: datetime) -> None:
    says = "The card was charged, and the money is in the wallet."
    note(_row_of(top_up), "paid", says, ACTOR, at, minor=top_up.amount_minor, top_up_id=top_up.id)


def _refuse(top_up: TopUp, why: str, at: datetime) -> None:
    """End a charge that took nothing: its bank wants the owner, or the card is left alone longer each time."""
    row = _row_of(top_up)
    code, _, said = why.partition(": ")
    top_up.state, top_up.why, top_up.ended_at = "refused", why[:500], at
    if code == WITHDRAWN:
        told, says = WITHDRAWN, said
    elif code == "never_arrived":  # which says nothing of the card
        told, says = "not_sent", WHY["not_sent"]
    elif code == ASKS:
        told, says = ASKS, _note_question(row, top_up, at)
    else:
        told, says = "declined", _note_decline(row, top_up, said or why, at)
    note(row, told, says, ACTOR, at, minor=top_up.amount_minor, top_up_id=top_up.id)


def _note_question(row: Recharge, top_up: TopUp, at: datetime) -> str:
    """Pause until its owner has paid what the bank asks about, and mail, unless that was mailed often enough today."""
    is_told = asked_lately(top_up.account_id, at) < overrides().setting("card.asks_a_day")
    top_up.declined_as, row.asked_minor = "authentication", top_up.amount_minor
    if not is_told:
        return f"{WHY[ASKS]} No further mail is sent today."
    mail_authentication(top_up.account_id, Money(top_up.amount_minor, top_up.currency))
    return WHY[ASKS]


def _note_decline(row: Recharge, top_up: TopUp, said: str, at: datetime) -> str:
    """Count a decline of its card and return the sentence for it, which begins with the bank's own."""
    top_up.declined_as = "declined"
    db.session.flush()
    tries = tries_of(top_up.account_id, db.session.get_one(SavedCard, top_up.card_id), at)
    not_before = after_decline(tries.declines, at)
    if not_before is None:
        mail_paused(row.account_id, row.currency, said)
        return f"{said} It is not tried again until you resume it or save another card."
    return f"{said} It is tried again from {not_before.astimezone(UTC):%Y-%m-%d %H:%M} UTC on."


def _row_of(top_up: TopUp) -> Recharge:
    key = (top_up.account_id, top_up.currency)
    return db.session.get_one(Recharge, key, with_for_update=True, populate_existing=True)


def _note_asked_is_paid(top_up: TopUp, at: datetime) -> None:
    """End the pause for a bank's question, once as much as was asked for is paid on a page."""
    query = select(Recharge).where(Recharge.account_id == top_up.account_id, Recharge.currency == top_up.currency,
                                   Recharge.asked_minor <= top_up.amount_minor)  # fmt: skip
    row = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is not None:
        row.asked_minor = None
        db.session.flush()
        resume_if_free(row, True, "The amount was paid on the payment page.", ACTOR, at)


def _is_answered(top_up_id: UUID) -> bool:
    query = select(CardCall.id).where(CardCall.subject_id == top_up_id, CardCall.state == "done")
    return db.session.scalar(query) is not None
