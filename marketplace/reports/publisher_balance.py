"""A publisher's open sales by the week in which they are released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Date, cast, func, select

from billing import ReserveDay, reserves_of
from core.db import db
from core.money import Money
from marketplace.leads.models import Sale
from marketplace.leads.queries import OPEN_STATES, Pending
from marketplace.reports.kept import Kept, kept


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


def pending_in(weeks: Sequence[Week], next_release_at: datetime | None) -> Pending:
    """Add up what the weeks say, which is all that is pending."""
    return Pending(sum(week.amount.minor for week in weeks), sum(week.sales for week in weeks), next_release_at)


def reserve_days(publisher_id: UUID, currency: str, at: datetime) -> Kept[list[ReserveDay]]:
    """Return the publisher's open reserve by the day on which it becomes payable, counted every few minutes."""
    return kept(("reserve", publisher_id, currency), at, lambda: reserves_of(publisher_id, currency))
