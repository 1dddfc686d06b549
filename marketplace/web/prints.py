"""A month's PDF over HTTP: its bytes, or the answer that a job is printing it and when to ask again."""

from flask import Response

from billing import Document, ask_print, printed_month
from core.db import transaction
from core.http import Answer, business_clock, download, respond

RETRY_SECONDS = 10


def month_print(row: Document) -> Response | None:
    """Answer with a month's PDF; None of a long one that is not printed yet, which a job is asked for."""
    document_id, name = row.id, f"{row.shown_number}.pdf"
    printed = printed_month(row)
    if printed is not None:
        return download(name, "application/pdf", printed)
    with transaction():
        ask_print(document_id, business_clock().now())
    return None


def month_pdf(row: Document) -> Response:
    """Answer with a month's PDF, or that it is being printed (202) and when to ask again."""
    waiting = Answer({"status": "printing"}, 202, {"Retry-After": str(RETRY_SECONDS)})
    return month_print(row) or respond(waiting)
