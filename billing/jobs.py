"""What billing does in the worker: calls to the card processor, its events, its balance.

Jobs only wake; what is due stands in the tables, so a lost or doubled wake-up changes nothing.
"""

import threading
from datetime import timedelta

from billing.funding.due import run_cards
from billing.funding.waking import WAKE
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
