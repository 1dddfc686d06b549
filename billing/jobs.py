"""What billing does in the worker: calls to the card processor, its events, its balance; the bank's files.

Jobs only wake; what is due stands in the tables, so a lost or doubled wake-up changes nothing.
"""

import threading
from datetime import timedelta
from uuid import UUID

from billing.bank.rounds import BOOK, book_waiting
from billing.documents.months.pdf import month_pdf_of
from billing.documents.months.printing import JOB as PRINT
from billing.documents.months.printing import keep_print, laid_out
from billing.funding.due import run_cards
from billing.funding.waking import WAKE
from core.db import transaction
from core.failpoints import failpoint
from core.http import business_clock, settings
from core.jobs import job

_in_hand, _fetch, _again = threading.Lock(), threading.Event(), threading.Event()


@job(WAKE)
def look_at_cards() -> None:
    """Do what is due with the card processor."""
    _look()


@job("billing.cards_poll", every=timedelta(minutes=1))
def poll_cards() -> None:
    """Fetch what no webhook brought, and do what is due."""
    _fetch.set()
    _look()


@job(BOOK, every=timedelta(minutes=1))
def book_bank() -> None:
    """Book the next pieces of the bank's files."""
    book_waiting(business_clock().now())


@job(PRINT)
def print_document(document: str) -> None:
    """Print a long invoice or statement and keep it; what is printed already is left alone."""
    document_id = UUID(document)
    with transaction():
        sheet = laid_out(document_id)
    if sheet is None:
        return
    printed = month_pdf_of(sheet)
    failpoint("document.printed")
    with transaction():
        keep_print(document_id, printed, business_clock().now())


def _look() -> None:
    """Look once at a time in this process, and once more for whoever came meanwhile.

    A processor that does not answer would otherwise hold all threads of the worker, a minute after the other.
    """
    _again.set()
    while settings().takes_cards and _again.is_set() and _in_hand.acquire(blocking=False):
        try:
            _again.clear()
            fetches = _fetch.is_set()
            _fetch.clear()
            run_cards(business_clock().now(), fetches=fetches)
        finally:
            _in_hand.release()
