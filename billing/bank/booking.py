"""The lines of a file booked, some at a time: each entry once, into the wallet it is for or into suspense.

Who books for a bank account waits for whoever does for the same one; that an entry is booked once is the database's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from billing.bank.lines import Entry, identity_of
from billing.bank.matching import Known, Verdict, decide, sought_in
from billing.bank.models import BankEntry, BankImport, BankLine, BankStatement, ProForma, SuspenseMove
from billing.incoming import Incoming, credit_available
from billing.ledger import BANK, SUSPENSE, Line, post
from billing.models import Wallet
from core.db import db
from core.errors import NotFound
from core.ids import new_id
from core.jobs import enqueue
from core.money import Money

AT_ONCE = 500
NEWS = "bank.suspense"  # the job that an upper floor has for it
_DOUBTED = text("""
    SELECT count(*) FILTER (WHERE i.form <> :form AND NOT EXISTS (
               SELECT FROM billing.bank_lines l JOIN billing.bank_imports m ON m.id = l.import_id AND m.form = :form
               WHERE l.entry_id = e.id))
         - count(*) FILTER (WHERE i.form = :form AND e.reason = 'maybe_doubled')
    FROM billing.bank_entries e JOIN billing.bank_imports i ON i.id = e.import_id
    WHERE e.iban = :iban AND e.currency = :currency AND e.booked_on = :on AND e.amount_minor = :minor
""")


@dataclass(slots=True)
class _Judged:
    """A line, its statement, the identity that it has, and what is to be done with it."""

    line: BankLine
    statement: BankStatement
    identity: str
    verdict: Verdict


def book_lines(import_id: UUID, at: datetime, most: int = AT_ONCE) -> bool:
    """Book the next lines of an import, in the session's transaction; True while more wait.

    Doing it twice, or for two files that tell of the same entries, books each entry once.
    """
    found = db.session.get(BankImport, import_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(detail="There is no such import.")
    if found.state != "read":
        return False
    lines = _next_lines(found, most)
    waiting = [line for line in lines if line.outcome == "waits"]
    statements = _statements_of(import_id, {line.statement for line in waiting})
    for iban in sorted({one.iban for one in statements.values()}):
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"billing.bank:{iban}", 0))))
    fresh = _without_booked(found, waiting, statements)
    for one in sorted(_judge(found, fresh), key=_turn):
        _book(found, one, at)
    if lines:
        found.next_line = lines[-1].number + 1
    if len(lines) < most:
        _end(found, at)
    db.session.flush()
    return found.state == "read"


def _turn(one: _Judged) -> tuple[bool, str]:
    """Put wallets in the order of their owners, as all who lock several do, and doubles behind what they double."""
    known = one.verdict.known
    return one.verdict.outcome == "repeated", str(known.account_id) if known else ""


def _next_lines(found: BankImport, most: int) -> Sequence[BankLine]:
    query = select(BankLine).where(BankLine.import_id == found.id, BankLine.number >= found.next_line)
    return db.session.scalars(query.order_by(BankLine.number).limit(most)).all()


def _statements_of(import_id: UUID, numbers: Iterable[int]) -> dict[int, BankStatement]:
    query = select(BankStatement).where(BankStatement.import_id == import_id, BankStatement.number.in_(list(numbers)))
    return {one.number: one for one in db.session.scalars(query)}


def _without_booked(
    found: BankImport, lines: Sequence[BankLine], statements: Mapping[int, BankStatement]
) -> list[_Judged]:
    """Give each line its identity, and note those that are booked already, by this file or another one."""
    seen = _seen_before(found.id, lines)
    judged = []
    for line in lines:
        ordinal = seen[line.statement, line.mark]
        seen[line.statement, line.mark] += 1
        statement = statements[line.statement]
        if line.mark.startswith("ref:") and not statement.is_proven:
            ordinal = 0  # the bank's reference twice, and no balance that says it moved twice
        judged.append(_Judged(line, statement, identity_of(line.mark, ordinal), Verdict("")))
    booked = _booked(judged)
    fresh: dict[tuple[str, str, str], _Judged] = {}
    for one in judged:
        key = _key(one)
        if key in booked:
            _note(one.line, "repeated", "booked_before", booked[key])
        elif key in fresh:
            one.line.code = "doubled"  # its entry is known once the other is booked
            one.verdict = Verdict("repeated")
        else:
            fresh[key] = one
    return [one for one in judged if one.line.outcome == "waits"]


def _key(one: _Judged) -> tuple[str, str, str]:
    return one.statement.iban, one.statement.currency, one.identity


def _seen_before(import_id: UUID, lines: Sequence[BankLine]) -> "Counter[tuple[int, str]]":
    if not lines:
        return Counter()
    query = select(BankLine.statement, BankLine.mark, func.count()).where(
        BankLine.import_id == import_id, BankLine.mark.in_({line.mark for line in lines}),
        BankLine.number < lines[0].number, BankLine.outcome.not_in(("skipped", "refused")),
    )  # fmt: skip
    rows = db.session.execute(query.group_by(BankLine.statement, BankLine.mark))
    return Counter({(statement, mark): int(count) for statement, mark, count in rows})


def _booked(judged: Sequence[_Judged]) -> dict[tuple[str, str, str], UUID]:
    one = BankEntry
    query = select(one.iban, one.currency, one.identity, one.id).where(one.identity.in_({_key(j)[2] for j in judged}))
    wanted = {_key(one) for one in judged}
    found = {(iban, currency, identity): entry_id for iban, currency, identity, entry_id in db.session.execute(query)}
    return {key: entry_id for key, entry_id in found.items() if key in wanted}


def _judge(found: BankImport, fresh: list[_Judged]) -> list[_Judged]:
    entries = {one.line.number: _entry_of(one.line) for one in fresh}
    known = _known({reference for entry in entries.values() for reference in sought_in(entry)})
    doubted: Counter[tuple[str, Any, int]] = Counter()
    for one in fresh:
        if one.verdict.outcome:
            continue
        entry, place = entries[one.line.number], (one.statement.iban, one.line.booked_on, one.line.amount_minor)
        if not entry.doubt and _is_doubted(found, one, doubted[place]):
            doubted[place] += 1
            one.verdict = Verdict("suspense", "maybe_doubled")
            continue
        one.verdict = decide(entry, one.statement.currency, known)
        if one.verdict.outcome == "settle":  # what is owed is settled by one entry
            known = {name: each for name, each in known.items() if each != one.verdict.known}
    return fresh


def _is_doubted(found: BankImport, one: _Judged, before: int) -> bool:
    """Tell whether another form of file told of the same amount on the same day, which no line of this form bears."""
    values = {"form": found.form, "iban": one.statement.iban, "currency": one.statement.currency,
              "on": one.line.booked_on, "minor": one.line.amount_minor}  # fmt: skip
    return int(db.session.scalar(_DOUBTED, values) or 0) > before


def _entry_of(line: BankLine) -> Entry:
    return Entry(
        line.line, line.amount_minor, line.booked_on, line.bank_reference, line.reference, line.said,
        line.counterparty, line.counterparty_iban, is_reversal=line.is_reversal, doubt=line.doubt,
    )  # fmt: skip


def _known(references: set[str]) -> dict[str, Known]:
    if not references:
        return {}
    asked = select(ProForma, Wallet.suspended_at).outerjoin(
        Wallet, (Wallet.account_id == ProForma.account_id) & (Wallet.currency == ProForma.currency)
    )
    known = {
        row.reference: Known(row.id, row.currency, row.account_id, is_suspended=suspended_at is not None)
        for row, suspended_at in db.session.execute(asked.where(ProForma.reference.in_(references)))
    }
    owed = select(SuspenseMove).where(SuspenseMove.reference.in_(references), SuspenseMove.state == "owed")
    for move in db.session.scalars(owed.order_by(SuspenseMove.id).with_for_update()):
        known[str(move.reference)] = Known(move.id, move.currency, owed_minor=move.amount_minor)
    return known


def _book(found: BankImport, one: _Judged, at: datetime) -> None:
    """Keep an entry and post it; one that somebody else has booked meanwhile is repeated."""
    line, statement, verdict = one.line, one.statement, one.verdict
    outcome = {"credit": "credited", "settle": "settled"}.get(verdict.outcome, "suspense")
    row = {
        "id": new_id(), "iban": statement.iban, "currency": statement.currency, "identity": one.identity,
        "import_id": line.import_id, "number": line.number, "booked_on": line.booked_on,
        "amount_minor": line.amount_minor, "outcome": outcome, "reason": verdict.reason,
        "pro_forma_id": verdict.known.id if verdict.known and outcome == "credited" else None,
    }  # fmt: skip
    entry_id = None
    if verdict.outcome != "repeated":
        kept = insert(BankEntry).values(row).on_conflict_do_nothing(constraint="bank_entries_identity_key")
        entry_id = db.session.scalar(kept.returning(BankEntry.id))
    if entry_id is None:
        _note(line, "repeated", line.code or "booked_before", _booked([one])[_key(one)])
        return
    _post(found, one, entry_id, at)
    _note(line, outcome, verdict.reason, entry_id)


def _post(found: BankImport, one: _Judged, entry_id: UUID, at: datetime) -> None:
    minor, currency, known = one.line.amount_minor, one.statement.currency, one.verdict.known
    key, source = f"bank:{entry_id}", str(entry_id)
    if known is not None and known.account_id is not None:
        what = Incoming("bank_credit", key, BANK, entry_id, "bank", paid_on=one.line.booked_on)
        credit_available(known.account_id, Money(minor, currency), what, found.actor, at)
        came = update(ProForma).where(ProForma.id == known.id)
        db.session.execute(came.values(received_minor=ProForma.received_minor + minor))
        return
    kind = "bank_suspense" if known is None else "bank_return"
    lines = [Line(BANK, minor), Line(SUSPENSE, -minor)]
    post(kind, key, currency, lines, source=source, actor=found.actor, at=at, reason=one.verdict.reason)
    if known is not None:
        ended = update(SuspenseMove).where(SuspenseMove.id == known.id)
        db.session.execute(ended.values(state="done", entry_id=entry_id, ended_at=at, ended_by=found.actor))


def _note(line: BankLine, outcome: str, code: str, entry_id: UUID) -> None:
    line.outcome, line.code, line.entry_id = outcome, code, entry_id


def _end(found: BankImport, at: datetime) -> None:
    found.state, found.ended_at = "done", at
    query = select(BankLine.number).where(BankLine.import_id == found.id, BankLine.outcome == "suspense")
    if db.session.scalar(query.limit(1)) is not None:
        enqueue(NEWS, import_id=str(found.id))
