"""The leads that Meta announced: noted once each, claimed when due, and ended as taken, refused or given up."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from marketplace.leads.dialects.meta import TOKEN_ERRORS
from marketplace.leads.sources.models import LeadSource, MetaLead

# What passes between one attempt and the next; the first also gives the attempt itself time to end.
PAUSES = (
    *(timedelta(seconds=seconds) for seconds in (30, 60)),
    *(timedelta(minutes=minutes) for minutes in (2, 10, 30)),
    *(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24)),
)


def note_leads(source_id: UUID, lead_ids: Sequence[str], at: datetime) -> int:
    """Note announced leads as due at once and return how many are new: a repeated event changes nothing."""
    if not lead_ids:
        return 0
    rows = [
        {"source_id": source_id, "leadgen_id": lead_id, "state": "waiting", "announced_at": at, "next_attempt_at": at}
        for lead_id in lead_ids
    ]
    statement = insert(MetaLead).values(rows).on_conflict_do_nothing().returning(MetaLead.leadgen_id)
    return len(db.session.execute(statement).all())


def claim_lead(at: datetime) -> tuple[LeadSource, str, bool] | None:
    """Claim a lead that is due, with its source (detached) and whether this is the last attempt; None when none is.

    The claim itself sets the next attempt, so one that dies or fails is made again. A paused source's leads wait.
    """
    query = select(MetaLead, LeadSource).join(LeadSource, LeadSource.id == MetaLead.source_id)
    query = query.where(MetaLead.state == "waiting", MetaLead.next_attempt_at <= at, LeadSource.status != "paused")
    query = query.order_by(MetaLead.next_attempt_at).limit(1).with_for_update(of=MetaLead, skip_locked=True)
    found = db.session.execute(query).one_or_none()
    if found is None:
        return None
    lead, source = found
    lead.next_attempt_at = at + PAUSES[min(lead.attempts, len(PAUSES) - 1)]
    lead.attempts += 1
    db.session.flush()
    db.session.expunge(source)
    return source, lead.leadgen_id, lead.attempts > len(PAUSES)


def note_attempt(source_id: UUID, leadgen_id: str, reason: str) -> None:
    """Keep why an attempt came to nothing; the next one is set already."""
    _change(source_id, leadgen_id, {"reason": reason})


def end_lead(source_id: UUID, leadgen_id: str, state: str, lead_id: UUID | None, reason: str | None) -> None:
    """End a lead's waiting: taken with its lead, refused or given up with the reason; an ended one stays as it is."""
    values = {"state": state, "lead_id": lead_id, "reason": reason, "next_attempt_at": None}
    _change(source_id, leadgen_id, values)


def revive_leads(source_id: UUID, at: datetime) -> None:
    """Let those wait again that were given up for want of a valid token: the publisher sent a new one."""
    reasons = [f"graph_{code}" for code in TOKEN_ERRORS]
    given_up = (MetaLead.source_id == source_id, MetaLead.state == "given_up", MetaLead.reason.in_(reasons))
    again = {"state": "waiting", "attempts": 0, "next_attempt_at": at, "reason": None}
    db.session.execute(update(MetaLead).where(*given_up).values(again))


def _change(source_id: UUID, leadgen_id: str, values: Mapping[str, object]) -> None:
    here = (MetaLead.source_id == source_id, MetaLead.leadgen_id == leadgen_id, MetaLead.state == "waiting")
    db.session.execute(update(MetaLead).where(*here).values(values))
