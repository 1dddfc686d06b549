"""A publisher's sources: those registered for posts in other dialects, and how each named source stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from marketplace.leads.models import Lead
from marketplace.leads.source_breaker import standings_of
from marketplace.leads.sources.models import LeadSource, SourceStanding
from marketplace.leads.sources.register import sources_of
from marketplace.market.scores import Quality, qualities_of

MOST = 200  # of sources shown; a publisher has a handful
LATEST = 5000  # leads that are looked at to tell which sources a publisher posts from


@dataclass(frozen=True, slots=True)
class Sources:
    """The registered sources, and by name: standings, how many leads came lately, and quality."""

    registered: Sequence[LeadSource]
    standings: Mapping[str, SourceStanding]
    seen: Mapping[str, int]
    qualities: Mapping[str, Quality]


def sources_shown(publisher_id: UUID) -> Sources:
    """Return how the publisher's sources are and stand."""
    standings = {row.source_name: row for row in standings_of(publisher_id)}
    latest = select(Lead.source_name).where(Lead.publisher_id == publisher_id, Lead.test.is_(False))
    names = latest.order_by(Lead.id.desc()).limit(LATEST).subquery()
    counted = select(names.c.source_name, func.count()).group_by(names.c.source_name).order_by(func.count().desc())
    rows = db.session.execute(counted).all()
    seen = {str(row[0]): int(row[1]) for row in rows}
    qualities = {one.source_name: one for one in qualities_of(publisher_id)}
    return Sources(sources_of(publisher_id, None, MOST), standings, seen, qualities)
