"""What is due with the card processor: calls to send, events to handle, movements to book, what is open to recheck."""

from collections.abc import Callable
from datetime import datetime

from billing.funding.paying_out import look_at_accounts, order_payouts
from billing.funding.reading import fetch_news, handle_news, read_balance, send_calls
from billing.funding.recharge.charging import recharge_due
from billing.funding.rechecking import recheck_open
from billing.funding.rows import FAULTS
from billing.stripe_gateway import Undecided, gateway
from core.http import settings


def run_cards(at: datetime, *, fetches: bool = False) -> dict[str, int]:
    """Do what is due and return how many of each; Undecided while the processor is away.

    With `fetches`, what no webhook brought is fetched first. Each step is done though another errs, whose fault is
    raised at the end.
    """
    door = gateway()
    steps: dict[str, Callable[[], int]] = {
        "recharges": lambda: recharge_due(at),
        "payouts_ordered": lambda: order_payouts(door, at),
        "card_calls": lambda: send_calls(door),
        "card_news": lambda: handle_news(door, at),
        "card_movements": lambda: read_balance(door, at),
        "card_rechecks": lambda: recheck_open(door, at),
        "accounts_looked_at": lambda: look_at_accounts(door, at),
    }
    if fetches:
        steps = {"card_news_fetched": lambda: fetch_news(door)} | steps
    done: dict[str, int] = {}
    faults: list[Exception] = []
    for name, step in steps.items():
        try:
            done[name] = step()
        except FAULTS as fault:
            faults.append(fault)
    if faults:
        raise faults[0]
    return done


def run_due_payouts(at: datetime) -> dict[str, int]:
    """Order and send by hand what is approved and covered; nothing where no card processor is set up, or it is away."""
    if not settings().takes_cards:
        return {}
    door = gateway()
    try:
        return {"payouts_ordered": order_payouts(door, at), "card_calls": send_calls(door)}
    except Undecided:
        return {"card_processor_away": 1}


def run_due_cards(at: datetime) -> dict[str, int]:
    """Do by hand what the clock does; nothing where no card processor is set up, or while it is away."""
    if not settings().takes_cards:
        return {}
    try:
        return run_cards(at, fetches=True)
    except Undecided:
        return {"card_processor_away": 1}
