"""What became of automatic top-ups, noted for their owner, and the end of what has paused them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.funding.recharge.models import Recharge, RechargeNote
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


def clear_pause(row: Recharge, says: str, actor: str, at: datetime) -> bool:
    """Forget declines and end a pause, so that the card may be tried again; false, and no row, when there is none."""
    if row.paused_why is None and row.declines == 0:
        return False
    row.paused_why = row.paused_at = row.asked_minor = row.not_before = None
    row.declines, row.last_code = 0, ""
    note(row, "resumed", says, actor, at)
    return True


def clear_pauses(account_id: UUID, says: str, actor: str, at: datetime) -> None:
    """End the pauses of all wallets of an account."""
    query = select(Recharge).where(Recharge.account_id == account_id).order_by(Recharge.currency)
    for row in db.session.scalars(query.with_for_update()):
        clear_pause(row, says, actor, at)
