"""Stripe's test cards: what each number does, and the ready-made payment methods that stand for them."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A test card; `authenticates` says when its bank asks: never, always, or until it was set up."""

    number: str
    does: str
    brand: str = "visa"
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    authenticates: str = "never"
    can_be_saved: bool = True
    disputes: bool = False
    refund_fails: bool = False

    @property
    def fingerprint(self) -> str:
        """Return what tells two cards apart."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


_DECLINED = "Your card was declined."
CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", "pays"),
        Card("5555555555554444", "pays (Mastercard)", brand="mastercard"),
        Card("4000000000000002", "is declined", code="card_declined", decline_code="generic_decline",
             message=_DECLINED, can_be_saved=False),
        Card("4000000000009995", "is declined: insufficient funds", code="card_declined",
             decline_code="insufficient_funds", message="Your card has insufficient funds.", can_be_saved=False),
        Card("4000000000000069", "is declined: expired", code="expired_card", decline_code="expired_card",
             message="Your card has expired.", can_be_saved=False),
        Card("4000000000000127", "is declined: wrong CVC", code="incorrect_cvc", decline_code="incorrect_cvc",
             message="Your card's security code is incorrect.", can_be_saved=False),
        Card("4000000000000341", "can be saved, is declined later", code="card_declined",
             decline_code="generic_decline", message=_DECLINED),
        Card("4000002500003155", "asks for authentication, once saved no more", authenticates="until_set_up"),
        Card("4000002760003184", "asks for authentication every time", authenticates="always"),
        Card("4000000000000259", "pays, and the payment is then disputed", disputes=True),
        Card("4000000000005126", "pays, and its refunds fail later", refund_fails=True),
    )
}  # fmt: skip
READY_MADE = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_refundFail": "4000000000005126",
}
