"""What of a publisher's balance is pending, in all and by week, and the reserve by the day on which it is payable."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from billing import ReserveDay, reserves_of
from marketplace.leads.queries import Pending, pending_of
from marketplace.reports.kept import Kept, kept, kept_of_many
from marketplace.reports.pending import PendingWeek, sale_weeks, weeks_with_reserve


def pending_in(weeks: Sequence[PendingWeek], next_release_at: datetime | None) -> Pending:
    """Add up what the weeks say, which is all that is pending."""
    return Pending(sum(week.from_sales.minor for week in weeks), sum(week.sales for week in weeks), next_release_at)


def reserve_days(publisher_id: UUID, currency: str, at: datetime) -> Kept[list[ReserveDay]]:
    """Return the publisher's open reserve by the day on which it becomes payable, counted every few minutes."""
    return kept(("reserve", publisher_id, currency), at, lambda: reserves_of(publisher_id, currency))


def pending_here(publisher_id: UUID, currency: str, at: datetime) -> Kept[Pending]:
    """Return what is pending in all; of very many open sales as it was counted within the last minutes."""
    key = ("pending", publisher_id, currency)
    return kept_of_many(key, at, lambda: pending_of(publisher_id, currency), lambda pending: pending.sales)


def weeks_here(
    publisher_id: UUID, currency: str, reserve: Sequence[ReserveDay], at: datetime
) -> Kept[list[PendingWeek]]:  # fmt: skip
    """Return what is pending by week, with this reserve; of very many sales as counted within the last minutes."""
    key = ("weeks", publisher_id, currency)
    sales = kept_of_many(
        key, at, lambda: sale_weeks(currency, publisher_id), lambda weeks: sum(week.sales for week in weeks)
    )
    by_week = Counter[date]()
    for day in reserve:
        by_week[day.on - timedelta(days=day.on.weekday())] += day.amount.minor
    return Kept(weeks_with_reserve(sales.value, by_week, currency), sales.counted_at)
