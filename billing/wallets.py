"""Wallets: what an account can spend, what is set aside of it, and how money comes in by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import bindparam, func, select, text

from billing.models import Wallet
from core.db import db
from core.money import Money

PostingState = Literal["committed", "repeated", "refused", "conflict"]


@dataclass(frozen=True, slots=True)
class Posting:
    """What became of a posting; `code` says why it was refused, and is empty otherwise."""

    state: PostingState
    code: str = ""

    @property
    def is_booked(self) -> bool:
        """Tell whether the money is in the books, by this call or by an equal one before it."""
        return self.state in ("committed", "repeated")


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """What stands in one wallet; `promo` is promotional credit, which is spent first and never paid out.

    Of its credit line `drawn_minor` is drawn and not paid back, `owed_minor` is every other debt;
    `at_stake_minor` is what chargebacks may still take. While `stopped_at` is set, nothing is held, because a debt is
    overdue.
    """

    available: Money
    held: Money
    frozen: Money
    promo: Money
    suspended_at: datetime | None = None
    limit_minor: int = 0
    credit_days: int = 0
    drawn_minor: int = 0
    owed_minor: int = 0
    stopped_at: datetime | None = None
    at_stake_minor: int = 0

    @property
    def spendable(self) -> Money:
        """Return what a new hold can take: promotional credit, available and the line's room; nothing while closed."""
        is_closed = self.suspended_at is not None or self.stopped_at is not None
        minor = 0 if is_closed else self.available.minor + self.promo.minor + self.room.minor
        return Money(minor, self.available.currency)

    @property
    def room(self) -> Money:
        """Return what the credit line still has beyond what is drawn, owed and at stake; never below 0."""
        taken = self.drawn_minor + self.owed_minor + self.at_stake_minor
        return Money(max(self.limit_minor - taken, 0), self.available.currency)

    @property
    def owing(self) -> Money:
        """Return all that the wallet owes, due or not."""
        return Money(self.drawn_minor + self.owed_minor, self.available.currency)


def open_wallet(account_id: UUID, currency: str) -> None:
    """Open an empty wallet, once."""
    db.session.execute(select(func.billing.open_wallet(account_id, currency)))


_WALLET = (
    select(Wallet)
    .where(Wallet.account_id == bindparam("account_id"), Wallet.currency == bindparam("currency"))
    .execution_options(populate_existing=True)
)


def wallet_of(account_id: UUID, currency: str) -> WalletBalance:
    """Read a wallet; zeros when it was never opened."""
    row = db.session.scalar(_WALLET, {"account_id": account_id, "currency": currency})
    return balance_in(row, currency)


def balance_in(row: Wallet | None, currency: str) -> WalletBalance:
    """Return what a wallet's row says; zeros for none."""
    if row is None:
        nothing = Money(0, currency)
        return WalletBalance(nothing, nothing, nothing, nothing)
    available, held, frozen, promo = (
        Money(part, currency) for part in (row.available, row.held, row.frozen, row.promo)
    )
    return WalletBalance(available, held, frozen, promo, row.suspended_at, row.credit_limit, row.credit_days,
                         row.drawn, row.owed, row.stopped_at, row.at_stake)  # fmt: skip


def credit_wallet(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    """Book money seen at the bank (D bank / C available) under `credit:{key}`, opening the wallet when needed.

    Refused, and kept as refused for this key: `amount`, `currency`, `wallet_suspended`, `balance_limit`. The answer
    is returned, not raised, because a refusal must be committed to answer the same request again.
    """
    return _fund("post_credit", account_id, money, f"credit:{key}", reason, actor, at)


def grant_promo(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    """Give promotional credit (D promo / C wallet promo) under `promo:{key}`; answers as `credit_wallet` does."""
    return _fund("post_promo", account_id, money, f"promo:{key}", reason, actor, at)


_FUND = {
    name: text(f"SELECT billing.{name}(:account_id, :currency, :amount, :key, :reason, :actor, :at)")
    for name in ("post_credit", "post_promo")
}


def _fund(name: str, account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    values = {"account_id": account_id, "currency": money.currency, "amount": money.minor}
    values |= {"key": key, "reason": reason, "actor": actor, "at": at}
    answer: str = db.session.execute(_FUND[name], values).scalar_one()
    return POSTINGS.get(answer) or Posting("refused", answer.removeprefix("refused:"))


POSTINGS = {
    "committed": Posting("committed"),
    "repeated": Posting("repeated"),
    "conflict": Posting("conflict", "key_reused"),
}
