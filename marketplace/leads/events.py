"""Moves leads, sales, disputes, endpoints and uploads from state to state; each move is an event: who, when, why."""

from datetime import datetime

from core.db import db
from core.errors import Conflict
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Event, Lead, Sale
from marketplace.leads.stages import may_move
from marketplace.leads.uploads.models import Upload


def move(
    subject: Lead | Sale | Dispute | Endpoint | Upload, after: str, actor: str, at: datetime, why: str | None = None
) -> bool:
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
    db.session.add(Event(subject_id=subject.id, at=at, move=f"{before}>{after}", actor=actor, why=why))
    db.session.flush()
    return True
