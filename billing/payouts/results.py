"""Results of files taken in: each line books what became of one payout, once; what is not ours is refused by code."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing.payouts.files import hand_on
from billing.payouts.models import Payout, PayoutFile, PayoutResult
from billing.payouts.moving import get_all_locked, one_at_a_time
from billing.payouts.outcomes import fail_by_file, pay_by_file
from billing.payouts.rails import block_rail
from billing.payouts.reports import is_report, read_report
from billing.payouts.sheets import Told, read_results
from core.db import db
from core.errors import Invalid
from core.ids import new_id
from core.money import Money

FAILED = "payer_could_not_deliver"
NOBODYS = ("unknown_payout", "Send the reference that stands in the file, of 32 letters and digits.")


def take_results(raw: bytes, kind: str, name: str, actor: str, at: datetime) -> tuple[PayoutResult, bool]:
    """Take in a sheet of results, or a bank's report, of files of a kind, in the session's transaction.

    False with the same again.
    Each line is `paid`, `failed`, `waits`, `repeated`, or refused with a code and a sentence. Invalid `bad_results` for
    what is no such sheet: nothing is kept then.
    """
    one_at_a_time("results")
    digest = hashlib.sha256(kind.encode() + b":" + raw).digest()
    if known := db.session.scalar(select(PayoutResult).where(PayoutResult.digest == digest)):
        return known, False
    told, wrong = read_report(raw) if is_report(raw) else read_results(raw)
    if wrong:
        raise Invalid("bad_results", wrong)
    told = _spread(told, kind)
    _hand_on(told, kind, actor, at)
    outcomes = _book_all(told, _found(told, kind), actor, at, kind)
    kept = PayoutResult(id=new_id(), digest=digest, kind=kind, name=name[:200], lines=len(told), outcomes=outcomes,
                        imported_by=actor, imported_at=at)  # fmt: skip
    db.session.add(kept)
    db.session.flush()
    return kept, True


def _found(told: Sequence[Told], kind: str) -> dict[UUID, Payout]:
    """Return the payouts of a kind of file that lines name, locked in the order in which everybody locks them."""
    named = {named for one in told if (named := _named(one)) is not None}
    query = select(Payout.id).join(PayoutFile, PayoutFile.id == Payout.file_id)
    query = query.where(Payout.id.in_(named), PayoutFile.kind == kind)
    return {one.id: one for one in get_all_locked(db.session.scalars(query))}


def _spread(told: Sequence[Told], kind: str) -> list[Told]:
    """Return the lines, those that are about a whole file as one for each of its payouts."""
    wanted = {named for one in told if (named := _named(one)) is not None}
    query = select(PayoutFile.id, Payout.id).join(Payout, Payout.file_id == PayoutFile.id)
    query = query.where(PayoutFile.id.in_(wanted), PayoutFile.kind == kind).order_by(Payout.account_id)
    theirs: dict[UUID, list[UUID]] = {}
    for file_id, payout_id in db.session.execute(query):
        theirs.setdefault(file_id, []).append(payout_id)
    spread: list[Told] = []
    for one in told:
        about = _named(one)
        whole = theirs.get(about, []) if about else []
        spread += [replace(one, reference=each.hex) for each in whole] or [one]
    return [replace(one, line=number) for number, one in enumerate(spread, 1)] if theirs else spread


def _hand_on(told: Sequence[Told], kind: str, actor: str, at: datetime) -> None:
    """Note that files were given to their payer of which he tells something: nobody can give them up any more."""
    named = {named for one in told if not one.code and (named := _named(one)) is not None}
    query = select(PayoutFile.id).distinct().join(Payout, Payout.file_id == PayoutFile.id)
    query = query.where(Payout.id.in_(named), PayoutFile.kind == kind)
    for file_id in db.session.scalars(query.where(PayoutFile.cancelled_at.is_(None)).order_by(PayoutFile.id)).all():
        hand_on(file_id, actor, at)


def _named(one: Told) -> UUID | None:
    try:
        return UUID(one.reference)
    except ValueError:
        return None


def _book_all(told: Sequence[Told], found: Mapping[UUID, Payout], actor: str, at: datetime, kind: str) -> list[Any]:
    """Book the lines earner by earner, and return what they came to line by line."""
    outcomes: dict[int, dict[str, Any]] = {}
    theirs: dict[UUID, list[Told]] = {}
    for one in told:
        payout = found.get(named) if (named := _named(one)) else None
        why_not = _why_not(one, payout, kind)
        if payout is None or why_not:
            outcomes[one.line] = _refused(one, *(why_not or NOBODYS))
        else:
            theirs.setdefault(payout.id, []).append(one)
    for payout in found.values():
        for one in theirs.get(payout.id, ()):
            outcomes[one.line] = _book(one, payout, actor, at)
    return [outcomes[one.line] for one in told]


def _why_not(one: Told, payout: Payout | None, kind: str) -> tuple[str, str] | None:
    """Return why a line cannot be booked, as a code and a sentence."""
    if one.code:
        return one.code, one.says
    if _named(one) is None:
        return NOBODYS
    if payout is None:
        return "foreign_payout", f"Send results of files of {kind} alone: this payout stood in none."
    if one.amount and not _is_amount(one.amount, payout.money):
        return "other_amount", f"Look at it again: {payout.money} {payout.currency} was to be paid."
    return None


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
    if before not in ("sent", "paid") or (before == "paid" and one.verdict == "paid"):
        return _refused(one, "payout_ended", f"Look at it again: this payout is {before}.")
    if one.verdict == "paid":
        pay_by_file(payout, actor, at)
        return _outcome(one, payout, "paid")
    if payout.rail_id is not None:
        block_rail(payout.rail_id, "rail_blocked", one.reason, at)
    fail_by_file(payout, FAILED, one.reason, actor, at)
    return _outcome(one, payout, "failed")


def _outcome(one: Told, payout: Payout, outcome: str) -> dict[str, Any]:
    return {"line": one.line, "reference": one.reference, "outcome": outcome, "payout": str(payout.id)}


def _refused(one: Told, code: str, says: str) -> dict[str, Any]:
    return {"line": one.line, "reference": one.reference[:80], "outcome": "refused", "code": code, "message": says}
