"""What pages ask of credit: one buyer's line with what is due when, its statement, and the lines of all buyers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing import (
    CreditLine,
    Debt,
    DebtMove,
    Owing,
    WalletBalance,
    debt_moves_of,
    lines_after,
    open_debts_of,
    owing_of,
    versions_of,
    wallet_of,
    wallets_of,
)
from core.db import db
from core.identity import Account, get_account
from core.money import Money
from marketplace.credit.granting import usual_credit

ROWS = 50


@dataclass(frozen=True, slots=True)
class CreditStanding:
    """One buyer's credit: the wallet, what it owes by age, and what of it falls due first."""

    wallet: WalletBalance
    owing: Owing
    debts: Sequence[Debt]


@dataclass(frozen=True, slots=True)
class Statement:
    """One part of what changed a buyer's debts, the newest first."""

    moves: Sequence[DebtMove]
    next_before: UUID | None


@dataclass(frozen=True, slots=True)
class LineStory:
    """One buyer's line with all that an operator asks before he changes it."""

    account: Account
    standing: CreditStanding
    versions: Sequence[CreditLine]
    usual: Money

    @property
    def version(self) -> int:
        """Return the version of the newest line, 0 for none."""
        return self.versions[0].version if self.versions else 0


@dataclass(frozen=True, slots=True)
class LineRow:
    """One buyer's line in the list of all."""

    account: Account
    wallet: WalletBalance
    owing: Owing


@dataclass(frozen=True, slots=True)
class LineRows:
    """One part of the lines of all buyers, in the order in which their accounts were opened."""

    rows: Sequence[LineRow]
    next_after: UUID | None

    @property
    def due(self) -> int:
        """Return in minor units what of this part is due."""
        return sum(row.owing.due.minor for row in self.rows)


def credit_standing(buyer_id: UUID, currency: str, at: datetime) -> CreditStanding:
    """Return how a buyer's credit stands."""
    return CreditStanding(
        wallet_of(buyer_id, currency), owing_of([buyer_id], currency, at)[buyer_id], open_debts_of(buyer_id, currency)
    )


def statement_of(buyer_id: UUID, currency: str, before: UUID | None) -> Statement:
    """Return what changed a buyer's debts before a transaction."""
    moves = debt_moves_of(buyer_id, currency, ROWS + 1, before)
    return Statement(moves[:ROWS], moves[ROWS - 1].transaction_id if len(moves) > ROWS else None)


def line_story(buyer_id: UUID, currency: str, at: datetime) -> LineStory:
    """Return one buyer's line; NotFound when there is no such buyer."""
    account = get_account(buyer_id, "buyer")
    return LineStory(account, credit_standing(buyer_id, currency, at), versions_of(buyer_id, currency),
                     usual_credit(buyer_id, currency, at))  # fmt: skip


def line_rows(currency: str, after: UUID | None, at: datetime) -> LineRows:
    """Return one part of the buyers who have had a line or owe something, in four questions."""
    found = [row.account_id for row in lines_after(currency, after, ROWS + 1)]
    shown = found[:ROWS]
    accounts = {row.id: row for row in db.session.scalars(select(Account).where(Account.id.in_(shown)))}
    wallets, owing = wallets_of(shown, currency), owing_of(shown, currency, at)
    rows = [LineRow(accounts[each], wallets[each], owing[each]) for each in shown]
    return LineRows(rows, shown[-1] if len(found) > ROWS else None)
