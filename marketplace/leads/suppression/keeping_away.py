"""Keeping leads away from buyers who know the person: asked before the book, written down with the lead's id.

Only where a buyer of the vertical has such a list is the database asked; the book then passes over that buyer's orders.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from core.db import Pool, db, lend
from marketplace.leads.models import Lead
from marketplace.leads.suppression.rows import SuppressedLead, SuppressionList

# Buyers with a list that keeps leads away, whenever it is valid.
LIVE = "SELECT DISTINCT buyer_id FROM marketplace.suppression_lists WHERE suppresses AND deleted_at IS NULL"
_ASK = """
    WITH found AS (
        SELECT DISTINCT ON (l.buyer_id) l.buyer_id, l.number
        FROM marketplace.suppression_entries e JOIN marketplace.suppression_lists l ON l.number = e.list_number
        WHERE e.key = ANY (%(keys)s) AND l.buyer_id = ANY (%(buyers)s) AND l.suppresses AND l.deleted_at IS NULL
          AND l.uploaded_at <= %(at)s AND coalesce(l.valid_from <= %(at)s, true)
          AND coalesce(%(at)s < l.valid_until, true)
        ORDER BY l.buyer_id, l.number
    ), kept AS (
        INSERT INTO marketplace.suppressed_leads (lead_id, buyer_id, list_number, at)
        SELECT %(lead)s, buyer_id, number, %(at)s FROM found ON CONFLICT DO NOTHING
    )
    SELECT buyer_id FROM found
"""


def kept_away(
    pool: Pool, lead_id: UUID, keys: tuple[bytes, ...], buyers: frozenset[UUID], at: datetime
) -> frozenset[UUID]:
    """Return which of these buyers have the person on a list that is valid at `at`, and write it down at once."""
    if not buyers or not keys:
        return frozenset()
    asked: dict[str, Any] = {"keys": list(keys), "buyers": list(buyers), "at": at, "lead": lead_id}
    with lend(pool) as connection:
        return frozenset(row[0] for row in connection.execute(_ASK, asked))


def kept_away_now(
    lead_id: UUID, keys: tuple[bytes, ...], buyers: frozenset[UUID], at: datetime
) -> frozenset[UUID]:  # fmt: skip
    """Return which buyers have the person on a list that is valid at `at`, or had when the lead came; written down."""
    if buyers and keys:
        asked: dict[str, Any] = {"keys": list(keys), "buyers": list(buyers), "at": at, "lead": lead_id}
        db.session.connection().exec_driver_sql(_ASK, asked)
    return kept_away_of(lead_id, at)


def kept_away_of(lead_id: UUID, at: datetime | None = None) -> frozenset[UUID]:
    """Return the buyers from whom a stored lead was kept away, until an instant if one is named."""
    query = select(SuppressedLead.buyer_id).where(SuppressedLead.lead_id == lead_id)
    return frozenset(db.session.scalars(query if at is None else query.where(SuppressedLead.at <= at)))


def count_kept_away(row: SuppressionList) -> int:
    """Count the leads that a list has kept away: those that were taken, not what was posted twice or rejected."""
    query = select(func.count()).select_from(SuppressedLead).join(Lead, Lead.id == SuppressedLead.lead_id)
    query = query.where(SuppressedLead.list_number == row.number, Lead.status != "rejected")
    return db.session.scalars(query).one()
