"""The lines of a file booked, some at a time: each entry once, into the wallet it is for or into suspense.

Who books for a bank account waits for whoever does for the same one; that an entry is booked once is the database's.
What no balance proves credits wallets up to a sum on the word of one person, and above it when a second agrees.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from billing.bank.alone import is_alone_enough
from billing.bank.doubles import Booked, Elsewhere, Judged, judged_of
from billing.bank.lines import Entry
from billing.bank.matching import Known, Verdict, decide, sought_in
from billing.bank.models import BankEntry, BankImport, BankLine, BankStatement, ProForma, SuspenseMove
from billing.bank.paying import book_payout, payouts_told
from billing.incoming import Incoming, credit_available
from billing.ledger import AT_BANK_IN_TRANSIT, BANK, SUSPENSE, Line, post
from billing.models import Wallet
from core.db import db
from core.errors import NotFound
from core.ids import new_id
from core.jobs import enqueue
from core.money import Money

AT_ONCE = 500
NEWS = "bank.suspense"  # the job that an upper floor has for it


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
    judged = _judge(found, _sorted_out([judged_of(line, statements[line.statement]) for line in waiting]), at)
    if not _may_credit(found, judged, at):
        return False
    for one in sorted(judged, key=_turn):
        _book(found, one, at)
    if lines:
        found.next_line = lines[-1].number + 1
    if len(lines) < most:
        _end(found, at)
    db.session.flush()
    return found.state == "read"


def _turn(one: Judged) -> tuple[bool, bool, str, bool]:
    """Put wallets in the order of their owners, as all who lock several do, and earners behind them.

    Doubles come behind what they double, and what came back of a payout behind its debit.
    """
    known = one.verdict.known
    earner, wallet = (known.earner_id, known.account_id) if known else (None, None)
    return one.verdict.outcome == "repeated", earner is not None, str(earner or wallet or ""), one.line.amount_minor > 0


def _next_lines(found: BankImport, most: int) -> Sequence[BankLine]:
    query = select(BankLine).where(BankLine.import_id == found.id, BankLine.number >= found.next_line)
    return db.session.scalars(query.order_by(BankLine.number).limit(most)).all()


def _statements_of(import_id: UUID, numbers: Iterable[int]) -> dict[int, BankStatement]:
    query = select(BankStatement).where(BankStatement.import_id == import_id, BankStatement.number.in_(list(numbers)))
    return {one.number: one for one in db.session.scalars(query)}


def _sorted_out(judged: list[Judged]) -> list[Judged]:
    """Note the lines that tell again what is booked, by this file or another one; return the others.

    Of what this piece is about to book the entry is known once it is booked: such a line stays among the others.
    """
    booked, left = Booked(judged), []
    for one in judged:
        again, code = booked.again(one)
        if again is None:
            if booked.is_of_another_day(one):
                one.verdict = Verdict("suspense", "maybe_doubled")
            booked.take(one)
        elif again.id is not None:
            _note(one.line, "repeated", code, again.id)
            continue
        else:
            one.again, one.line.code, one.verdict = again, code, Verdict("repeated")
        left.append(one)
    db.session.flush()  # what is asked next counts what was noted
    return left


def _judge(found: BankImport, fresh: list[Judged], at: datetime) -> list[Judged]:
    entries = {one.line.number: _entry_of(one.line) for one in fresh}
    known = _known({reference for entry in entries.values() for reference in sought_in(entry)})
    known |= payouts_told(entries.values(), found.actor, at)
    elsewhere = Elsewhere(found)
    for one in fresh:
        if one.verdict.outcome:
            continue
        if elsewhere.has(one):
            one.verdict = Verdict("suspense", "maybe_doubled")
            continue
        one.verdict = decide(entries[one.line.number], one.statement.currency, known)
        if one.verdict.outcome == "settle":  # what is owed is settled by one entry
            known = {name: each for name, each in known.items() if each != one.verdict.known}
    return fresh


def _may_credit(found: BankImport, judged: list[Judged], at: datetime) -> bool:
    """Tell whether wallets may be credited: what no balance proves, up to a sum of a day, else when two agree.

    What is above it waits: the file is asked about, and nothing of these lines is booked.
    """
    unproven = sum(one.line.amount_minor for one in judged
                   if one.verdict.outcome == "credit" and not one.statement.is_proven)  # fmt: skip
    if not unproven or found.confirmed_by is not None:
        return True
    if not is_alone_enough(found.actor, unproven, at):
        found.state = "asked"
        db.session.flush()
        return False
    found.alone_minor, found.alone_at = found.alone_minor + unproven, at
    db.session.flush()
    return True


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


def _book(found: BankImport, one: Judged, at: datetime) -> None:
    """Keep an entry and post it; one that this piece has booked already is repeated."""
    line, statement = one.line, one.statement
    if one.again is not None and one.again.id is not None:
        _note(line, "repeated", line.code, one.again.id)
        return
    if one.verdict.outcome == "payout" and (why := _payout(found, one, at)):
        one.verdict = Verdict("suspense", why)
    verdict = one.verdict
    outcome = {"credit": "credited", "settle": "settled", "payout": "payout"}.get(verdict.outcome, "suspense")
    entry = BankEntry(
        id=new_id(), iban=statement.iban, currency=statement.currency, identity=one.identity, import_id=line.import_id,
        number=line.number, booked_on=line.booked_on, amount_minor=line.amount_minor, outcome=outcome,
        reason=verdict.reason, mark=line.mark, whole=one.whole, whole_mark=line.whole, whole_minor=line.whole_minor,
        pro_forma_id=verdict.known.id if verdict.known and outcome == "credited" else None,
        payout_id=verdict.known.id if verdict.known and outcome == "payout" else None,
    )  # fmt: skip
    db.session.add(entry)
    db.session.flush()
    if one.told is not None:
        one.told.id = entry.id
    _post(found, one, entry.id, at)
    _note(line, outcome, verdict.reason, entry.id)


def _payout(found: BankImport, one: Judged, at: datetime) -> str:
    assert one.verdict.known is not None, "decided so"
    words = f"{one.line.said} {one.line.reference}".strip()
    return book_payout(one.verdict.known.id, one.line.amount_minor, words, found.actor, at,
                       is_proven=one.statement.is_proven)  # fmt: skip


def _post(found: BankImport, one: Judged, entry_id: UUID, at: datetime) -> None:
    minor, currency, known = one.line.amount_minor, one.statement.currency, one.verdict.known
    key, source = f"bank:{entry_id}", str(entry_id)
    if known is not None and known.account_id is not None:
        what = Incoming("bank_credit", key, BANK, entry_id, "bank", paid_on=one.line.booked_on)
        credit_available(known.account_id, Money(minor, currency), what, found.actor, at)
        came = update(ProForma).where(ProForma.id == known.id)
        db.session.execute(came.values(received_minor=ProForma.received_minor + minor))
        return
    is_payout = known is not None and known.earner_id is not None
    kind = "bank_payout" if is_payout else "bank_suspense" if known is None else "bank_return"
    lines = [Line(BANK, minor), Line(AT_BANK_IN_TRANSIT if is_payout else SUSPENSE, -minor)]
    post(kind, key, currency, lines, source=source, actor=found.actor, at=at, reason=one.verdict.reason)
    if known is not None and not is_payout:
        ended = update(SuspenseMove).where(SuspenseMove.id == known.id)
        db.session.execute(ended.values(state="done", entry_id=entry_id, ended_at=at, ended_by=found.actor))


def _note(line: BankLine, outcome: str, code: str, entry_id: UUID) -> None:
    line.outcome, line.code, line.entry_id = outcome, code, entry_id


def _end(found: BankImport, at: datetime) -> None:
    found.state, found.ended_at = "done", at
    query = select(BankLine.number).where(BankLine.import_id == found.id, BankLine.outcome == "suspense")
    if db.session.scalar(query.limit(1)) is not None:
        enqueue(NEWS, import_id=str(found.id))
