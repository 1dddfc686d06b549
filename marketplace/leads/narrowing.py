"""A source's rule as the intake goes by it: what its leads ask for beyond what they say themselves."""

from typing import Any

import msgspec
from msgspec import UNSET, Struct

from core.money import Money
from core.schemas import Amount
from marketplace.leads.submission import Submission


class Narrowed(Struct, frozen=True):
    """A source's rule as the intake goes by it."""

    exclusive_only: bool
    most_buyers: int | None
    min_price_minor: int | None


def narrowed(submission: Submission, rule: Narrowed, currency: str) -> Submission:
    """Return a lead as its source's rule narrows it: exclusive, or asking for more; never for less than it says."""
    changes: dict[str, Any] = {}
    if rule.exclusive_only:
        changes["exclusive_only"] = True
    asked = submission.min_price
    least = rule.min_price_minor or 0
    if least and (asked is None or (asked.currency == currency and 0 <= _minor(asked) < least)):
        changes["min_price"] = Amount(amount=str(Money(least, currency)), currency=currency)
    return msgspec.structs.replace(submission, **changes) if changes else submission


def most_of(rule: Narrowed | None, submission: Submission) -> int | None:
    """Return how many buyers a lead's source and the person permit at most; None when neither says it."""
    consent = submission.consent
    most = rule.most_buyers if rule is not None else None
    if consent is None or consent.most_recipients is UNSET:
        return most
    return min(most or consent.most_recipients, consent.most_recipients)


def _minor(amount: Amount) -> int:
    try:
        return Money.parse(amount.amount, amount.currency).minor
    except ValueError:
        return 2**62  # the lead is refused for it
