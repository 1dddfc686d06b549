"""Prints of invoices and statements: a short one at once, a long one by a job that keeps it for whoever asks again.

Ten thousand lines take ten seconds and 200 MB; no request waits for that. A print that was forgotten is made again, and
is the same to the byte.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from billing.documents.models import Document
from billing.documents.months.content import month_content_of
from billing.documents.months.models import DocumentPrint
from billing.documents.months.pdf import month_pdf_of
from billing.documents.months.reading import lines_of_document
from billing.documents.months.sheet import LongSheet, month_sheet_of
from core.db import db
from core.jobs import enqueue

JOB = "billing.print_document"
LONG = 300  # lines; up to these a request prints in a third of a second
AGAIN = timedelta(minutes=10)  # after which a print that never came is asked for once more


def is_long(document: Document) -> bool:
    """Tell whether a document is printed by a job."""
    return month_content_of(document).lines > LONG


def printed_month(document: Document) -> bytes | None:
    """Return a document's print; None of a long one whose job has not made it."""
    if is_long(document):
        return db.session.scalar(select(DocumentPrint.content).where(DocumentPrint.document_id == document.id))
    return month_pdf_of(month_sheet_of(document, lines_of_document(document.id)))


def ask_print(document_id: UUID, at: datetime) -> bool:
    """Have a job print a document, unless one was asked for a moment ago or has done so; tell whether it was asked."""
    row = insert(DocumentPrint).values(document_id=document_id, asked_at=at)
    waits_long = DocumentPrint.content.is_(None) & (DocumentPrint.asked_at <= at - AGAIN)
    again = row.on_conflict_do_update(index_elements=["document_id"], set_={"asked_at": at}, where=waits_long)
    if db.session.scalar(again.returning(DocumentPrint.document_id)) is None:
        return False
    enqueue(JOB, document=str(document_id))
    return True


def laid_out(document_id: UUID) -> LongSheet | None:
    """Lay a document out with all its rows, to be printed outside of the transaction; None when it is printed."""
    done = select(DocumentPrint.document_id).where(DocumentPrint.document_id == document_id)
    if db.session.scalar(done.where(DocumentPrint.content.is_not(None))) is not None:
        return None
    sheet = month_sheet_of(db.session.get_one(Document, document_id), lines_of_document(document_id))
    return replace(sheet, rows=iter(list(sheet.rows)))


def keep_print(document_id: UUID, content: bytes, at: datetime) -> None:
    """Keep a document's print, once."""
    row = update(DocumentPrint).where(DocumentPrint.document_id == document_id, DocumentPrint.content.is_(None))
    db.session.execute(row.values(content=content, printed_at=at))


def forget_prints(before: datetime) -> int:
    """Forget the prints that were made before an instant, and return how many; whoever asks has them made again."""
    old = select(func.count()).where(DocumentPrint.printed_at < before)
    count = int(db.session.scalar(old) or 0)
    db.session.execute(delete(DocumentPrint).where(DocumentPrint.printed_at < before))
    return count
