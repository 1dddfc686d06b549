"""What wallets could spend at an instant, and what changed that beside the holds of sales: read from the journal.

It is what is available and promotional, less what is drawn and owed, plus the credit line of then. That a wallet was
suspended, and what chargebacks put at stake, is not in the journal.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from billing.credit.models import CreditLine
from billing.models import Entry, Transaction
from core.db import db

_SPENDABLE = (1110, 2000, 2030)  # recv:wallet, wallet:available, wallet:promo
_OF_HOLDS = ("hold", "resolve", "refund", "draw")
_TOGETHER = 1000


class WalletMove(NamedTuple):
    """A wallet may spend so much more from an instant on, or less."""

    at: datetime
    account_id: UUID
    currency: str
    minor: int


def spendable_before(at: datetime) -> dict[tuple[UUID, str], int]:
    """Return what each wallet could spend right before an instant, by account and currency, in minor units."""
    query = select(Entry.owner_id, Entry.currency, -func.sum(Entry.amount_minor))
    query = query.join(Transaction, Transaction.id == Entry.transaction_id)
    query = query.where(Entry.account.in_(_SPENDABLE), Transaction.occurred_at < at)
    found: defaultdict[tuple[UUID, str], int] = defaultdict(int)
    for owner, currency, minor in db.session.execute(query.group_by(Entry.owner_id, Entry.currency)):
        assert owner is not None  # these accounts are owned
        found[owner, currency] += int(minor)
    for move in _line_moves():
        if move.at < at:
            found[move.account_id, move.currency] += move.minor
    return dict(found)


def wallet_moves(since: datetime, until: datetime) -> Iterator[WalletMove]:
    """Yield in the order of time what changed what wallets can spend, but for holds, their ends and their refunds."""
    query = select(Transaction.occurred_at, Entry.owner_id, Entry.currency, -func.sum(Entry.amount_minor))
    query = query.join(Entry, Transaction.id == Entry.transaction_id)
    query = query.where(Entry.account.in_(_SPENDABLE), Transaction.kind.not_in(_OF_HOLDS),
                        Transaction.occurred_at >= since, Transaction.occurred_at < until)  # fmt: skip
    query = query.group_by(Transaction.id, Entry.owner_id, Entry.currency)
    query = query.order_by(Transaction.occurred_at, Transaction.id)
    rows = db.session.execute(query, execution_options={"yield_per": _TOGETHER})
    for at, owner, currency, minor in rows:
        assert owner is not None
        yield WalletMove(at, owner, currency, int(minor))


def line_moves(since: datetime, until: datetime) -> list[WalletMove]:
    """Return in the order of time by how much credit lines were raised or lowered."""
    return sorted(move for move in _line_moves() if since <= move.at < until)


def _line_moves() -> Iterator[WalletMove]:
    before: dict[tuple[UUID, str], int] = {}
    query = select(CreditLine).order_by(CreditLine.account_id, CreditLine.currency, CreditLine.version)
    for line in db.session.scalars(query):
        key = (line.account_id, line.currency)
        yield WalletMove(line.changed_at, *key, line.limit_minor - before.get(key, 0))
        before[key] = line.limit_minor
