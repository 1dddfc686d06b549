"""What waits to leave the house: leads for buyers and news for webhooks, how much, and since when it is due."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from core.db import db
from core.notifications import waiting_webhooks
from marketplace.leads.delivery.models import DeliveryRow

MOST = 10_000  # counted at most, so that a page is as quick on a bad day


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many wait, at most MOST are counted, and since when the first is due by business time; None when none is."""

    code: str
    count: int
    due_since: datetime | None


def backlogs() -> list[Backlog]:
    """Return the backlogs of the courier and of webhooks."""
    waiting, in_hand = (DeliveryRow.state == one for one in ("waiting", "in_hand"))
    return [
        Backlog("leads_waiting", *_count(waiting, DeliveryRow.next_attempt_at)),
        Backlog("leads_in_hand", *_count(in_hand, DeliveryRow.lease_until)),
        Backlog("webhooks_waiting", *waiting_webhooks(MOST)),
    ]


def _count(which: ColumnElement[bool], due: InstrumentedAttribute[Any]) -> tuple[int, datetime | None]:
    part = select(due.label("due")).where(which).limit(MOST).subquery()
    count, first = db.session.execute(select(func.count(), func.min(part.c.due))).one()
    return int(count), first
