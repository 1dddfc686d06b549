"""Telling an account that a month's document is issued: by notice and webhook at once, by one mail a month."""

from datetime import date, datetime, timedelta
from uuid import UUID

from billing import Document, Draft, ask_print, find_month, is_long, month_documents_of
from core.db import transaction
from core.http import settings
from core.jobs import enqueue
from core.money import Money
from core.notifications import mail_account
from core.outbox import announce

MAIL = "market.documents_issued"
GATHERED_FOR = timedelta(minutes=10)  # the documents of other currencies come in the same mail
_TEXT = """Hello,

{what} issued for {month} (UTC):

{documents}

Each with its lines, as PDF and as CSV: {site}/{page}
"""
_PAGES = {"invoice": "buyer/invoices", "statement": "publisher/statements"}


def tell(draft: Draft, at: datetime) -> None:
    """Tell of a document that this transaction issues; the first one of a month puts the mail on the queue.

    A long one is printed by now, so that it is there when it is asked for.
    """
    document = find_month(draft.side, draft.account_id, draft.currency, draft.period)
    if document is None:
        return
    if is_long(document):
        ask_print(document.id, at)
    data = {"document": str(document.id), "kind": draft.side, "period": f"{draft.period:%Y-%m}",
            "net": Money(document.amount_minor, document.currency).as_json()}  # fmt: skip
    accounts = [str(draft.account_id)]
    announce("notice", {"event": "document.issued", "at": at.isoformat(), "accounts": accounts, "data": data})
    if len(month_documents_of(draft.account_id, draft.period)) == 1:
        enqueue(MAIL, later=GATHERED_FOR, account=str(draft.account_id), period=draft.period.isoformat())


def mail_documents(account_id: UUID, period: date) -> None:
    """Write to an account's people which documents of a month are issued; opens its transaction."""
    with transaction():
        documents = month_documents_of(account_id, period)
        kind = documents[0].kind if documents else ""
        text = _TEXT.format(
            what="Your invoices are" if kind == "invoice" else "Your statements are", month=f"{period:%Y-%m}",
            documents="\n".join(map(_line, documents)), site=settings().address, page=_PAGES.get(kind, ""),
        )  # fmt: skip
    if documents:
        mail_account(account_id, f"{'Invoice' if kind == 'invoice' else 'Statement'} of {period:%Y-%m}", text)


def _line(document: Document) -> str:
    return f"  {document.shown_number}: {Money(document.amount_minor, document.currency)} {document.currency} net"
