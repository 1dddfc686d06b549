"""A publisher's balance: what is pending until when, what is kept in reserve, and every line of its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Date, cast, func, select

from billing import HistoryItem, ReserveDay, history_of, reserves_of
from core.db import db
from core.errors import NotFound
from core.money import Money
from marketplace.leads.models import Sale
from marketplace.leads.queries import OPEN_STATES
from marketplace.reports.buyer_wallet import LAST, Movements, movements_of

__all__ = ["Movements", "ReserveDay", "Week", "line_of", "movements_of", "pending_weeks", "reserves_of"]


@dataclass(frozen=True, slots=True)
class Week:
    """What open sales release in one week, Monday to Sunday in UTC; None while they are not delivered."""

    begins: date | None
    sales: int
    disputed: int
    amount: Money

    @property
    def ends(self) -> date | None:
        """Return the Sunday of the week."""
        return self.begins and self.begins + timedelta(days=6)


def pending_weeks(publisher_id: UUID, currency: str) -> Sequence[Week]:
    """Sum the publisher's open sales by the week of their release, the next one first."""
    week = cast(func.date_trunc("week", func.timezone("UTC", Sale.release_at)), Date)
    disputed = func.count().filter(Sale.state == "disputed")
    query = select(week, func.count(), disputed, func.sum(Sale.payout_minor)).where(
        Sale.publisher_id == publisher_id, Sale.state.in_(OPEN_STATES), Sale.currency == currency
    )
    rows = db.session.execute(query.group_by(week).order_by(week))
    return [Week(begins, sales, held, Money(int(total), currency)) for begins, sales, held, total in rows]


def line_of(publisher_id: UUID, currency: str, transaction_id: UUID) -> HistoryItem:
    """Return one line of the publisher's history; NotFound for anybody else's."""
    if transaction_id < LAST:
        for item in history_of(publisher_id, currency, 1, UUID(int=transaction_id.int + 1)):
            if item.transaction_id == transaction_id:
                return item
    raise NotFound(detail="There is no line of your balance with this id.")
