"""A file of a bank taken in whole or refused whole: every line is kept as it was read, before anything is booked."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import insert, select

from billing.bank.accounts import is_ours
from billing.bank.camt import read_camt
from billing.bank.lines import Closed, Entry, Opened, kept, mark_of
from billing.bank.models import BankImport, BankLine, BankStatement
from billing.bank.sheet import Sheet, read_sheet
from core.db import db, transaction
from core.errors import Fault, Invalid
from core.ids import new_id
from core.money import Money

PIECE, AT_ONCE = 1 << 20, 1000
LONGEST_NAME = 200
MOST_LINES, MOST_REFUSED = 100_000, 1_000
PERSON = "user:"  # how the name of somebody signed in begins


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as somebody sent it; with a sheet it is CSV, else CAMT.053."""

    file: IO[bytes]
    name: str
    sheet: Sheet | None = None

    @property
    def form(self) -> str:
        """Return what the file is."""
        return "csv" if self.sheet else "camt.053"


def take_in(sent: Sent, actor: str, at: datetime) -> UUID:
    """Keep the lines of a file and return the import's id; they are booked by `book_lines`.

    Invalid `bad_statement` with what is wrong; the refused file then stands among the imports, with the reason, and
    nothing of it is kept. Opens its own transactions.
    """
    digest = _digest_of(sent.file)
    row: dict[str, Any] = {"id": new_id(), "form": sent.form, "file_name": kept(sent.name)[:LONGEST_NAME],
                           "digest": digest, "actor": actor, "sent_at": at,
                           "vouched_by": actor if actor.startswith(PERSON) else None}  # fmt: skip
    try:
        with transaction():
            db.session.execute(insert(BankImport).values(row))
            lines = _keep_all(row["id"], sent, at)
            db.session.get_one(BankImport, row["id"]).lines = lines
    except Invalid as refused:
        why = "; ".join(f"{fault.field}: {fault.message}" for fault in refused.faults) or refused.detail
        with transaction():
            db.session.execute(
                insert(BankImport).values(row | {"state": "refused", "why": kept(why)[:1000], "ended_at": at})
            )
        raise
    return UUID(str(row["id"]))


def _digest_of(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.digest()


def _keep_all(import_id: UUID, sent: Sent, at: datetime) -> int:
    """Keep statements and lines as they stream by; return how many lines there are."""
    parts = read_sheet(sent.file, sent.sheet) if sent.sheet else read_camt(sent.file)
    statement, number, refused, rows, alike = 0, 0, 0, [], _Alike()
    for part in parts:
        match part:
            case Opened():
                statement, alike = statement + 1, _Alike()
                _open(import_id, statement, part, at)
            case Entry():
                number, refused = number + 1, refused + bool(part.refusal)
                _demand_size(number, refused)
                rows.append(_row(import_id, number, statement, part) | alike.counted(part))
                if len(rows) == AT_ONCE:
                    _keep(rows)
                    rows = []
            case Closed():
                _close(import_id, statement, part)
    _keep(rows)
    if not statement:
        raise _refused("statement", "no_statement", "Send a file with a statement in it; this one has none.")
    return number


def _keep(rows: list[dict[str, Any]]) -> None:
    """Keep lines by COPY, which takes a fraction of the time of inserting: somebody waits for it."""
    if not rows:
        return
    names = list(rows[0])
    driver: Any = db.session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY billing.bank_lines ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in names])


def _demand_size(lines: int, refused: int) -> None:
    if lines > MOST_LINES:
        raise _refused("file", "too_many_lines", f"Send the file in parts: it has more than {MOST_LINES} lines.")
    if refused > MOST_REFUSED:
        says = f"Look at the file again: more than {MOST_REFUSED} of its lines cannot be read."
        raise _refused("file", "too_many_refused", says)


class _Alike:
    """The entries of one statement by what they are known again, counted on each day."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, date | None]] = Counter()
        self._batch, self._which = 0, 0

    def counted(self, entry: Entry) -> dict[str, Any]:
        """Return by what an entry is known again, and which it is of those that look the same."""
        mark = mark_of(entry)
        found = {"mark": mark, "ordinal": 0, "whole": entry.whole, "whole_ordinal": 0,
                 "whole_minor": entry.whole_minor, "batch": entry.batch}  # fmt: skip
        if entry.skip or entry.refusal:
            return found
        if entry.batch and entry.batch != self._batch:
            self._batch, self._which = entry.batch, self._next(entry.whole, entry.on)
        return found | {"ordinal": self._next(mark, entry.on), "whole_ordinal": self._which if entry.batch else 0}

    def _next(self, mark: str, on: date | None) -> int:
        self._seen[mark, on] += 1
        return self._seen[mark, on] - 1


def _open(import_id: UUID, number: int, opened: Opened, at: datetime) -> None:
    if not is_ours(opened.iban, opened.currency):
        says = f"Send statements of our own accounts: {opened.iban or 'no IBAN'} in {opened.currency} is none of them."
        raise _refused("account", "unknown_bank_account", kept(says)[:300])
    row = {"import_id": import_id, "number": number, "iban": opened.iban, "currency": opened.currency,
           "name": opened.name[:LONGEST_NAME], "sent_at": at}  # fmt: skip
    db.session.execute(insert(BankStatement).values(row))


def _close(import_id: UUID, number: int, closed: Closed) -> None:
    row = db.session.get_one(BankStatement, (import_id, number))
    if closed.difference:
        told = Money(closed.difference, row.currency)
        says = f"Ask the bank: the entries leave {told} {row.currency} of the difference of its balances unexplained."
        raise _refused("statement", "balance_unexplained", says)
    row.gap_minor = _gap(row, closed)
    row.opening_minor, row.closing_minor, row.is_proven = closed.opening, closed.closing, closed.is_proven
    db.session.flush()


def _gap(row: BankStatement, closed: Closed) -> int | None:
    """Return by how much a statement does not begin where one before it ended; None when one does, or none is known."""
    one = BankStatement
    others = select(one).where(one.iban == row.iban, one.currency == row.currency, one.closing_minor.is_not(None))
    follows = (one.closing_minor == closed.opening) | (
        (one.opening_minor == closed.opening) & (one.closing_minor == closed.closing) & (one.name == row.name)
    )
    if closed.opening is None or db.session.scalar(others.where(follows).limit(1)) is not None:
        return None
    last = db.session.scalar(others.order_by(one.sent_at.desc(), one.import_id.desc(), one.number.desc()).limit(1))
    return None if last is None or last.closing_minor is None else closed.opening - last.closing_minor


def _row(import_id: UUID, number: int, statement: int, entry: Entry) -> dict[str, Any]:
    outcome = "refused" if entry.refusal else "skipped" if entry.skip else "waits"
    return {
        "import_id": import_id, "number": number, "statement": statement, "line": entry.line,
        "booked_on": entry.on, "amount_minor": entry.minor,
        "bank_reference": entry.bank_reference, "reference": entry.reference, "said": entry.text,
        "counterparty": entry.counterparty, "counterparty_iban": entry.counterparty_iban,
        "is_reversal": entry.is_reversal, "doubt": entry.doubt, "outcome": outcome,
        "code": entry.refusal or entry.skip, "says": entry.says,
    }  # fmt: skip


def _refused(field: str, code: str, says: str) -> Invalid:
    return Invalid("bad_statement", "Nothing was booked of this file.", [Fault(field, code, says)])


def refusals_of(import_id: UUID) -> Iterator[BankLine]:
    """Give the lines of a file that could not be read."""
    query = select(BankLine).where(BankLine.import_id == import_id, BankLine.outcome == "refused")
    yield from db.session.scalars(query.order_by(BankLine.number).limit(1000))
