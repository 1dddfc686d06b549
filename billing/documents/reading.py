"""Finding documents: an account's receipts and credit notes, one of all its documents, those of one top-up."""

from uuid import UUID

from sqlalchemy import select

from billing.documents.models import Document
from core.db import db
from core.errors import NotFound


def documents_of(account_id: UUID, most: int | None, before: UUID | None = None, kind: str = "") -> list[Document]:
    """Return an account's receipts and credit notes, the newest first; `before` is the last id of the part before."""
    query = select(Document).where(Document.account_id == account_id, Document.period.is_(None))
    query = query.where(Document.id < before) if before else query
    query = query.where(Document.kind == kind) if kind else query
    return list(db.session.scalars(query.order_by(Document.id.desc()).limit(most)))


def get_document(account_id: UUID | None, document_id: UUID, *kinds: str) -> Document:
    """Return a document of these kinds, a receipt or credit note without any; NotFound for anybody else's.

    Without an account it may be anybody's: for those who keep the books.
    """
    found = db.session.get(Document, document_id)
    wanted = kinds or ("receipt", "credit_note")
    if found is None or account_id not in (None, found.account_id) or found.kind not in wanted:
        raise NotFound(detail="There is no document of yours with this id.")
    return found


def documents_about(account_id: UUID, about_id: UUID) -> list[Document]:
    """Return the documents of one top-up or of one order to send money back, the oldest first."""
    query = select(Document).where(Document.account_id == account_id, Document.about_id == about_id)
    return list(db.session.scalars(query.order_by(Document.id)))
