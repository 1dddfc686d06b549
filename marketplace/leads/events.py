"""Moves leads, sales, disputes, endpoints and uploads from state to state; each move is an event: who, when, why."""

from datetime import datetime

from core.db import db
from core.errors import Conflict
from marketplace.leads.again.models import KeptLead
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.stages import may_move
from marketplace.leads.uploads.models import Upload


def move(
    subject: Lead | Sale | Dispute | Endpoint | Upload | KeptLead, after: str, actor: str, at: datetime,
    why: str | None = None,
) -> bool:  # fmt: skip
    """Move a subject and write the event; the same state again changes nothing and returns False.

    Conflict `not_now` for a move that the table does not list. The caller holds the row's lock.
    """
    kind = type(subject).__name__.lower()
    before = subject.status if isinstance(subject, Lead) else subject.state
    if before == after:
        return False
    if not may_move(kind, before, after):
        raise Conflict("not_now", f"The {kind} is {before}; it cannot become {after}.")
    if isinstance(subject, Lead):
        subject.status = after
    else:
        subject.state = after
    subject_id = subject.lead_id if isinstance(subject, KeptLead) else subject.id
    db.session.add(Event(subject_id=subject_id, at=at, move=_told(subject, before, after), actor=actor, why=why))
    db.session.flush()
    return True


def _told(subject: object, before: str, after: str) -> str:
    """Say a move in the words of events; that of a kept lead is told beside its lead's own."""
    return f"{'offers ' if isinstance(subject, KeptLead) else ''}{before}>{after}"
