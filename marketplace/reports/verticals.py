"""The verticals for operators: what each says, what traded by it lately, and every version it had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.ids import first_id_at
from marketplace.catalog.differences import Difference, differences_between
from marketplace.catalog.models import VerticalVersion
from marketplace.catalog.shelf import get_vertical, versions_of, verticals_by_id
from marketplace.catalog.verticals import Vertical
from marketplace.leads.models import Lead
from marketplace.leads.sources.models import LeadSource
from marketplace.orders.models import Order
from marketplace.reports.kept import kept

DAYS = 30


@dataclass(frozen=True, slots=True)
class Traded:
    """What goes by a vertical: active orders and sources as they are, leads and sold ones of the last days.

    The leads of the whole exchange are counted every few minutes; `counted_at` says when.
    """

    orders: int
    sources: int
    leads: int
    sold: int
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class VerticalLine:
    """One vertical with what went by it."""

    vertical: Vertical
    traded: Traded


@dataclass(frozen=True, slots=True)
class Version:
    """One definition that a vertical had: who made it, when, and what it changed."""

    version: int
    actor: str
    at: datetime
    changes: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class VerticalStory:
    """One vertical, what went by it, and its versions, the newest first."""

    vertical: Vertical
    traded: Traded
    versions: Sequence[Version]


def vertical_lines(at: datetime, made_at: datetime) -> list[VerticalLine]:
    """Return every vertical by slug; `made_at` is the real instant, by which ids are sorted."""
    found = verticals_by_id()
    traded = _traded(list(found), at, made_at)
    lines = [VerticalLine(vertical, traded[row_id]) for row_id, vertical in found.items()]
    return sorted(lines, key=lambda line: line.vertical.slug)


def vertical_story(slug: str, at: datetime, made_at: datetime) -> VerticalStory:
    """Return one vertical; NotFound when there is none of this slug."""
    row_id, vertical = get_vertical(slug)
    return VerticalStory(vertical, _traded([row_id], at, made_at)[row_id], _versions(versions_of(row_id)))


def definition_of(slug: str, version: int) -> dict[str, Any] | None:
    """Find what a version of a vertical said; None for a version that never was."""
    row_id, _ = get_vertical(slug)
    found = (row.definition for row in versions_of(row_id) if row.definition["version"] == version)
    definition: dict[str, Any] | None = next(found, None)
    return definition


def _versions(rows: Sequence[VerticalVersion]) -> list[Version]:
    olders = [*(row.definition for row in rows[1:]), None]
    return [
        Version(row.definition["version"], row.actor, row.at, differences_between(old, row.definition) if old else ())
        for row, old in zip(rows, olders, strict=True)
    ]


def _traded(row_ids: Sequence[int], at: datetime, made_at: datetime) -> dict[int, Traded]:
    slugs = {vertical.slug: row_id for row_id, vertical in verticals_by_id().items()}
    orders = select(Order.vertical_id, func.count()).where(Order.status == "active", Order.vertical_id.in_(row_ids))
    active: dict[int, int] = dict(db.session.execute(orders.group_by(Order.vertical_id)).all())
    named = select(LeadSource.vertical, func.count()).where(LeadSource.status == "active")
    sources = {slugs[slug]: count for slug, count in db.session.execute(named.group_by(LeadSource.vertical))}
    posted = kept(("traded",), at, lambda: _posted(at, made_at))
    return {
        row_id: Traded(active.get(row_id, 0), sources.get(row_id, 0), *posted.value.get(row_id, (0, 0)),
                       posted.counted_at) for row_id in row_ids
    }  # fmt: skip


def _posted(at: datetime, made_at: datetime) -> dict[int, tuple[int, int]]:
    """Count leads and sold ones; no lead of the last days of business has an older id than as many real days."""
    days = timedelta(days=DAYS)
    lately: UUID = first_id_at(made_at - days)
    leads = select(Lead.vertical_id, func.count(), func.count().filter(Lead.status == "sold")).where(
        Lead.id >= lately, Lead.received_at > at - days, Lead.test.is_(False)
    )
    return {row_id: (count, sold) for row_id, count, sold in db.session.execute(leads.group_by(Lead.vertical_id))}
