"""Reports on speed to contact: the buyer's by order or by hour of the day, the publisher's by source."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core.db import db

FEWEST = 10  # of fewer sales a rate would tell about single people and buyers
# Which column a report is made by; the hour is that of the delivery, on the wall clock of the order's zone.
COLUMN_OF = {"order": "order_id", "hour": "delivered_hour"}

_SPEED = """
    SELECT c.{column} AS key, count(*) AS sales, count(c.first_attempt_at) AS attempted,
           count(*) FILTER (WHERE c.first_attempt_at <= c.due_at) AS in_time,
           count(*) FILTER (WHERE c.first_attempt_at IS NOT NULL OR c.due_at < :at) AS judged,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY w.seconds) AS median_seconds,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY w.seconds) AS p90_seconds
    FROM marketplace.sale_contacts c
    CROSS JOIN LATERAL (SELECT CASE WHEN c.first_attempt_at IS NOT NULL
        THEN greatest(floor(extract(epoch FROM c.first_attempt_at - c.delivered_at)), 0)::bigint END) w (seconds)
    WHERE c.buyer_id = :buyer AND c.delivered_at >= :since AND c.delivered_at < :until
    GROUP BY c.{column} ORDER BY c.{column}
"""
_RATE = text("""
    SELECT l.source_name, count(*) AS sales, count(c.first_attempt_at) AS attempted,
           count(c.first_contact_at) AS contacted
    FROM marketplace.sale_contacts c
    JOIN marketplace.sales s ON s.id = c.sale_id
    JOIN marketplace.leads l ON l.id = s.lead_id
    WHERE c.publisher_id = :publisher AND c.delivered_at >= :since AND c.delivered_at < :until
    GROUP BY l.source_name ORDER BY l.source_name
""")


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a group of sales was first tried; `judged` were tried, or their time is up."""

    key: UUID | int
    sales: int
    attempted: int
    in_time: int
    judged: int
    median_seconds: int | None
    p90_seconds: int | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of a source's sales were tried and reached."""

    source: str
    sales: int
    attempted: int
    contacted: int


def speed_of(buyer_id: UUID, by: str, since: datetime, until: datetime, at: datetime) -> list[Speed]:
    """Return how fast the buyer tried what was delivered from `since` to before `until`, as it stands at `at`."""
    query = text(_SPEED.format(column=COLUMN_OF[by]))
    rows = db.session.execute(query, {"buyer": buyer_id, "since": since, "until": until, "at": at})
    return [Speed(*row) for row in rows]


def rate_of(publisher_id: UUID, since: datetime, until: datetime) -> list[Rate]:
    """Return how many of the publisher's sales were tried and reached, by source; nothing of any single sale."""
    rows = db.session.execute(_RATE, {"publisher": publisher_id, "since": since, "until": until})
    return [Rate(*row) for row in rows]
