"""The words that pages have for codes: a state's tone and word, what moved a wallet, the kinds of account."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Word:
    """A state as it is shown: a dot in a tone, and a word."""

    tone: str
    says: Any


STATES = {
    "sold": Word("won", _l("Sold")),
    "unsold": Word("neutral", _l("Not sold")),
    "pending": Word("held", _l("Pending")),
    "rejected": Word("refused", _l("Refused")),
    "held": Word("held", _l("Held")),
    "delivered": Word("held", _l("Delivered")),
    "disputed": Word("held", _l("Disputed")),
    "settled": Word("won", _l("Settled")),
    "returned": Word("refused", _l("Returned")),
    "refused": Word("refused", _l("Refused")),
    "failed": Word("refused", _l("Failed")),
    "active": Word("won", _l("Active")),
    "paused": Word("neutral", _l("Paused")),
    "open": Word("held", _l("Open")),
    "upheld": Word("refused", _l("Upheld")),
    "partial": Word("held", _l("Upheld in part")),
    "repriced": Word("held", _l("Priced anew")),
    "appealed": Word("held", _l("Appealed")),
    "warned": Word("held", _l("Warned")),
}
LEAD_STATUSES = ("sold", "unsold", "pending", "rejected")
KINDS = {"publisher": _l("Publisher"), "buyer": _l("Buyer"), "operator": _l("Operator")}
MOVEMENTS = {
    "credit": _l("Credit by hand"),
    "promo": _l("Promotional credit"),
    "hold": _l("Set aside for a lead"),
    "capture": _l("Paid for a lead"),
    "release": _l("Set free again"),
    "top_up": _l("Top-up"),
    "resolve": _l("Sale settled"),
    "mature": _l("Reserve released"),
    "compensation": _l("Paid by the exchange"),
    "refund": _l("Lead sent back"),
    "fee": _l("Fee"),
    "fee_back": _l("Fee returned"),
}
PARTS = {
    "wallet:available": _l("Available"),
    "wallet:held": _l("Held"),
    "wallet:frozen": _l("Frozen"),
    "wallet:promo": _l("Promotional credit"),
    "recv:wallet": _l("Owed"),
    "recv:earner": _l("Owed to the exchange"),
    "earner:payable": _l("Payable"),
    "earner:reserve": _l("Reserve"),
    "earner:in_flight": _l("On its way to you"),
}


def state_of(code: str) -> Word:
    """Return how a state is shown; one without a word of its own is shown as it is."""
    return STATES.get(code) or Word("neutral", code)


def kind_of(code: str) -> Any:
    """Return what an account's kind is called."""
    return KINDS.get(code, code)


def movement_of_kind(code: str) -> Any:
    """Return what moved a wallet."""
    return MOVEMENTS.get(code, code.replace("_", " "))


def part_of_wallet(code: str) -> Any:
    """Return what a part of a wallet is called."""
    return PARTS.get(code, code)
