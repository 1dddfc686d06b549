"""What one person may do alone within a day: crediting wallets by unproven statements, and moving what is in suspense.

All of it counts together, so that nothing is made small by being cut into parts. Who is not signed in, by a key or the
command line, is nobody in particular: all of them count as one.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from billing.bank.models import BankImport, SuspenseMove
from core.db import db
from core.errors import NotAllowed
from core.overrides import overrides

A_DAY = timedelta(days=1)
PERSON = "user:"  # how the name of somebody signed in begins


def is_alone_enough(actor: str, minor: int, at: datetime) -> bool:
    """Tell whether somebody may do this much alone, with what he did within a day; two of his at once wait here."""
    who = actor if actor.startswith(PERSON) else "nobody"
    lock = func.pg_advisory_xact_lock(func.hashtextextended(f"billing.alone:{who}", 0))
    db.session.execute(select(lock))
    return minor + _done_alone(actor, at - A_DAY) <= overrides().setting("four_eyes.credit_minor")


def demand_person(actor: str) -> None:
    """Refuse with NotAllowed `person_needed` unless somebody signed in acts."""
    if not actor.startswith(PERSON):
        raise NotAllowed("person_needed", "This needs two people. Sign in, and do it on the page of the bank.")


def _done_alone(actor: str, since: datetime) -> int:
    one, move = BankImport, SuspenseMove
    credited = select(func.coalesce(func.sum(one.alone_minor), 0)).where(
        _is(one.actor, actor), one.alone_minor > 0, one.alone_at > since
    )
    moved = select(func.coalesce(func.sum(func.abs(move.amount_minor)), 0)).where(
        _is(move.actor, actor), move.confirmed_by.is_(None), move.state.in_(("owed", "done")), move.asked_at > since
    )
    return int(db.session.scalar(credited) or 0) + int(db.session.scalar(moved) or 0)


def _is(column: InstrumentedAttribute[str], actor: str) -> ColumnElement[bool]:
    return column == actor if actor.startswith(PERSON) else ~column.startswith(PERSON)
