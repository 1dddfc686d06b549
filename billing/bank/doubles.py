"""Whether an entry of a bank was booked before: as itself, as the whole of its batch or in parts, or perhaps elsewhere.

What is the same is booked once. What may be the same, or another, is for a person to say: it is booked into suspense.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import Select, TextClause, or_, select, text

from billing.bank.lines import identity_of, is_of_bank
from billing.bank.matching import Verdict
from billing.bank.models import BankEntry, BankImport, BankLine, BankStatement
from core.db import db

Place = tuple[str, str, str]  # account, currency, and an identity or a mark there


@dataclass(slots=True)
class Told:
    """An entry that is booked, or is about to be: `id` is there from then on."""

    id: UUID | None
    import_id: UUID
    batch: int


@dataclass(slots=True)
class Judged:
    """A line with its identity, and that of its batch; what is to be done with it, or which entry it is again."""

    line: BankLine
    statement: BankStatement
    identity: str
    whole: str
    verdict: Verdict = field(default_factory=lambda: Verdict(""))
    told: Told | None = None
    again: Told | None = None

    def at(self, name: str) -> Place:
        """Return an identity or a mark as one of this entry's account."""
        return self.statement.iban, self.statement.currency, name


def judged_of(line: BankLine, statement: BankStatement) -> Judged:
    """Give a line its identity.

    The bank's reference twice on one day, and no balance that says that it moved twice, is one entry.
    """
    is_one = not statement.is_proven and (is_of_bank(line.mark) or is_of_bank(line.whole))
    identity = identity_of(line.mark, line.booked_on, 0 if is_one else line.ordinal)
    whole = identity_of(line.whole, line.booked_on, 0 if is_one else line.whole_ordinal) if line.whole else ""
    return Judged(line, statement, identity, whole)


class Booked:
    """What is booked of the entries of some lines, and of others by whose marks they are known."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self._by_identity: dict[Place, Told] = {}
        self._by_whole: dict[Place, Told] = {}
        self._days: dict[Place, set[date]] = {}
        for entry, batch in db.session.execute(_like(judged)):
            self._add(entry, Told(entry.id, entry.import_id, batch))
        for line, statement in db.session.execute(_parts_like(judged)):
            part = judged_of(line, statement)
            self._by_whole.setdefault(part.at(part.whole), Told(line.entry_id, line.import_id, line.batch))

    def again(self, one: Judged) -> tuple[Told | None, str]:
        """Return which entry a line tells again, and how; None when it is none of those that are known."""
        if same := self._by_identity.get(one.at(one.identity)):
            return same, "booked_before" if same.id else "doubled"
        if not one.whole:
            parts = self._by_whole.get(one.at(one.identity))
            return parts, "booked_in_parts"
        if unsplit := self._by_identity.get(one.at(one.whole)):
            return unsplit, "booked_whole"
        parts = self._by_whole.get(one.at(one.whole))
        is_own = parts is None or (parts.import_id, parts.batch) == (one.line.import_id, one.line.batch)
        return (None if is_own else parts), "booked_in_parts"

    def take(self, one: Judged) -> None:
        """Count in a line that is about to be booked."""
        one.told = Told(None, one.line.import_id, one.line.batch)
        self._add(_entry_like(one), one.told)

    def is_of_another_day(self, one: Judged) -> bool:
        """Tell whether the bank's reference and amount are booked on another day, of which its statement does not tell.

        A statement that tells both, and whose balances prove it, tells of two.
        """
        marks = [mark for mark in (one.line.mark, one.line.whole) if mark and not mark.startswith("own:")]
        days = {day for mark in marks for day in self._days.get(one.at(mark), set())} - {one.line.booked_on}
        if days and one.statement.is_proven:
            days -= _days_told(one.line, marks)
        return bool(days)

    def _add(self, entry: BankEntry, told: Told) -> None:
        place = (entry.iban, entry.currency)
        self._by_identity[(*place, entry.identity)] = told
        self._days.setdefault((*place, entry.mark), set()).add(entry.booked_on)
        if entry.whole:
            self._by_whole.setdefault((*place, entry.whole), told)
            self._days.setdefault((*place, entry.whole_mark), set()).add(entry.booked_on)


def _entry_like(one: Judged) -> BankEntry:
    line, statement = one.line, one.statement
    return BankEntry(iban=statement.iban, currency=statement.currency, identity=one.identity, mark=line.mark,
                     whole=one.whole, whole_mark=line.whole, booked_on=line.booked_on)  # fmt: skip


def _like(judged: Sequence[Judged]) -> Select[BankEntry, int]:
    accounts = {one.statement.iban for one in judged}
    identities = {one.identity for one in judged} | {one.whole for one in judged if one.whole}
    marks = {one.line.mark for one in judged} | {one.line.whole for one in judged if one.line.whole}
    entry = BankEntry
    of_line = (BankLine.import_id == entry.import_id) & (BankLine.number == entry.number)
    query = select(entry, BankLine.batch).join(BankLine, of_line).where(entry.iban.in_(accounts))
    is_like = or_(entry.identity.in_(identities), entry.mark.in_(marks),
                  (entry.whole != "") & or_(entry.whole.in_(identities), entry.whole_mark.in_(marks)))  # fmt: skip
    return query.where(is_like).order_by(entry.id)


def _parts_like(judged: Sequence[Judged]) -> Select[BankLine, BankStatement]:
    """Ask for the parts of the same batches that were told, whoever booked them."""
    wholes = {one.line.whole or one.line.mark for one in judged}
    of_statement = (BankStatement.import_id == BankLine.import_id) & (BankStatement.number == BankLine.statement)
    query = select(BankLine, BankStatement).join(BankStatement, of_statement)
    return query.where(BankLine.whole != "", BankLine.whole.in_(wholes), BankLine.entry_id.is_not(None))


def _days_told(line: BankLine, marks: Iterable[str]) -> set[date]:
    query = select(BankLine.booked_on).distinct().where(
        BankLine.import_id == line.import_id, BankLine.statement == line.statement,
        or_(BankLine.mark.in_(marks), BankLine.whole.in_(marks)), BankLine.outcome.not_in(("skipped", "refused")),
    )  # fmt: skip
    return {day for day in db.session.scalars(query) if day is not None}


# How many entries of this day and amount another form of file told, which no line of this form bears, less those for
# which one stands in suspense already.
_ELSEWHERE = text("""
    SELECT count(*) FILTER (WHERE i.form <> :form AND NOT EXISTS (
               SELECT FROM billing.bank_lines l JOIN billing.bank_imports m ON m.id = l.import_id AND m.form = :form
               WHERE l.entry_id = e.id))
         - count(*) FILTER (WHERE i.form = :form AND e.reason = 'maybe_doubled' AND e.whole = '' AND NOT EXISTS (
               SELECT FROM billing.bank_entries o
               WHERE o.iban = e.iban AND o.currency = e.currency AND o.mark = e.mark AND o.booked_on <> e.booked_on))
    FROM billing.bank_entries e JOIN billing.bank_imports i ON i.id = e.import_id
    WHERE e.iban = :iban AND e.currency = :currency AND e.booked_on = :on AND e.amount_minor = :minor
""")
# Whether another file told of a batch of this day and amount in one, or in parts, under no reference of the bank that
# tells the two apart.
_UNSPLIT = text("""
    SELECT EXISTS (
        SELECT FROM billing.bank_entries e JOIN billing.bank_imports i ON i.id = e.import_id
        WHERE e.iban = :iban AND e.currency = :currency AND e.booked_on = :on AND e.amount_minor = :minor
          AND e.whole = '' AND e.import_id <> :import
          AND (i.form <> :form OR NOT (:is_known AND starts_with(e.mark, 'ref:')))
          AND NOT EXISTS (SELECT FROM billing.bank_lines l WHERE l.entry_id = e.id AND l.import_id = :import))
""")
_IN_PARTS = text("""
    SELECT EXISTS (
        SELECT FROM billing.bank_entries e JOIN billing.bank_imports i ON i.id = e.import_id
        WHERE e.iban = :iban AND e.currency = :currency AND e.booked_on = :on AND e.whole_minor = :minor
          AND e.whole <> '' AND e.import_id <> :import
          AND (i.form <> :form OR NOT (:is_known AND starts_with(e.whole_mark, 'ref:')))
          AND NOT EXISTS (SELECT FROM billing.bank_lines l WHERE l.entry_id = e.id AND l.import_id = :import))
""")


class Elsewhere:
    """What other files told of the same days and amounts, asked for one line after the other of a file."""

    def __init__(self, found: BankImport) -> None:
        self._found = found
        self._doubted: dict[tuple[str, date | None, int], int] = {}
        self._batches: dict[str, bool] = {}

    def has(self, one: Judged) -> bool:
        """Tell whether another file perhaps told of the same money under another name."""
        if one.line.whole:
            if one.whole not in self._batches:
                self._batches[one.whole] = self._asks(_UNSPLIT, one, one.line.whole_minor, one.line.whole)
            if self._batches[one.whole]:
                return True
        elif self._asks(_IN_PARTS, one, one.line.amount_minor, one.line.mark):
            return True
        return self._has_single(one)

    def _has_single(self, one: Judged) -> bool:
        place = (one.statement.iban, one.line.booked_on, one.line.amount_minor)
        before = self._doubted.get(place, 0)
        values = self._values(one, one.line.amount_minor) | {"form": self._found.form}
        if int(db.session.scalar(_ELSEWHERE, values) or 0) <= before:
            return False
        self._doubted[place] = before + 1
        return True

    def _asks(self, query: TextClause, one: Judged, minor: int, mark: str) -> bool:
        values = {"import": self._found.id, "form": self._found.form, "is_known": is_of_bank(mark)}
        return bool(db.session.scalar(query, self._values(one, minor) | values))

    def _values(self, one: Judged, minor: int) -> dict[str, object]:
        return {"iban": one.statement.iban, "currency": one.statement.currency, "on": one.line.booked_on,
                "minor": minor}  # fmt: skip
