"""A month's invoice or statement as its owner reads it: issued, or as it stands so far; explained to the cent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import msgspec

from billing import (
    Booked,
    Counted,
    Difference,
    Document,
    DocumentLine,
    Label,
    MonthContent,
    Position,
    Side,
    find_month,
    is_looked_at,
    lines_of_document,
    month_content_of,
    paid_lines_of,
    position_of,
    unexplained,
)
from core.errors import Fault, Malformed, NotFound
from core.months import month_of
from marketplace.documents.months import month_of_account
from marketplace.reports.kept import Kept, kept_of_many

PART = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is told; amounts in minor units."""

    number: int
    booked: Booked
    refers_to: str | None
    label: Label


@dataclass(frozen=True, slots=True)
class PaidOut:
    """One payout of a month: what was payable before its lines, what they added, what it took, and what it left."""

    number: int
    at: datetime
    opening_minor: int
    added_minor: int
    paid_minor: int

    @property
    def left_minor(self) -> int:
        """Return what stayed payable."""
        return self.opening_minor + self.added_minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class MonthTold:
    """A month with one part of its lines; without a document it is not issued, and `content` is None."""

    side: Side
    period: date
    currency: str
    document: Document | None
    content: MonthContent | None
    amount_minor: int
    promo_minor: int
    opening: Position
    closing: Position
    line_count: int
    lines: Sequence[Line]
    next_line: int | None
    paid_out: Sequence[PaidOut]
    counted: Sequence[Counted]
    differences: Sequence[Difference]
    is_empty: bool = False  # over and looked at: nothing happened in it, so that it has no document


def read_period(text: str) -> date:
    """Read a month as 2026-12; NotFound for what is none."""
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else date.fromisoformat("")
    except ValueError:
        raise NotFound(detail="There is no month of this name; write one as 2026-12.") from None


def read_after(text: str | None) -> int:
    """Read after which line a part begins; Malformed for what is no number."""
    if text is None or (text.isascii() and text.isdigit() and len(text) < 10):
        return int(text or 0)
    fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
    raise Malformed("bad_page", "This page cannot be shown.", [fault])


def month_told(side: Side, account_id: UUID, currency: str, period: date, at: datetime, after: int = 0) -> MonthTold:
    """Return a month of an account, issued or as it stands at this instant; NotFound for one that has not begun."""
    is_over = period < month_of(at)
    document = find_month(side, account_id, currency, period) if is_over else None
    if document is not None:
        return issued_month_told(document, after)
    if period > month_of(at):
        raise NotFound(detail="This month has not begun.")
    month = month_of_account(side, account_id, currency, period, shown=(after, after + PART + 1))
    draft = month.draft
    lines = [Line(number, one, None, month.labels.get(one.transaction_id, Label()))
             for number, one in enumerate(draft.lines, 1)]  # fmt: skip
    is_last = side == "statement" and not is_over
    return MonthTold(
        side, period, currency, None, None, draft.amount_minor, sum(one.promo_minor for one in draft.lines),
        draft.opening, draft.closing, len(lines), *_part(lines[after:]), paid_out_in(draft.opening, lines),
        month.counted, _open_differences(draft.closing, position_of(account_id, currency)) if is_last else (),
        is_over and not lines and is_looked_at(side, account_id, currency, period),
    )  # fmt: skip


def month_here(side: Side, account_id: UUID, currency: str, period: date, at: datetime, after: int) -> Kept[MonthTold]:
    """Return what `month_told` does, of a month of very many lines as it was told within the last minutes."""
    key = ("month", side, account_id, currency, period, after)
    return kept_of_many(
        key, at, lambda: month_told(side, account_id, currency, period, at, after), lambda told: told.line_count
    )


def issued_month_told(document: Document, after: int = 0) -> MonthTold:
    """Return an issued month with the part of its lines after a number."""
    content = month_content_of(document)
    rows = lines_of_document(document.id, after, PART + 1)
    is_statement = document.kind == "statement"
    paid_out = _paid_out_of(document, content.opening.payable_minor) if is_statement else ()
    assert document.period is not None
    return MonthTold(
        "statement" if is_statement else "invoice", document.period, document.currency, document, content,
        document.amount_minor, content.promo_minor, content.opening, content.closing, content.lines,
        *_part([*map(_told, rows)]), paid_out, content.counted, unexplained(document),
    )  # fmt: skip


def issued_month_here(document: Document, at: datetime, after: int) -> Kept[MonthTold]:
    """Return what `issued_month_told` does; one of very many lines as it was compared within the last minutes."""
    key = ("issued month", document.id, after)
    return kept_of_many(key, at, lambda: issued_month_told(document, after), lambda told: told.line_count)


def every_line(document: Document) -> Iterable[Line]:
    """Return all lines of an issued month in their order."""
    return map(_told, lines_of_document(document.id))


def _told(row: DocumentLine) -> Line:
    booked = Booked(row.transaction_id, row.kind, "", row.hold_id, row.occurred_at, row.amount_minor, row.promo_minor,
                    row.payable_minor, row.reserve_minor, row.owed_minor, row.reserve_until)  # fmt: skip
    return Line(row.line, booked, row.refers_to, msgspec.convert(row.label, Label))


def _part(lines: Sequence[Line]) -> tuple[Sequence[Line], int | None]:
    return lines[:PART], lines[PART - 1].number if len(lines) > PART else None


def _paid_out_of(document: Document, opening_minor: int) -> list[PaidOut]:
    """Cut an issued statement at its payouts, as `paid_out_in` does, without reading its other lines."""
    found, before = list[PaidOut](), opening_minor
    for one in paid_lines_of(document.id):
        left = opening_minor + one.moved_minor
        paid = -one.payable_minor
        found.append(PaidOut(one.line, one.at, before, left + paid - before, paid))
        before = left
    return found


def paid_out_in(opening: Position, lines: Iterable[Line]) -> list[PaidOut]:
    """Cut a statement at its payouts: what each took is what was payable before, and what the lines since added."""
    found, before, added = [], opening.payable_minor, 0
    for line in lines:
        if line.booked.kind == "payout" and line.booked.payable_minor < 0:
            found.append(PaidOut(line.number, line.booked.occurred_at, before, added, -line.booked.payable_minor))
            before, added = found[-1].left_minor, 0
        else:
            added += line.booked.payable_minor
    return found


def _open_differences(said: Position, booked: Position) -> list[Difference]:
    """Compare where a month's lines lead with what the earner has, which nothing of the lines went into."""
    names = Position.__struct_fields__
    pairs = ((name.removesuffix("_minor"), getattr(said, name), getattr(booked, name)) for name in names)
    return [Difference(None, f"closing {name}", one, two) for name, one, two in pairs if one != two]
