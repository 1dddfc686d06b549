"""Waking the worker to look at what is due with the card processor."""

from core.jobs import enqueue

WAKE = "billing.cards"


def wake_cards() -> None:
    """Let the worker look soon, once this transaction is committed; one waiting wake-up is enough for all."""
    enqueue(WAKE, once=True)
