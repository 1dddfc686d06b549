"""What an object at the card processor tells when it is read again: a page, payment, refund, chargeback, transfer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from billing.funding.balance import NOTHING, PAYMENTS, REFUNDS, REVERSALS, TRANSFERS, Explained
from billing.funding.chargebacks import announce_chargeback, is_payment_known
from billing.funding.give_backs import reference_of, settle_sent_back
from billing.funding.recharge.cards import end_card_page, is_card_known, keep_card, note_card
from billing.funding.recharge.charging import settle
from billing.funding.top_ups import expire_top_up, referred
from billing.payouts.bank_returns import note_bank_payouts
from billing.payouts.outcomes import payout_of_transfer, settle_transfer
from billing.payouts.rails import note_account
from billing.stripe_connect import Transfer
from billing.stripe_gateway import Checkout, Gateway, Payment, Refused, SentBack
from core.db import transaction
from core.failpoints import failpoint

CHARGEBACK_IDS = ("du_", "dp_")
BANK_LOOKS_BACK = timedelta(days=30)
Tells = Callable[[Gateway, str, datetime], str]


def tell(gateway: Gateway, about: str, object_id: str, at: datetime) -> str:
    """Read an object and note what it says; return what that came to, also for what does not exist."""
    tells = _TELLS.get(about)
    if tells is None or not object_id:
        return "ignored"
    try:
        return tells(gateway, object_id, at)
    except Refused as refused:  # the event tells of what does not exist
        return f"refused: {refused.code}"


def tell_chargeback(gateway: Gateway, chargeback_id: str, at: datetime) -> str:
    """Read a chargeback and note how it stands, its payment first, whose own news may be late."""
    told = gateway.charged_back(chargeback_id)
    with transaction():
        is_known = is_payment_known(told.payment_id)
    if told.payment_id is not None and not is_known:
        _tell_payment(gateway, told.payment_id, at)
    failpoint("chargeback.read")
    with transaction():
        return announce_chargeback(told, at)


def tell_account(gateway: Gateway, account_id: str, at: datetime) -> str:
    """Read an account of somebody who is paid, and what its bank took and sent back; note how they stand."""
    try:
        account = gateway.connect.account(account_id)
        # By the processor's clock, which is the real one.
        sent_on = gateway.connect.bank_payouts(account_id, datetime.now(UTC) - BANK_LOOKS_BACK)
    except Refused as refused:
        if refused.code != "account_invalid":
            raise
        account, sent_on = None, []
    failpoint("account.read")
    with transaction():
        stands = note_account(account_id, account, at)
        note_bank_payouts(account_id, sent_on, at)
    return stands


def explain(gateway: Gateway, movement_id: str, kind: str, source_id: str, at: datetime) -> Explained:
    """Find what a movement belongs to, settling it first, as its event may be late or lost."""
    try:
        if not source_id:
            return NOTHING
        if kind in TRANSFERS:
            return _explain_transfer(gateway.connect.transfer(source_id), at)
        if kind in REVERSALS:
            return _explain_transfer(
                gateway.connect.transfer(gateway.connect.reversal_of_movement(movement_id).transfer_id), at
            )
        if kind in PAYMENTS:
            payment = gateway.payment_of_charge(source_id)
            if payment is not None:
                _settle_payment(gateway, payment, at)
                return Explained(payment_id=payment.id)
        elif kind in REFUNDS:
            sent = gateway.sent_back(source_id)
            _settle_refund(sent, at)
            return Explained(part_id=reference_of(sent))
        elif source_id.startswith(CHARGEBACK_IDS):
            tell_chargeback(gateway, source_id, at)
            return Explained(chargeback_id=source_id)
    except Refused:
        return NOTHING
    return NOTHING


def _explain_transfer(transfer: Transfer, at: datetime) -> Explained:
    _settle_transfer(transfer, at)
    with transaction():
        return Explained(payout_id=payout_of_transfer(transfer.id))


def _tell_transfer(gateway: Gateway, transfer_id: str, at: datetime) -> str:
    return _settle_transfer(gateway.connect.transfer(transfer_id), at)


def _settle_transfer(transfer: Transfer, at: datetime) -> str:
    failpoint("transfer.read")
    with transaction():
        return settle_transfer(transfer, at)


def _tell_checkout(gateway: Gateway, session_id: str, at: datetime) -> str:
    checkout = gateway.checkout(session_id)
    if checkout.setup_id is not None:
        return _tell_card_page(gateway, checkout, checkout.setup_id, at)
    outcome = "not_paid"
    if checkout.payment_id is not None:  # also of a page on which a card was declined
        outcome = _tell_payment(gateway, checkout.payment_id, at)
    if outcome != "not_paid":
        return outcome
    with transaction():
        return expire_top_up(checkout, at)


def _tell_payment(gateway: Gateway, payment_id: str, at: datetime) -> str:
    return _settle_payment(gateway, gateway.payment(payment_id), at)


def _settle_payment(gateway: Gateway, payment: Payment, at: datetime) -> str:
    failpoint("payment.read")
    with transaction():
        outcome = settle(payment, at)
        is_new = outcome == "paid" and payment.saves is not None and not is_card_known(payment.saves)
    if is_new and payment.saves is not None:
        _keep_card_of(gateway, payment, payment.saves, at)
    return outcome


def _keep_card_of(gateway: Gateway, payment: Payment, method_id: str, at: datetime) -> None:
    """Keep the card that its owner let us keep by paying; one that is gone already was removed there."""
    try:
        card = gateway.card(method_id)
    except Refused:
        return
    failpoint("card.read")
    with transaction():
        top_up = referred(payment.reference)
        if top_up is not None:
            keep_card(top_up.account_id, card, at)


def _tell_card_page(gateway: Gateway, checkout: Checkout, setup_id: str, at: datetime) -> str:
    card = gateway.card_of_setup(setup_id)
    failpoint("card.read")
    with transaction():
        return end_card_page(checkout, card, at)


def _tell_card(gateway: Gateway, method_id: str, at: datetime) -> str:
    card = gateway.card(method_id)
    with transaction():
        return note_card(card, at)


def _tell_refund(gateway: Gateway, refund_id: str, at: datetime) -> str:
    return _settle_refund(gateway.sent_back(refund_id), at)


def _settle_refund(sent: SentBack, at: datetime) -> str:
    failpoint("refund.read")
    with transaction():
        return settle_sent_back(sent, at)


_TELLS: dict[str, Tells] = {
    "checkout": _tell_checkout, "payment": _tell_payment, "refund": _tell_refund, "chargeback": tell_chargeback,
    "card": _tell_card, "account": tell_account, "transfer": _tell_transfer,
}  # fmt: skip
