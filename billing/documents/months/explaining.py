"""Whether a document still says what the books say: every line against the entries behind it, and its sums."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from billing.documents.models import Document
from billing.documents.months.content import month_content_of
from billing.documents.months.drafts import Position
from billing.documents.months.models import DocumentLine
from core.db import db

OPENING, CLOSING, AMOUNT = "opening", "closing", "amount"
_LINES = text("""
    SELECT d.line, d.transaction_id, w.what, w.said_minor, w.booked_minor
    FROM billing.document_lines d
    JOIN billing.transactions t ON t.id = d.transaction_id
    CROSS JOIN LATERAL billing.line_of(d.side, t, d.account_id) b
    CROSS JOIN LATERAL (VALUES
        ('amount', d.amount_minor, b.amount_minor), ('promo', d.promo_minor, b.promo_minor),
        ('payable', d.payable_minor, b.payable_minor), ('reserve', d.reserve_minor, b.reserve_minor),
        ('owed', d.owed_minor, b.owed_minor)) AS w (what, said_minor, booked_minor)
    WHERE d.document_id = :document AND w.said_minor <> w.booked_minor
    ORDER BY d.line, w.what
""")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a document and the books disagree: the line, None for the whole, what of it, and both amounts."""

    line: int | None
    what: str
    said_minor: int
    booked_minor: int

    @property
    def minor(self) -> int:
        """Return by how much the document says more than the books."""
        return self.said_minor - self.booked_minor


def unexplained(document: Document) -> list[Difference]:
    """Compare a month's document with the books, line by line, then its sums; nothing when all of it is explained."""
    found = [
        Difference(row.line, row.what, row.said_minor, row.booked_minor)
        for row in db.session.execute(_LINES, {"document": document.id})
    ]
    lines, content = _sums(document.id), month_content_of(document)
    net = document.amount_minor + content.promo_minor
    found += [Difference(None, AMOUNT, net, lines["amount_minor"])] if net != lines["amount_minor"] else []
    if document.kind == "statement":
        found += _parts(OPENING, content.opening, _before(document))
        moved = Position(**{name: getattr(content.opening, name) + lines[name] for name in Position.__struct_fields__})
        found += _parts(CLOSING, content.closing, moved)
    return found


def _parts(what: str, said: Position, booked: Position) -> list[Difference]:
    pairs = ((getattr(said, name), getattr(booked, name), name) for name in Position.__struct_fields__)
    return [
        Difference(None, f"{what} {name.removesuffix('_minor')}", one, two) for one, two, name in pairs if one != two
    ]


def _sums(document_id: UUID) -> dict[str, int]:
    names = ("amount_minor", *Position.__struct_fields__)
    sums = [func.coalesce(func.sum(getattr(DocumentLine, name)), 0) for name in names]
    row = db.session.execute(select(*sums).where(DocumentLine.document_id == document_id)).one()
    return {name: int(value) for name, value in zip(names, row, strict=True)}


def _before(document: Document) -> Position:
    """Return how the statement before this one ended, which it explains itself."""
    query = select(Document.content["closing"]).where(
        Document.kind == "statement", Document.account_id == document.account_id,
        Document.currency == document.currency, Document.period < document.period,
    )  # fmt: skip
    kept = db.session.scalar(query.order_by(Document.period.desc()).limit(1))
    return Position(**kept) if kept else Position()
