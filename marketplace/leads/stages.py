"""The one table of moves: which state a sale or a dispute may go to from which; each move is an event row.

Leads are born in their state by the sale function; orders have versions instead of events.
"""

from datetime import datetime
from uuid import UUID

from core.db import db
from core.errors import Conflict
from marketplace.leads.models import Dispute, Event, Sale

MOVES: dict[str, dict[str, frozenset[str]]] = {
    "sale": {
        "held": frozenset({"delivered", "refused", "failed"}),
        "delivered": frozenset({"disputed", "settled"}),
        "disputed": frozenset({"delivered", "returned"}),
        "settled": frozenset(),
        "returned": frozenset(),
        "refused": frozenset(),
        "failed": frozenset(),
    },
    "dispute": {"open": frozenset({"upheld", "rejected"}), "upheld": frozenset(), "rejected": frozenset()},
}


def may_move(kind: str, before: str, after: str) -> bool:
    """Tell whether the table lists this move."""
    return after in MOVES[kind][before]


def move(subject: Sale | Dispute, after: str, actor: str, at: datetime, why: str | None = None) -> bool:
    """Move a sale or dispute and write the event; the same state again changes nothing and returns False.

    Conflict `not_now` for a move that the table does not list. The caller holds the row's lock.
    """
    kind = "sale" if isinstance(subject, Sale) else "dispute"
    before = subject.state
    if before == after:
        return False
    if not may_move(kind, before, after):
        raise Conflict("not_now", f"The {kind} is {before}; it cannot become {after}.")
    subject.state = after
    db.session.add(Event(subject_id=subject.id, at=at, move=f"{before}>{after}", actor=actor, why=why))
    db.session.flush()
    return True
