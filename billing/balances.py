"""Balances of many accounts at once, for lists: what stands in their wallets, and what they have earned."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from billing.models import Earner, Wallet
from billing.wallets import WalletBalance, balance_in
from core.db import db
from core.money import Money


@dataclass(frozen=True, slots=True)
class Earned:
    """What one earner has at the moment, and what it owes the platform."""

    payable: Money
    reserve: Money
    in_flight: Money
    owed: Money


def wallets_of(account_ids: Iterable[UUID], currency: str) -> dict[UUID, WalletBalance]:
    """Read the wallets of these accounts in one question; zeros for one that was never opened."""
    wanted = list(account_ids)
    query = select(Wallet).where(Wallet.account_id.in_(wanted), Wallet.currency == currency)
    found = {row.account_id: row for row in db.session.scalars(query)}
    return {each: balance_in(found.get(each), currency) for each in wanted}


def currencies_earned(account_id: UUID) -> list[str]:
    """Return the currencies in which an earner ever earned."""
    return list(db.session.scalars(select(Earner.currency).where(Earner.account_id == account_id)))


def earned_by(account_ids: Iterable[UUID], currency: str) -> dict[UUID, Earned]:
    """Read what these accounts have earned in one question; zeros for one that never earned."""
    wanted, nothing = list(account_ids), Money(0, currency)
    query = select(Earner).where(Earner.account_id.in_(wanted), Earner.currency == currency)
    found = {
        row.account_id: Earned(*(Money(part, currency) for part in (row.payable, row.reserve, row.in_flight, row.owed)))
        for row in db.session.scalars(query)
    }
    return {each: found.get(each) or Earned(nothing, nothing, nothing, nothing) for each in wanted}
