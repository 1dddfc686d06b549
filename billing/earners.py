"""Earners: what is owed to an account for its share, what is kept back for a while, and what is on its way."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from billing.models import Earner, Entry, Transaction
from core.db import db
from core.money import Money

RECEIVABLE_FROM_EARNER = 1100
IN_FLIGHT = 2120


@dataclass(frozen=True, slots=True)
class EarnerBalance:
    """What one earner has: `paid` is what transfers delivered so far, `owed` what the earner owes the platform."""

    payable: Money
    reserve: Money
    in_flight: Money
    paid: Money
    owed: Money


def open_earner(account_id: UUID, currency: str) -> None:
    """Open an empty earner's account, once; resolving a hold with a share opens it too."""
    db.session.execute(select(func.billing.open_earner(account_id, currency)))


def earnings_of(account_id: UUID, currency: str) -> EarnerBalance:
    """Read an earner's balances; zeros when nothing was ever earned."""
    row = db.session.get(Earner, (account_id, currency), populate_existing=True)
    paid = _debits_of(account_id, currency, IN_FLIGHT, "transfer")
    owed = _debits_of(account_id, currency, RECEIVABLE_FROM_EARNER)
    parts = (row.payable, row.reserve, row.in_flight) if row else (0, 0, 0)
    return EarnerBalance(*(Money(part, currency) for part in (*parts, paid, owed)))


def mature_reserves(as_of: datetime, limit: int, actor: str) -> int:
    """Make at most `limit` due reserves payable, the oldest first, and return how many; zero when none is due."""
    matured: int = db.session.execute(select(func.billing.mature_reserves(as_of, limit, actor))).scalar_one()
    return matured


def _debits_of(account_id: UUID, currency: str, account: int, kind: str | None = None) -> int:
    query = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(
        Entry.owner_id == account_id, Entry.currency == currency, Entry.account == account
    )
    if kind is not None:
        query = query.join(Transaction, Transaction.id == Entry.transaction_id).where(Transaction.kind == kind)
    return int(db.session.execute(query).scalar_one())
