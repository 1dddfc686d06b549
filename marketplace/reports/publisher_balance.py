"""What of a publisher's balance is pending in all, and the reserve by the day on which it becomes payable."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from billing import ReserveDay, reserves_of
from marketplace.leads.queries import Pending
from marketplace.reports.kept import Kept, kept
from marketplace.reports.pending import PendingWeek


def pending_in(weeks: Sequence[PendingWeek], next_release_at: datetime | None) -> Pending:
    """Add up what the weeks say, which is all that is pending."""
    return Pending(sum(week.from_sales.minor for week in weeks), sum(week.sales for week in weeks), next_release_at)


def reserve_days(publisher_id: UUID, currency: str, at: datetime) -> Kept[list[ReserveDay]]:
    """Return the publisher's open reserve by the day on which it becomes payable, counted every few minutes."""
    return kept(("reserve", publisher_id, currency), at, lambda: reserves_of(publisher_id, currency))
