"""The operator's disputes: how many wait for a decision, and since when the oldest does."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from core.db import db
from marketplace.leads.dispute_rows import Dispute


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many disputes are open, and when the oldest of them was opened."""

    disputes: int
    oldest_at: datetime | None


def waiting_disputes() -> Waiting:
    """Count the disputes that wait for a decision."""
    query = select(func.count(), func.min(Dispute.opened_at)).where(Dispute.state == "open")
    return Waiting(*db.session.execute(query).one())
