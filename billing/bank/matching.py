"""Whose an entry of a statement is: decided from what it says and what is known, with a reason where it is nobody's.

Only a reference that checks and is known credits a wallet. Nothing is guessed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from billing.bank.lines import Entry
from billing.bank.references import is_reference, references_in, slips_of
from billing.iban import plain

REASONS = ("no_reference", "unknown_reference", "bad_reference", "ambiguous", "foreign_currency", "wallet_suspended",
           "reversal", "batch", "maybe_doubled", "money_out", "other_amount", "other_account", "payout_ended",
           "payout_told_before", "not_proven")  # fmt: skip
_END_TO_END = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")  # by which our files name a payout


@dataclass(frozen=True, slots=True)
class Known:
    """What a reference stands for: a pro-forma of a wallet, money that is owed back, or a payout by file."""

    id: UUID
    currency: str
    account_id: UUID | None = None
    is_suspended: bool = False
    owed_minor: int = 0
    earner_id: UUID | None = None
    paid_minor: int = 0
    paid_to: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`credit` a wallet, `settle` what is owed back, tell of a `payout`, or put it in `suspense` for a reason."""

    outcome: str
    reason: str = ""
    known: Known | None = None


def sought_in(entry: Entry) -> set[str]:
    """Return the references that an entry bears: the structured one when it checks, else those in its text."""
    structured = plain(entry.reference)
    if is_reference(structured):
        return {structured}
    return references_in(entry.reference) | references_in(entry.text)


def payouts_in(entry: Entry) -> set[str]:
    """Return what may be the names of payouts by file in what an entry says."""
    return set(_END_TO_END.findall(f"{entry.reference} {entry.text}".lower()))


def decide(entry: Entry, currency: str, known: Mapping[str, Known]) -> Verdict:
    """Decide where an entry goes by what its references stand for; `known` has no others than those sought."""
    found = [known[one] for one in sorted(sought_in(entry)) if one in known]
    payouts = [known[one] for one in sorted(payouts_in(entry)) if one in known]
    if payouts and not entry.doubt and not (entry.is_reversal and entry.minor < 0):
        return _decide_payout(entry, currency, payouts, is_other=bool(found))
    reason = "reversal" if entry.is_reversal else entry.doubt
    if reason:
        return Verdict("suspense", reason)
    if entry.minor < 0:
        return _decide_debit(entry, currency, found)
    owners = [one for one in found if one.account_id is not None]
    if len(owners) != 1:
        return Verdict("suspense", "ambiguous" if owners else _why_none(entry))
    [one] = owners
    if one.currency != currency:
        return Verdict("suspense", "foreign_currency")
    return Verdict("suspense", "wallet_suspended") if one.is_suspended else Verdict("credit", known=one)


def _decide_payout(entry: Entry, currency: str, payouts: list[Known], *, is_other: bool) -> Verdict:
    """Decide about a debit that pays a payout, or a credit by which it comes back."""
    if len(payouts) > 1 or is_other:
        return Verdict("suspense", "ambiguous")
    [one] = payouts
    if (one.currency, one.paid_minor) != (currency, abs(entry.minor)):
        return Verdict("suspense", "other_amount")
    if entry.minor < 0 and plain(entry.counterparty_iban) not in ("", one.paid_to):
        return Verdict("suspense", "other_account")
    return Verdict("payout", known=one)


def _decide_debit(entry: Entry, currency: str, found: list[Known]) -> Verdict:
    owed = [one for one in found if one.account_id is None]
    if len(owed) == 1 and owed[0].currency == currency and owed[0].owed_minor == -entry.minor:
        return Verdict("settle", known=owed[0])
    return Verdict("suspense", "money_out")


def _why_none(entry: Entry) -> str:
    if sought_in(entry):
        return "unknown_reference"
    written = f"{entry.reference} {entry.text}"
    return "bad_reference" if plain(entry.reference).startswith("RF") or slips_of(written) else "no_reference"
