"""Payouts found, locked and moved: every step is checked here, and by the database, which also writes its row."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from billing.ledger import Line, post
from billing.payouts.models import Payout
from billing.payouts.stages import WAITING, may_move
from billing.wallets import Posting
from core.db import db
from core.errors import Conflict, NotFound
from core.outbox import announce

ACTOR = "system:payouts"
PERSON = "user:"  # how the name of somebody signed in begins
MOST_WORDS = 500


def get_locked(payout_id: UUID) -> Payout:
    """Return a payout, locked until the transaction ends; NotFound when there is none."""
    found = db.session.get(Payout, payout_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(detail="There is no payout with this id.")
    return found


def get_all_locked(payout_ids: Iterable[UUID]) -> list[Payout]:
    """Return payouts in the order of their earners, in which all lock them who lock several, and lock them."""
    query = select(Payout).where(Payout.id.in_(list(payout_ids))).order_by(Payout.account_id, Payout.id)
    return list(db.session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def move(
    payout: Payout, to: str, actor: str, at: datetime, *, reason: str | None = None, says: str | None = None
) -> bool:
    """Move a locked payout to a state; False when it is there already, Conflict `payout_state` for an unlisted step."""
    if payout.state == to:
        return False
    if not may_move(payout.state, to):
        raise Conflict("payout_state", f"This payout is {payout.state}: look at it again.")
    payout.state = to
    note(payout, actor, at, reason, says)
    return True


def withdraw_waiting(account_id: UUID, why: str, actor: str, at: datetime, *, unless_agreed: bool = False) -> int:
    """Withdraw what an earner's drafts wait for, those aside that a person agreed to if asked; return how many."""
    query = select(Payout.id).where(Payout.account_id == account_id, Payout.state.in_(WAITING))
    if unless_agreed:
        query = query.where(Payout.state == "approved", ~Payout.approved_by.startswith(PERSON))
    waiting = get_all_locked(db.session.scalars(query).all())
    return sum(move(one, "withdrawn", actor, at, reason=why) for one in waiting if one.state in WAITING)


def note(payout: Payout, actor: str, at: datetime, reason: str | None = None, says: str | None = None) -> None:
    """Say of a locked payout why it stands where it stands."""
    payout.reason, payout.says = reason, (says or "")[:MOST_WORDS] or None
    payout.moved_by, payout.moved_at = actor, at
    db.session.flush()


def post_payout(payout: Payout, kind: str, key: str, lines: list[Line], actor: str, at: datetime) -> Posting:
    """Post lines that are about a payout under a key."""
    return post(kind, key, payout.currency, lines, source=str(payout.id), actor=actor, at=at)


def tell(payout: Payout, event: str, at: datetime) -> None:
    """Leave news of a payout for its earner."""
    data = {"payout": str(payout.id), "state": payout.state, "amount": payout.money.as_json(), "reason": payout.reason}
    told = {"event": event, "at": at.isoformat(), "accounts": [str(payout.account_id)], "data": data}
    announce("notice", told)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def one_at_a_time(name: str) -> None:
    """Wait until nobody else does what is named, and do it alone until the transaction ends."""
    db.session.execute(_LOCK, {"name": f"billing.payouts:{name}"})
