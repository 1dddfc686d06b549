"""What operators do about debts of publishers that are given up, each with the row of the log that says who and why."""

from datetime import datetime
from uuid import UUID

from billing import WriteOff, ask_write_off, decide_write_off
from core.db import db
from marketplace.leads.models import Event


def ask(publisher_id: UUID, currency: str, reason: str, actor: str, at: datetime) -> WriteOff:
    """Ask that what a publisher owes is given up, leaving an event; raises what `ask_write_off` does."""
    row = ask_write_off(publisher_id, currency, reason, actor, at)
    if row.asked_at == at:
        _log(row, "asked", actor, at)
    return row


def decide(write_off_id: UUID, *, agrees: bool, actor: str, at: datetime) -> WriteOff:
    """Agree to a wish as a second person, or refuse it, leaving an event; raises what `decide_write_off` does."""
    row = decide_write_off(write_off_id, agrees=agrees, actor=actor, at=at)
    if row.decided_at == at:
        _log(row, row.state, actor, at)
    return row


def _log(row: WriteOff, step: str, actor: str, at: datetime) -> None:
    why = f"{row.money} {row.currency}: {row.reason}"
    db.session.add(Event(subject_id=row.account_id, at=at, move=f"write_off>{step}", actor=actor, why=why))
    db.session.flush()
