"""What is due with the card processor: calls to send, events to handle, movements to book."""

from datetime import datetime

from billing.funding.reading import fetch_news, handle_news, read_balance, send_calls
from billing.stripe_gateway import Undecided, gateway
from core.http import settings


def run_cards(at: datetime) -> dict[str, int]:
    """Do what is due and return how many of each; Undecided while the processor is away."""
    door = gateway()
    return {
        "card_calls": send_calls(door),
        "card_news": handle_news(door, at),
        "card_movements": read_balance(door, at),
    }


def run_due_cards(at: datetime) -> dict[str, int]:
    """Do by hand what the clock does; nothing where no card processor is set up, or while it is away."""
    if not settings().takes_cards:
        return {}
    try:
        return {"card_news_fetched": fetch_news(gateway())} | run_cards(at)
    except Undecided:
        return {"card_processor_away": 1}
