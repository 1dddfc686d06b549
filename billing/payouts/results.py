"""Results of files taken in: each line books what became of one payout, once; what is not ours is refused by code."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing.payouts.models import Payout, PayoutFile, PayoutResult
from billing.payouts.moving import get_locked, move, one_at_a_time
from billing.payouts.outcomes import fail_by_file, pay_by_file
from billing.payouts.rails import block_rail
from billing.payouts.sheets import Told, read_results
from core.db import db
from core.errors import Invalid
from core.ids import new_id
from core.money import Money

FAILED = "payer_could_not_deliver"


def take_results(raw: bytes, kind: str, name: str, actor: str, at: datetime) -> tuple[PayoutResult, bool]:
    """Take in a sheet of results of files of a kind, in the session's transaction; False with the same bytes again.

    Each line is `paid`, `failed`, `waits`, `repeated`, or refused with a code and a sentence. Invalid `bad_results` for
    what is no such sheet: nothing is kept then.
    """
    one_at_a_time("results")
    digest = hashlib.sha256(raw).digest()
    if known := db.session.scalar(select(PayoutResult).where(PayoutResult.digest == digest)):
        return known, False
    told, wrong = read_results(raw)
    if wrong:
        raise Invalid("bad_results", wrong)
    found = {one.line: _find(one, kind) for one in told}
    locked = {each: get_locked(each) for each in sorted({each for each in found.values() if isinstance(each, UUID)})}
    outcomes = []
    for one in told:
        verdict = found[one.line]
        outcomes.append(
            _book(one, locked[verdict], actor, at) if isinstance(verdict, UUID) else _refused(one, *verdict)
        )
    kept = PayoutResult(id=new_id(), digest=digest, kind=kind, name=name[:200], lines=len(told), outcomes=outcomes,
                        imported_by=actor, imported_at=at)  # fmt: skip
    db.session.add(kept)
    db.session.flush()
    return kept, True


def _find(one: Told, kind: str) -> UUID | tuple[str, str]:
    """Return the payout of a line, or why it cannot be one."""
    if one.code:
        return one.code, one.says
    try:
        payout = db.session.get(Payout, UUID(one.reference))
    except ValueError:
        return "unknown_payout", "Send the reference that stands in the file, of 32 letters and digits."
    file = db.session.get(PayoutFile, payout.file_id) if payout and payout.file_id else None
    if payout is None or file is None or file.kind != kind:
        return "foreign_payout", f"Send results of files of {kind} alone: this payout stood in none."
    if one.amount and not _is_amount(one.amount, payout.money):
        return "other_amount", f"Look at it again: {payout.money} {payout.currency} was to be paid."
    return payout.id


def _is_amount(text: str, money: Money) -> bool:
    try:
        return abs(Money.parse(text.replace(",", ""), money.currency).minor) == money.minor
    except ValueError:
        return False


def _book(one: Told, payout: Payout, actor: str, at: datetime) -> dict[str, Any]:
    before = payout.state
    if one.verdict == "waits":
        return _outcome(one, payout, "waits")
    if before == ("paid" if one.verdict == "paid" else "failed"):
        return _outcome(one, payout, "repeated")
    if before not in ("ordered", "sent", "paid") or (before == "paid" and one.verdict == "paid"):
        return _refused(one, "payout_ended", f"Look at it again: this payout is {before}.")
    if before == "ordered":
        move(payout, "sent", actor, at)
    if one.verdict == "paid":
        pay_by_file(payout, actor, at)
        return _outcome(one, payout, "paid")
    fail_by_file(payout, FAILED, one.reason, actor, at)
    if payout.rail_id is not None:
        block_rail(payout.rail_id, "rail_blocked", one.reason, at)
    return _outcome(one, payout, "failed")


def _outcome(one: Told, payout: Payout, outcome: str) -> dict[str, Any]:
    return {"line": one.line, "reference": one.reference, "outcome": outcome, "payout": str(payout.id)}


def _refused(one: Told, code: str, says: str) -> dict[str, Any]:
    return {"line": one.line, "reference": one.reference[:80], "outcome": "refused", "code": code, "message": says}
