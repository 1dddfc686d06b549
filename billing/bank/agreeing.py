"""Files that credit more than one person may alone, with no balance that proves them: two people agree, or refuse."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from billing.bank.alone import demand_person
from billing.bank.models import BankImport, BankLine
from core.db import db
from core.errors import Conflict, NotAllowed, NotFound


def asked_imports(most: int = 100) -> list[BankImport]:
    """Return the files that wait for a second person, the oldest first."""
    query = select(BankImport).where(BankImport.state == "asked")
    return list(db.session.scalars(query.order_by(BankImport.id).limit(most)))


def agree_to_import(import_id: UUID, actor: str) -> BankImport:
    """Have the lines that wait booked, as the second person; of a file that a key or command sent, the first vouches.

    NotAllowed `second_person_needed` for whoever sent it, `person_needed` for nobody signed in, Conflict
    `already_decided` when nothing waits any more.
    """
    demand_person(actor)
    row = _get(import_id)
    if row.vouched_by is None:
        row.vouched_by = actor
    elif row.vouched_by == actor:
        raise NotAllowed("second_person_needed", "Ask another operator to agree: whoever brought the file cannot.")
    else:
        row.confirmed_by, row.state = actor, "read"
    db.session.flush()
    return row


def refuse_import(import_id: UUID, actor: str, at: datetime) -> BankImport:
    """Book nothing more of a file; its lines that wait stay, as refused."""
    demand_person(actor)
    row = _get(import_id)
    waiting = (BankLine.import_id == import_id, BankLine.outcome == "waits")
    db.session.execute(update(BankLine).where(*waiting).values(outcome="refused", code="not_agreed"))
    row.state, row.ended_at = "done", at
    db.session.flush()
    return row


def _get(import_id: UUID) -> BankImport:
    row = db.session.get(BankImport, import_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(detail="There is no such import.")
    if row.state != "asked":
        raise Conflict("already_decided", "This file does not wait for anybody any more. Look at it again.")
    return row
