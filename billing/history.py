"""History: the statement of one account, transaction by transaction, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.models import ChartOfAccounts, Entry, Transaction
from core.db import db
from core.money import Money


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One transaction as its owner sees it: `changes` maps account names to what they grew (or shrank) by."""

    transaction_id: UUID
    kind: str
    source: str | None
    reason: str | None
    occurred_at: datetime
    changes: dict[str, Money]


def history_of(account_id: UUID, currency: str, limit: int = 50, before: UUID | None = None) -> list[HistoryItem]:
    """Read what moved an account's wallet or earnings, the newest first; `before` is the last page's last id.

    A liability grows by credits and a receivable by debits, so a positive change always means a bigger balance.
    """
    page = select(Entry.transaction_id).distinct().where(Entry.owner_id == account_id, Entry.currency == currency)
    if before is not None:
        page = page.where(Entry.transaction_id < before)
    page = page.order_by(Entry.transaction_id.desc()).limit(limit)
    rows = db.session.execute(
        select(Transaction, Entry, ChartOfAccounts)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(ChartOfAccounts, ChartOfAccounts.code == Entry.account)
        .where(Transaction.id.in_(page.scalar_subquery()), Entry.owner_id == account_id, Entry.currency == currency)
        .order_by(Transaction.id.desc(), Entry.line)
    )
    items: dict[UUID, HistoryItem] = {}
    for posted, entry, place in rows:
        item = items.setdefault(posted.id, _item_of(posted))
        sign = 1 if place.side == "debit" else -1
        before_it = item.changes.get(place.name, Money(0, currency))
        item.changes[place.name] = Money(before_it.minor + sign * entry.amount_minor, currency)
    return list(items.values())


def _item_of(posted: Transaction) -> HistoryItem:
    return HistoryItem(posted.id, posted.kind, posted.source, posted.reason, posted.occurred_at, {})
