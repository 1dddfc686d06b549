"""What became of automatic top-ups, noted for their owner, and the end of what held them up."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.funding.recharge.looking import look
from billing.funding.recharge.models import Recharge, RechargeNote
from billing.funding.recharge.tries import tries_of
from core.db import db
from core.ids import new_id


def note(
    row: Recharge, code: str, says: str, actor: str, at: datetime, *, minor: int | None = None,
    top_up_id: UUID | None = None,
) -> None:  # fmt: skip
    """Leave a row with the reason, for the wallet's owner to read."""
    db.session.add(RechargeNote(id=new_id(), account_id=row.account_id, currency=row.currency, at=at, code=code,
                                amount_minor=minor, top_up_id=top_up_id, says=says, actor=actor))  # fmt: skip
    db.session.flush()


def notes_of(account_id: UUID, currency: str, most: int = 50) -> list[RechargeNote]:
    """Return what became of a wallet's automatic top-ups, the newest first."""
    query = select(RechargeNote).where(RechargeNote.account_id == account_id, RechargeNote.currency == currency)
    return list(db.session.scalars(query.order_by(RechargeNote.id.desc()).limit(most)))


def resume_if_free(row: Recharge, was_held_up: bool, says: str, actor: str, at: datetime) -> None:
    """Note that a charge is possible again, once what held it up is gone; declines of the card that is charged stay."""
    if was_held_up and not look(row, at).is_held_up:
        row.last_code = ""
        note(row, "resumed", says, actor, at)


def resume_after_tries(row: Recharge, says: str, actor: str, at: datetime) -> None:
    """Have the card be tried once more whatever its bank has said; the next decline counts on from the last."""
    seen = look(row, at)
    row.asked_minor, row.resumed_after = None, tries_of(row.account_id, seen.card, at).last_id
    db.session.flush()
    resume_if_free(row, seen.is_held_up, says, actor, at)


def held_up(account_id: UUID, at: datetime) -> list[Recharge]:
    """Lock an account's automatic top-ups and return those that declines or a bank's question hold up."""
    query = select(Recharge).where(Recharge.account_id == account_id).order_by(Recharge.currency)
    return [row for row in db.session.scalars(query.with_for_update()) if look(row, at).is_held_up]
