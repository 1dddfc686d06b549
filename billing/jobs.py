"""What billing does in the worker: calls to the card processor, its events, its balance.

Jobs only wake; what is due stands in the tables, so a lost or doubled wake-up changes nothing.
"""

from datetime import timedelta

from billing.funding.due import run_cards
from billing.funding.reading import fetch_news
from billing.funding.waking import WAKE
from billing.stripe_gateway import gateway
from core.http import business_clock, settings
from core.jobs import job


@job(WAKE)
def look_at_cards() -> None:
    """Do what is due with the card processor."""
    if settings().takes_cards:
        run_cards(business_clock().now())


@job("billing.cards_poll", every=timedelta(minutes=1))
def poll_cards() -> None:
    """Fetch what no webhook brought, and do what is due."""
    if settings().takes_cards:
        fetch_news(gateway())
        run_cards(business_clock().now())
