"""Pausing a publisher and admitting him again, with the event that says who did it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from affiliates import Publisher, change_publisher
from billing import withdraw_waiting_payouts
from core.db import db
from marketplace.leads.models import Event


def set_publisher_standing(account_id: UUID, standing: str | None, actor: str, at: datetime) -> Publisher:
    """Pause or readmit a publisher for every lead whose request begins from now, leaving an event.

    Who is paused is paid by no draft that nobody looked at: those are withdrawn. None changes nothing. NotFound when
    there is no publisher of this account, Invalid for another standing.
    """
    present = select(Publisher.standing).where(Publisher.account_id == account_id).with_for_update()
    before = db.session.scalar(present)
    row = change_publisher(account_id, at, standing)
    if row.standing != before:
        db.session.add(Event(subject_id=account_id, at=at, move=f"{before}>{row.standing}", actor=actor))
        db.session.flush()
        if row.standing == "paused":
            withdraw_waiting_payouts(account_id, "standing_paused", actor, at, unless_agreed=True)
    return row
