"""What an earner's own bank sent back to his account at the processor: the money is his, waits there, and he is told.

Their payouts bundle what was transferred. What failed is taken to be the newest transfers that fit into its amount.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.payouts.models import Payout, PayoutRail, PayoutReturn
from billing.payouts.moving import ACTOR, get_locked, move, one_at_a_time, tell
from billing.stripe_connect import BankPayout
from core.db import db

BANK = "bank_sent_back"


def note_bank_payouts(account_id: str, told: Sequence[BankPayout], at: datetime) -> int:
    """Note what an account's bank sent back and what arrived after all, the oldest first; return how many were new."""
    one_at_a_time(f"returns:{account_id}")
    new = 0
    for one in told:
        if one.is_failed and _keep(account_id, one, at):
            _fail(account_id, one, at)
            new += 1
        elif one.is_paid:
            new += _mend(account_id, one, at)
    return new


def _keep(account_id: str, one: BankPayout, at: datetime) -> bool:
    row = {
        "id": one.id, "destination": account_id, "currency": one.money.currency, "amount_minor": one.money.minor,
        "code": one.code, "says": one.says, "made_at": one.made_at, "seen_at": at,
    }  # fmt: skip
    kept = insert(PayoutReturn).values(row).on_conflict_do_nothing().returning(PayoutReturn.id)
    return db.session.execute(kept).first() is not None


def _fail(account_id: str, one: BankPayout, at: datetime) -> None:
    left = one.money.minor
    for payout in _of_account(account_id, one.money.currency, "paid"):
        remains = payout.amount_minor - payout.back_minor
        if remains > left:
            break
        left -= remains
        move(payout, "failed", ACTOR, at, reason=BANK, says=f"{one.code}: {one.says}")
        tell(payout, "payout.failed", at)


def _mend(account_id: str, one: BankPayout, at: datetime) -> int:
    """Note that what had come back arrived by a later payout of theirs."""
    query = select(PayoutReturn).where(
        PayoutReturn.destination == account_id, PayoutReturn.currency == one.money.currency,
        PayoutReturn.mended_at.is_(None), PayoutReturn.made_at < one.made_at,
    )  # fmt: skip
    mended = list(db.session.scalars(query.with_for_update()))
    for row in mended:
        row.mended_at = at
    for payout in _of_account(account_id, one.money.currency, "failed") if mended else ():
        if payout.reason == BANK:
            move(payout, "paid", ACTOR, at)
    return len(mended)


def _of_account(account_id: str, currency: str, state: str) -> list[Payout]:
    """Return the payouts of an account in a state, the newest first, and lock them."""
    query = select(Payout.id).join(PayoutRail, PayoutRail.id == Payout.rail_id)
    query = query.where(PayoutRail.destination == account_id, Payout.currency == currency, Payout.state == state)
    found = [get_locked(payout_id) for payout_id in db.session.scalars(query.order_by(Payout.id.desc())).all()]
    return [payout for payout in found if payout.state == state]
