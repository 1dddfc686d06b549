"""What statements tell of payouts by file: a debit pays one, a credit takes it back; each is booked once a payout."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing.bank.lines import Entry
from billing.bank.matching import Known, payouts_in
from billing.bank.models import BankEntry
from billing.payouts.files import hand_on
from billing.payouts.models import Payout, PayoutRail
from billing.payouts.moving import get_all_locked, get_locked
from billing.payouts.outcomes import fail_by_file, pay_by_file
from billing.payouts.rails import block_rail
from billing.payouts.standing import BY_STATEMENT
from core.db import db


def payouts_told(entries: Iterable[Entry], actor: str, at: datetime) -> dict[str, Known]:
    """Return the payouts by file that entries name, locked before anything that is booked of them.

    A file of which the bank tells was given to it.
    """
    named = {UUID(one) for entry in entries for one in payouts_in(entry)}
    query = select(Payout.id, Payout.file_id, Payout.state).where(Payout.id.in_(named), Payout.file_id.is_not(None))
    rows = db.session.execute(query).all() if named else []
    for file_id in sorted({row.file_id for row in rows if row.state == "ordered"}):
        hand_on(file_id, actor, at)
    locked = get_all_locked(row.id for row in rows) if rows else []
    query_rails = select(PayoutRail.id, PayoutRail.destination).where(
        PayoutRail.id.in_([one.rail_id for one in locked]))  # fmt: skip
    places = {row.id: row.destination for row in db.session.execute(query_rails)} if locked else {}
    return {
        one.id.hex: Known(
            one.id, one.currency, earner_id=one.account_id, paid_minor=one.amount_minor,
            paid_to=places.get(one.rail_id) or "",
        )
        for one in locked
    }  # fmt: skip


def book_payout(payout_id: UUID, minor: int, words: str, actor: str, at: datetime, *, is_proven: bool) -> str:
    """Book what an entry of this amount makes of a payout; return why it makes nothing of it, empty otherwise.

    Whoever calls books the bank against what is in transit. What came back counts when a balance proves it: on a word
    alone it would be paid again.
    """
    payout, told = get_locked(payout_id), _signs_told(payout_id)
    if (1 if minor > 0 else -1) in told:
        return "payout_told_before"
    if minor < 0:
        return _book_debit(payout, actor, at)
    if not is_proven:
        return "not_proven"
    if payout.state == "failed" and -1 in told:
        return ""  # a sheet said so before, and booked it
    if payout.state not in ("sent", "paid"):
        return "payout_ended"
    if payout.rail_id is not None:
        block_rail(payout.rail_id, "rail_blocked", words, at)
    pay_by_file(payout, actor, at)  # it had left, whether or not anybody told
    fail_by_file(payout, BY_STATEMENT, words, actor, at)
    return ""


def _book_debit(payout: Payout, actor: str, at: datetime) -> str:
    if payout.state == "failed" and payout.reason == BY_STATEMENT:
        return ""  # its return was told before it
    if payout.state not in ("sent", "paid"):
        return "payout_ended"
    pay_by_file(payout, actor, at)
    return ""


def _signs_told(payout_id: UUID) -> set[int]:
    """Return whether statements have shown a payout leave (-1) and come back (1)."""
    query = select(BankEntry.amount_minor).where(BankEntry.payout_id == payout_id)
    return {1 if minor > 0 else -1 for minor in db.session.scalars(query)}
