"""Finding invoices and statements: an account's, a month's, their lines, and what they paid out."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from billing.documents.models import Document
from billing.documents.months.drafts import Side
from billing.documents.months.models import DocumentLine, DocumentMonth
from core.db import db

_PAID_OUT = text("""
    SELECT r.line, r.occurred_at, r.payable_minor, r.moved_minor
    FROM (SELECT l.line, l.kind, l.occurred_at, l.payable_minor,
                 (sum(l.payable_minor) OVER (ORDER BY l.line))::bigint AS moved_minor
          FROM billing.document_lines l WHERE l.document_id = :document) r
    WHERE r.kind = 'payout' AND r.payable_minor < 0 ORDER BY r.line
""")


@dataclass(frozen=True, slots=True)
class PaidLine:
    """A payout among a document's lines: what it took, and what all lines up to it moved together, in minor units."""

    line: int
    at: datetime
    payable_minor: int
    moved_minor: int


def issued_months(side: Side, account_id: UUID | None, most: int, before: UUID | None = None) -> list[Document]:
    """Return an account's invoices or statements, everybody's for None, the newest first."""
    query = select(Document).where(Document.kind == side)
    query = query.where(Document.account_id == account_id) if account_id else query
    query = query.where(Document.id < before) if before else query
    return list(db.session.scalars(query.order_by(Document.id.desc()).limit(most)))


def month_documents_of(account_id: UUID, period: date) -> list[Document]:
    """Return the documents of an account's month, of each currency, in the order of their numbers."""
    query = select(Document).where(Document.account_id == account_id, Document.period == period)
    return list(db.session.scalars(query.order_by(Document.year, Document.number)))


def is_looked_at(side: Side, account_id: UUID, currency: str, period: date) -> bool:
    """Tell whether a month was looked at: without a document nothing had happened in it."""
    query = select(DocumentMonth.period).where(
        DocumentMonth.side == side, DocumentMonth.account_id == account_id, DocumentMonth.currency == currency,
        DocumentMonth.period == period,
    )  # fmt: skip
    return db.session.scalar(query) is not None


def find_month(side: Side, account_id: UUID, currency: str, period: date) -> Document | None:
    """Find the document of a month."""
    query = select(Document).where(Document.kind == side, Document.account_id == account_id,
                                   Document.currency == currency, Document.period == period)  # fmt: skip
    return db.session.scalar(query)


def lines_of_document(document_id: UUID, after: int = 0, most: int | None = None) -> list[DocumentLine]:
    """Return a document's lines in their order, those after a number."""
    query = select(DocumentLine).where(DocumentLine.document_id == document_id, DocumentLine.line > after)
    return list(db.session.scalars(query.order_by(DocumentLine.line).limit(most)))


def paid_lines_of(document_id: UUID) -> list[PaidLine]:
    """Return the payouts among a document's lines, however many lines it has."""
    return [PaidLine(*row) for row in db.session.execute(_PAID_OUT, {"document": document_id})]
