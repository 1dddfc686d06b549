"""The breaker of sources: a source of which too much goes back is warned or paused, with the figures that show it.

A decision only marks its dispute; the look comes within a minute in a transaction of its own, so that decisions never
wait for each other here. A paused source is part of the order books, so refusing its leads costs no statement.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import Fault, Invalid
from core.identity import accounts_of_kind
from core.money import BASIS_POINTS
from core.outbox import announce
from marketplace.catalog.dispute_rules import SourceBreaker
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.catalog.shelf import raise_book_versions
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.sources.models import SourceStanding

BATCH = 500
ACTOR = "system:breaker"
ACTIVE, WARNED, PAUSED = "active", "warned", "paused"
_RANK = {ACTIVE: 0, WARNED: 1, PAUSED: 2}


class Figures(NamedTuple):
    """Of a source's sales: how many, how many claims were upheld at the publisher's cost, and how many for robots."""

    sales: int
    upheld: int
    robots: int


def verdict_on(rule: SourceBreaker, seen: Figures) -> str:
    """Tell how a source with these figures stands; few sales show nothing."""
    if seen.sales >= rule.robots_least_sales and seen.robots * BASIS_POINTS > seen.sales * rule.robots_bp:
        return PAUSED
    if seen.sales < rule.least_sales or seen.upheld * BASIS_POINTS <= seen.sales * rule.warn_bp:
        return ACTIVE
    return PAUSED if seen.upheld * BASIS_POINTS > seen.sales * rule.pause_bp else WARNED


def look_at_sources(as_of: datetime) -> int:
    """Look at the sources of the oldest upheld claims that wait for it; return how many claims that covered."""
    query = select(Dispute, Lead.source_name).join(Sale, Sale.id == Dispute.sale_id)
    query = query.join(Lead, Lead.id == Sale.lead_id).where(Dispute.watch_due).order_by(Dispute.id).limit(BATCH)
    waiting = db.session.execute(query.with_for_update(of=Dispute, skip_locked=True)).all()
    for dispute, _ in waiting:
        dispute.watch_due = False
    sources = sorted({(dispute.publisher_id, name) for dispute, name in waiting})
    for standing in [_standing_of(*source, as_of) for source in sources]:  # all are locked before a book is
        _look_at(standing, as_of)
    db.session.flush()
    return len(waiting)


def _look_at(standing: SourceStanding, as_of: datetime) -> None:
    if standing.standing != PAUSED:
        since = max(standing.since, as_of - _days())
        seen = figures_of(standing.publisher_id, standing.source_name, since, as_of)
        why = f"{seen.upheld} of {seen.sales} sales went back, {seen.robots} of them for robots"
        _change(standing, verdict_on(rules_in_force().source_breaker, seen), why, ACTOR, as_of)


def figures_of(publisher_id: UUID, name: str, since: datetime, until: datetime) -> Figures:
    """Count a source's delivered sales of a period, and what was upheld of them."""
    upheld = (Dispute.credited_minor > 0) & (Dispute.paid_by == "publisher")
    robots = [reason for reason, rule in rules_in_force().reasons.items() if rule.robots]
    query = select(func.count(), func.count().filter(upheld), func.count().filter(upheld, Dispute.reason.in_(robots)))
    query = query.select_from(Sale).join(Lead, Lead.id == Sale.lead_id).outerjoin(Dispute, Dispute.sale_id == Sale.id)
    query = query.where(Sale.publisher_id == publisher_id, Lead.source_name == name, Sale.delivered_at.is_not(None),
                        Sale.sold_at > since, Sale.sold_at <= until)  # fmt: skip
    return Figures(*db.session.execute(query).one())


def set_standing(publisher_id: UUID, name: str, standing: str, note: str, actor: str, at: datetime) -> SourceStanding:
    """Pause or readmit a source as an operator; who is readmitted begins anew, with the sales from now on.

    Invalid for another word.
    """
    if standing not in (ACTIVE, PAUSED):
        fault = Fault("standing", "not_allowed_value", "Choose active or paused.")
        raise Invalid("invalid_source_standing", "The source cannot be changed so.", [fault])
    row = _standing_of(publisher_id, name, at)
    if standing == ACTIVE and row.standing != ACTIVE:
        row.since = at
    _change(row, standing, note, actor, at)
    db.session.flush()
    return row


def standings_of(publisher_id: UUID | None) -> list[SourceStanding]:
    """Return the sources that were ever warned or paused, of one publisher or of all for None, the latest first."""
    query = select(SourceStanding).order_by(SourceStanding.changed_at.desc(), SourceStanding.source_name).limit(1000)
    return list(db.session.scalars(query.where(SourceStanding.publisher_id == publisher_id) if publisher_id else query))


def _days() -> timedelta:
    return timedelta(days=rules_in_force().source_breaker.days)


def _standing_of(publisher_id: UUID, name: str, at: datetime) -> SourceStanding:
    """Return the locked row of a source, or a new one that is stored once it says something."""
    row = db.session.get(SourceStanding, (publisher_id, name), with_for_update=True)
    return row or SourceStanding(publisher_id=publisher_id, source_name=name, standing=ACTIVE, since=at - _days(),
                                 changed_at=at)  # fmt: skip


def _change(row: SourceStanding, after: str, why: str, actor: str, at: datetime) -> None:
    """Move a source's standing with its event and its news, and let every book know when leads are refused or not."""
    before = row.standing
    if before == after:
        return
    row.standing, row.changed_at, row.why = after, at, why
    db.session.add_all([row, Event(subject_id=row.publisher_id, at=at, move=f"{before}>{after}", actor=actor,
                                   why=f"source {row.source_name}: {why}")])  # fmt: skip
    db.session.flush()
    if PAUSED in (before, after):
        raise_book_versions()
    if _RANK[after] > _RANK[before]:
        accounts = [str(row.publisher_id), *(str(account.id) for account in accounts_of_kind("operator"))]
        data = {"account": str(row.publisher_id), "source": row.source_name, "why": why}
        announce("notice", {"event": f"source.{after}", "at": at.isoformat(), "accounts": accounts, "data": data})
