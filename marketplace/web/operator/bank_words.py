"""The words that the bank's pages have for outcomes of entries, reasons of suspense and what is done about it."""

from typing import Any

from core.i18n import money
from core.money import Money, is_currency
from core.words import lazy_gettext as _l
from marketplace.web.words import Word

OUTCOMES = {
    "waits": Word("held", _l("Waits")), "credited": Word("won", _l("Credited")),
    "suspense": Word("refused", _l("In suspense")), "settled": Word("won", _l("Sent back")),
    "payout": Word("won", _l("A payout")),
    "repeated": Word("neutral", _l("Booked before")), "skipped": Word("neutral", _l("Skipped")),
    "refused": Word("refused", _l("Cannot be read")),
}  # fmt: skip
WHYS = {
    "no_reference": _l("No reference"), "unknown_reference": _l("A reference that is not ours"),
    "bad_reference": _l("A reference with a slip"), "ambiguous": _l("References of several pro-formas"),
    "foreign_currency": _l("In another currency than its pro-forma"), "wallet_suspended": _l("The wallet is suspended"),
    "reversal": _l("The bank turned an entry round"), "batch": _l("Several payments whose amounts are not told"),
    "maybe_doubled": _l("Perhaps booked already, from another file or on another day"),
    "other_amount": _l("A payout of another amount"), "other_account": _l("A payout to another account"),
    "payout_ended": _l("A payout that was said not to have been paid"),
    "payout_told_before": _l("A payout of which a statement told before"),
    "not_proven": _l("A payout that came back, which no balance proves"),
    "money_out": _l("Money left, and nobody knows for what"),
    "set_aside": _l("A card payment that was not asked for"), "pending": _l("Not final yet"),
    "information": _l("For information only"), "zero": _l("Nothing moved"), "doubled": _l("Twice in this file"),
    "booked_before": _l("By an earlier line or file"), "booked_whole": _l("In one amount with its batch"),
    "booked_in_parts": _l("In its parts"), "not_agreed": _l("No second person agreed"),
}  # fmt: skip
KINDS = {
    "assign": _l("Into a wallet"), "return": _l("Send it back"), "fees": _l("Write it to fees"),
    "fx": _l("Write it to exchange differences"), "charge": _l("Charge the wallet that had it"),
    "payouts": _l("It is payouts by file"),
}  # fmt: skip
IMPORTS = {
    "read": Word("held", _l("Being booked")), "asked": Word("held", _l("Waits for a second person")),
    "done": Word("won", _l("Done")), "refused": Word("refused", _l("Refused")),
}  # fmt: skip
MOVES = {
    "proposed": Word("held", _l("Waits for a second person")), "owed": Word("held", _l("Owed back")),
    "done": Word("won", _l("Done")), "withdrawn": Word("neutral", _l("Withdrawn")),
}  # fmt: skip


def amount_said(minor: int, currency: str) -> str:
    """Write an amount as the reader does; one of a currency that is not traded in minor units, its digits unknown."""
    return money(Money(minor, currency)) if is_currency(currency) else f"{minor} {currency}"


def why_said(code: str) -> Any:
    """Say why an entry is where it is; the card processor's own kinds stand as they are."""
    return WHYS.get(code, code.replace("_", " "))
