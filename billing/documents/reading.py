"""Finding documents: an account's, one of them, those of one top-up."""

from uuid import UUID

from sqlalchemy import select

from billing.documents.models import Document
from core.db import db
from core.errors import NotFound


def documents_of(account_id: UUID, most: int | None, before: UUID | None = None, kind: str = "") -> list[Document]:
    """Return an account's documents, the newest first; `before` is the last id of the part before."""
    query = select(Document).where(Document.account_id == account_id)
    query = query.where(Document.id < before) if before else query
    query = query.where(Document.kind == kind) if kind else query
    return list(db.session.scalars(query.order_by(Document.id.desc()).limit(most)))


def get_document(account_id: UUID, document_id: UUID) -> Document:
    """Return an account's document; NotFound for anybody else's."""
    found = db.session.get(Document, document_id)
    if found is None or found.account_id != account_id:
        raise NotFound(detail="There is no document of yours with this id.")
    return found


def documents_about(account_id: UUID, about_id: UUID) -> list[Document]:
    """Return the documents of one top-up or of one order to send money back, the oldest first."""
    query = select(Document).where(Document.account_id == account_id, Document.about_id == about_id)
    return list(db.session.scalars(query.order_by(Document.id)))
