"""The one table of moves of briefs and deals, and the event that each move leaves.

A brief is open while some of its volume is to be had, and full while all of it is taken; what a deal gives back opens
it again. A deal runs until it has bought what was promised, its time is over, or one side cancels it.
"""

from datetime import datetime

from core.db import db
from core.errors import Conflict
from marketplace.deals.models import Brief, Deal
from marketplace.leads.models import Event

ACTIVE, FULL, ENDED, CANCELLED, OPEN = "active", "full", "ended", "cancelled", "open"
MOVES: dict[str, dict[str, frozenset[str]]] = {
    "brief": {
        OPEN: frozenset({FULL, ENDED, CANCELLED}),
        FULL: frozenset({OPEN, ENDED, CANCELLED}),
        ENDED: frozenset(),
        CANCELLED: frozenset(),
    },
    "deal": {
        ACTIVE: frozenset({FULL, ENDED, CANCELLED}),
        FULL: frozenset(),
        ENDED: frozenset(),
        CANCELLED: frozenset(),
    },
}


def move(subject: Brief | Deal, after: str, actor: str, at: datetime, why: str | None = None) -> bool:
    """Move a locked brief or deal and write the event; the same state again changes nothing and returns False.

    Conflict `not_now` for a move that the table does not list.
    """
    kind, before = type(subject).__name__.lower(), subject.state
    if before == after:
        return False
    if after not in MOVES[kind][before]:
        raise Conflict("not_now", f"The {kind} is {before}; it cannot become {after}.")
    subject.state = after
    if isinstance(subject, Deal):
        subject.ended_at = at
    else:
        subject.changed_at = at
    db.session.add(Event(subject_id=subject.id, at=at, move=f"{before}>{after}", actor=actor, why=why))
    db.session.flush()
    return True
