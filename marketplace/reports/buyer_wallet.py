"""A buyer's wallet: what is there, how long it lasts, what it was spent on day by day, and every movement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select, text

from billing import HistoryItem, WalletBalance, history_of, wallet_of
from core.db import db
from core.errors import NotFound
from core.money import Money
from marketplace.leads.models import Sale
from marketplace.reports.days import SHOWN, by_day, cuts_since, day_of, days_until, filled, start_of_day
from marketplace.reports.kept import find_kept, keep

SPENT_OVER_DAYS = 7
ROWS = 50
LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a wallet holds, and for how many days that lasts as it was spent lately; None when nothing was."""

    balance: WalletBalance
    spending: "Spending"
    lasts_days: int | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What was bought on each of the last days; those before yesterday as they were counted a while ago."""

    days: Sequence[date]
    spent: Sequence[Money]
    counted_at: datetime

    @property
    def lately(self) -> Money:
        """Return what the last seven days came to."""
        last = self.spent[-SPENT_OVER_DAYS:]
        return Money(sum(one.minor for one in last), last[0].currency)


@dataclass(frozen=True, slots=True)
class Movements:
    """One part of a wallet's history, the newest first, and the transaction after which the next one begins."""

    items: Sequence[HistoryItem]
    next_before: UUID | None


def spending_of(buyer_id: UUID, currency: str, at: datetime) -> Spending:
    """Sum what the buyer's sales cost by the UTC day on which they were sold; returned ones are left out.

    Today and yesterday are exact; the days before them are counted every few minutes.
    """
    days, first = days_until(at), start_of_day(at) - timedelta(days=SHOWN - 1)
    yesterday, key = start_of_day(at) - timedelta(days=1), ("spent", buyer_id, currency, first)
    over = find_kept(key, at)
    found = _spent(buyer_id, currency, at, yesterday if over else first)
    over = over or keep(key, {day: spent for day, spent in found.items() if day and day < yesterday.date()}, at)
    spent = filled(over.value | found, days)
    return Spending(days, [Money(minor, currency) for minor in spent], over.counted_at)


# Built once: to put it together anew takes as long as to run it.
_SPENT = (
    select(day_of(Sale.sold_at), func.sum(Sale.price_minor - Sale.credited_minor))
    .where(
        Sale.buyer_id == bindparam("buyer"), Sale.currency == bindparam("currency"),
        Sale.sold_at >= bindparam("since"), Sale.state.not_in(("returned", "refused", "failed")),
    )
    .group_by(text("1"))
)  # fmt: skip


def _spent(buyer_id: UUID, currency: str, at: datetime, since: datetime) -> dict[date | None, int]:
    cuts = cuts_since(since, at)
    told = {"buyer": buyer_id, "currency": currency, "since": since, "cuts": cuts}
    return by_day(((row[0], row[1]) for row in db.session.execute(_SPENT, told)), cuts, at)


def standing_of(balance: WalletBalance, spending: Spending) -> Standing:
    """Judge how long a wallet lasts at the pace of the last seven days."""
    spent = spending.lately.minor
    return Standing(balance, spending, balance.spendable.minor * SPENT_OVER_DAYS // spent if spent else None)


def wallet_standing(buyer_id: UUID, currency: str, at: datetime) -> Standing:
    """Return what the buyer's wallet holds and how long that lasts."""
    return standing_of(wallet_of(buyer_id, currency), spending_of(buyer_id, currency, at))


def movements_of(buyer_id: UUID, currency: str, before: UUID | None) -> Movements:
    """Return what moved an account's wallet or earnings before a transaction, the newest first."""
    items = history_of(buyer_id, currency, ROWS + 1, before)
    return Movements(items[:ROWS], items[ROWS - 1].transaction_id if len(items) > ROWS else None)


def movement_of(buyer_id: UUID, currency: str, transaction_id: UUID) -> HistoryItem:
    """Return one movement of an account's wallet or earnings; NotFound for anybody else's."""
    if transaction_id < LAST:
        for item in history_of(buyer_id, currency, 1, UUID(int=transaction_id.int + 1)):
            if item.transaction_id == transaction_id:
                return item
    raise NotFound(detail="There is no movement of yours with this id.")


def change_of(item: HistoryItem, currency: str) -> Money:
    """Return by how much a movement changed what can be spent."""
    parts = (item.changes.get(name) for name in ("wallet:available", "wallet:promo"))
    return Money(sum(part.minor for part in parts if part is not None), currency)
