"""What makes an order a private deal; who says so, and when it ends, is for `marketplace.deals`."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class DealTerms(Struct, frozen=True):
    """What makes an order a private deal: with which publisher, and from when until when it buys."""

    id: UUID
    publisher_id: UUID
    starts_at: datetime
    ends_at: datetime

    def runs(self, at: datetime) -> bool:
        """Tell whether the deal buys at this instant."""
        return self.starts_at <= at < self.ends_at
