"""What would stand on a month's document: every transaction of the books that is on none yet, and what is left open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text

from billing.documents.models import Document
from billing.documents.months.models import DocumentMonth
from billing.models import Earner
from core.db import db
from core.months import end_of

Side = Literal["invoice", "statement"]
UNPAID = "unpaid"  # a hold that ended and brought its earner nothing
SALE = "sale"
TAKEN_BACK = ("refund", "fee_back")
FIRST = UUID(int=0)


class Position(Struct, frozen=True, kw_only=True):
    """What an earner has: payable, kept in reserve, and what he owes; in minor units."""

    payable_minor: int = 0
    reserve_minor: int = 0
    owed_minor: int = 0

    @property
    def total_minor(self) -> int:
        """Return what all of it comes to."""
        return self.payable_minor + self.reserve_minor - self.owed_minor


@dataclass(frozen=True, slots=True)
class Booked:
    """One transaction as its owner's document says it, in minor units; `kind` is a sale, or what else it was.

    `source` is what its poster said that it is about, where that is no hold.
    `amount_minor` is what was charged to a wallet or earned; the other parts say where an earner's money moved.
    """

    transaction_id: UUID
    kind: str
    key: str
    hold_id: UUID | None
    occurred_at: datetime
    amount_minor: int
    promo_minor: int = 0
    payable_minor: int = 0
    reserve_minor: int = 0
    owed_minor: int = 0
    reserve_until: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A month of an account before its document is issued."""

    side: Side
    account_id: UUID
    currency: str
    period: date
    opening: Position
    lines: Sequence[Booked]
    looked_until: date | None = None  # the newest month before that was looked at

    @property
    def amount_minor(self) -> int:
        """Return what the lines come to, without what promotional credit paid."""
        return sum(line.amount_minor - line.promo_minor for line in self.lines)

    @property
    def closing(self) -> Position:
        """Return what is left after the lines."""
        return after(self.opening, self.lines)

    def with_more(self, more: Iterable[Booked]) -> "Draft":
        """Return the draft with more lines, all in the order in which they occurred."""
        return replace(self, lines=sorted([*self.lines, *more], key=_order))


def after(opening: Position, lines: Iterable[Booked]) -> Position:
    """Return what an earner has once lines have moved."""
    payable, reserve, owed = opening.payable_minor, opening.reserve_minor, opening.owed_minor
    for line in lines:
        payable, reserve, owed = payable + line.payable_minor, reserve + line.reserve_minor, owed + line.owed_minor
    return Position(payable_minor=payable, reserve_minor=reserve, owed_minor=owed)


# In the order of occurrence; of one instant by what they are about, so that two runs of one history agree.
_WAITING = text("""
    SELECT t.id, CASE t.kind WHEN 'resolve' THEN 'sale' ELSE t.kind END AS kind, t.key,
           CASE WHEN t.kind IN ('resolve', 'refund', 'mature') THEN t.source::uuid END AS hold_id, t.occurred_at,
           l.amount_minor, l.promo_minor, l.payable_minor, l.reserve_minor, l.owed_minor,
           CASE WHEN t.kind = 'resolve' AND :side = 'statement' THEN
               (SELECT v.reserve_until FROM billing.hold_resolutions v WHERE v.hold_id = t.source::uuid) END,
           CASE WHEN t.kind NOT IN ('resolve', 'refund', 'mature') THEN t.source END
    FROM billing.transactions_for(:side, :account, :currency, :from_id) t
    CROSS JOIN LATERAL billing.line_of(:side, t, :account) l
    WHERE t.occurred_at < :until
      AND NOT EXISTS (SELECT FROM billing.document_lines d
                      WHERE d.side = :side AND d.account_id = :account AND d.transaction_id = t.id)
    ORDER BY t.occurred_at, hold_id NULLS LAST, t.id
""")
_UNPAID = text("""
    SELECT t.id, 'unpaid', t.key, v.hold_id, t.occurred_at, 0
    FROM billing.hold_resolutions v JOIN billing.transactions t ON t.id = v.transaction_id
    WHERE v.hold_id = ANY (:holds) AND v.share_minor = 0 AND t.occurred_at < :until
      AND NOT EXISTS (SELECT FROM billing.document_lines d
                      WHERE d.side = 'statement' AND d.account_id = :account AND d.transaction_id = t.id)
""")


def _order(line: Booked) -> tuple[datetime, bool, int, UUID]:
    return line.occurred_at, line.hold_id is None, line.hold_id.int if line.hold_id else 0, line.transaction_id


class Looked(NamedTuple):
    """Up to where documents are issued: the newest month, from which id on transactions may wait, how it closed."""

    period: date | None
    from_id: UUID
    closing: Position


def looked_at(side: Side, account_id: UUID, currency: str) -> Looked:
    """Read up to where an account's documents are issued, in one question."""
    closed = (
        select(Document.content["closing"])
        .where(Document.kind == side, Document.account_id == account_id, Document.currency == currency)
        .order_by(Document.period.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(DocumentMonth.period, DocumentMonth.from_id, closed).where(
        DocumentMonth.side == side, DocumentMonth.account_id == account_id, DocumentMonth.currency == currency
    )
    row = db.session.execute(query.order_by(DocumentMonth.period.desc()).limit(1)).one_or_none()
    if row is None:
        return Looked(None, FIRST, Position())
    return Looked(row[0], row[1], Position(**row[2]) if row[2] else Position())


def waiting_lines(side: Side, account_id: UUID, currency: str, until: datetime, from_id: UUID = FIRST) -> list[Booked]:
    """Read what occurred before an instant and stands on no document of this side yet; nothing waits before the id."""
    asked = {"side": side, "account": account_id, "currency": currency, "until": until,
             "from_id": from_id}  # fmt: skip
    return sorted((Booked(*row) for row in db.session.execute(_WAITING, asked)), key=_order)


def draft_of(side: Side, account_id: UUID, currency: str, period: date, until: datetime | None = None) -> Draft:
    """Draft a month's document: what waits until the month's end, or until an instant within it."""
    last = looked_at(side, account_id, currency)
    lines = waiting_lines(side, account_id, currency, until or end_of(period), last.from_id)
    return Draft(side, account_id, currency, period, last.closing, lines, last.period)


def unpaid_lines(draft: Draft, hold_ids: Sequence[UUID]) -> list[Booked]:
    """Read how these holds ended, those that brought their earner nothing and stand on no statement of his yet."""
    asked = {"account": draft.account_id, "holds": list(hold_ids), "until": end_of(draft.period)}
    return [Booked(*row) for row in db.session.execute(_UNPAID, asked)]


def position_of(account_id: UUID, currency: str) -> Position:
    """Read what an earner has at this moment, from his cached row and not from any line."""
    row = db.session.get(Earner, (account_id, currency), populate_existing=True)
    if row is None:
        return Position()
    return Position(payable_minor=row.payable, reserve_minor=row.reserve, owed_minor=row.owed)
