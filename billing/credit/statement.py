"""The statement of a wallet's debts: every draw, charge and payment, the newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, null, select, union_all

from billing.credit.models import Debt, DebtPayment, Draw
from billing.models import Transaction
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

    def of(row: type[Draw | DebtPayment], minor: Any, hold_id: Any) -> Select[Any]:
        query = select(row.transaction_id.label("id"), minor, hold_id, Debt.due_at).join(Debt, Debt.id == row.debt_id)
        query = query.where(row.account_id == account_id, row.currency == currency)
        query = query.where(row.transaction_id < before) if before else query
        return query.order_by(row.transaction_id.desc()).limit(most)

    charges = select(Debt.id, Debt.amount_minor, null(), Debt.due_at).where(
        Debt.account_id == account_id, Debt.currency == currency, Debt.kind == "charge"
    )
    charges = charges.where(Debt.id < before) if before else charges
    moves = union_all(
        of(Draw, Draw.amount_minor, Draw.hold_id), of(DebtPayment, -DebtPayment.amount_minor, null()), charges
    ).subquery()
    query = select(Transaction.id, Transaction.occurred_at, Transaction.kind, *list(moves.c)[1:])
    rows = db.session.execute(
        query.join(moves, moves.c.id == Transaction.id).order_by(Transaction.id.desc()).limit(most)
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
