"""What an object at the card processor tells when it is read again: of a page, a payment, a refund, a chargeback."""

from collections.abc import Callable
from datetime import datetime

from billing.funding.balance import NOTHING, PAYMENTS, REFUNDS, Explained
from billing.funding.chargebacks import announce_chargeback, is_payment_known
from billing.funding.give_backs import reference_of, settle_sent_back
from billing.funding.top_ups import expire_top_up, settle_payment
from billing.stripe_gateway import Gateway, Payment, Refused, SentBack
from core.db import transaction
from core.failpoints import failpoint

CHARGEBACK_IDS = ("du_", "dp_")
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


def explain(gateway: Gateway, kind: str, source_id: str, at: datetime) -> Explained:
    """Find what a movement belongs to, settling it first, as its event may be late or lost."""
    try:
        if not source_id:
            return NOTHING
        if kind in PAYMENTS:
            payment = gateway.payment_of_charge(source_id)
            if payment is not None:
                _settle_payment(payment, at)
                return Explained(payment_id=payment.id)
        elif kind in REFUNDS:
            sent = gateway.sent_back(source_id)
            _settle_refund(sent)
            return Explained(part_id=reference_of(sent))
        elif source_id.startswith(CHARGEBACK_IDS):
            tell_chargeback(gateway, source_id, at)
            return Explained(chargeback_id=source_id)
    except Refused:
        return NOTHING
    return NOTHING


def _tell_checkout(gateway: Gateway, session_id: str, at: datetime) -> str:
    checkout = gateway.checkout(session_id)
    outcome = "not_paid"
    if checkout.payment_id is not None:  # also of a page on which a card was declined
        outcome = _tell_payment(gateway, checkout.payment_id, at)
    if outcome != "not_paid":
        return outcome
    with transaction():
        return expire_top_up(checkout, at)


def _tell_payment(gateway: Gateway, payment_id: str, at: datetime) -> str:
    return _settle_payment(gateway.payment(payment_id), at)


def _settle_payment(payment: Payment, at: datetime) -> str:
    failpoint("payment.read")
    with transaction():
        return settle_payment(payment, at)


def _tell_refund(gateway: Gateway, refund_id: str, _: datetime) -> str:
    return _settle_refund(gateway.sent_back(refund_id))


def _settle_refund(sent: SentBack) -> str:
    failpoint("refund.read")
    with transaction():
        return settle_sent_back(sent)


_TELLS: dict[str, Tells] = {
    "checkout": _tell_checkout, "payment": _tell_payment, "refund": _tell_refund, "chargeback": tell_chargeback,
}  # fmt: skip
