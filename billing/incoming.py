"""Money that comes into a wallet from outside of it: one way, whoever brings it."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from billing.documents.issuing import Paid, issue_receipt
from billing.ledger import AVAILABLE, Line, post
from billing.wallets import Posting
from core.money import Money


class Incoming(NamedTuple):
    """Under which kind and key money comes in, from which account of the chart, about what, how, why, and when paid.

    Without the day it was paid as it is booked.
    """

    kind: str
    key: str
    from_account: int
    source: UUID
    method: str
    reason: str = ""
    paid_on: date | None = None


def credit_available(account_id: UUID, money: Money, what: Incoming, actor: str, at: datetime) -> Posting:
    """Book money above zero into what an account may spend, with its receipt, once a key; opens a wallet when needed.

    A suspended wallet takes it too: it is its owner's. A Conflict when the key stands for something else.
    """
    lines = [Line(what.from_account, money.minor), Line(AVAILABLE, -money.minor, account_id)]
    posted = post(what.kind, what.key, money.currency, lines, source=str(what.source), actor=actor, at=at,
                  reason=what.reason)  # fmt: skip
    if posted.is_booked:
        issue_receipt(account_id, money, what.key, what.source, Paid(what.method, on=what.paid_on), at)
    return posted
