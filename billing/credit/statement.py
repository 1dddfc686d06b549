"""The statement of a wallet's debts: every draw, charge and payment, the newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.credit.models import Debt, DebtPayment, Draw
from billing.ledger import OWED_BY_WALLET
from billing.models import Entry, Transaction
from core.db import db

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class DebtMove:
    """One thing that changed what a wallet owes: a positive amount made it owe more. `hold_id` is what a draw paid."""

    transaction_id: UUID
    at: datetime
    kind: str
    minor: int
    hold_id: UUID | None
    due_at: datetime | None


def debt_moves_of(account_id: UUID, currency: str, most: int, before: UUID | None = None) -> list[DebtMove]:
    """Read what changed a wallet's debts, the newest first; `before` is the last page's last transaction."""
    query = select(Entry.transaction_id).where(
        Entry.owner_id == account_id, Entry.currency == currency, Entry.account == OWED_BY_WALLET
    )
    query = query.where(Entry.transaction_id < before) if before else query
    ids = list(db.session.scalars(query.order_by(Entry.transaction_id.desc()).limit(most)))
    rows = db.session.execute(
        select(Transaction.id, Transaction.occurred_at, Transaction.kind, Entry.amount_minor, Draw.hold_id, Debt.due_at)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .outerjoin(Draw, Draw.transaction_id == Transaction.id)
        .outerjoin(DebtPayment, DebtPayment.transaction_id == Transaction.id)
        .outerjoin(Debt, Debt.id.in_((Draw.debt_id, DebtPayment.debt_id, Transaction.id)))
        .where(Transaction.id.in_(ids), Entry.account == OWED_BY_WALLET)
        .order_by(Transaction.id.desc())
    )
    return [DebtMove(*row) for row in rows]


def every_debt_move(account_id: UUID, currency: str) -> Iterator[DebtMove]:
    """Yield all that changed a wallet's debts, the newest first; reads a thousand at a time."""
    before: UUID | None = None
    while True:
        moves = debt_moves_of(account_id, currency, _AT_ONCE, before)
        yield from moves
        if len(moves) < _AT_ONCE:
            return
        before = moves[-1].transaction_id
