"""Why an order lost, as its buyer asks it: one day and those before it, judged once in a while."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from core.errors import Fault, Malformed
from core.money import Money
from marketplace.leads.desk import desk
from marketplace.market.losses import LOSSES, Asked, Losses, asked_days, losses_of
from marketplace.orders.models import Order
from marketplace.reports.kept import kept

SHEET_DAYS = 92
SHEET_HEAD = ("day", "tried", *LOSSES, "lost_to_price", "median_winning_price", "p90_winning_price", "currency")


def order_losses(order: Order, day: date, at: datetime) -> Losses:
    """Return why the order lost on a day and on the days before; the same answer for a while."""
    found: Losses = kept(
        ("losses", order.id, order.version, day), at, lambda: losses_of(order, day, desk().vault)
    ).value
    return found


def day_asked(text: str | None, at: datetime) -> date:
    """Read the day that is asked for, today without one; Malformed for what is no day or has not come yet."""
    today = at.astimezone(UTC).date()
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        fault = Fault("day", "not_a_date", "Write a day as 2026-01-31.")
        raise Malformed("bad_filter", "This day cannot be shown.", [fault]) from None
    if not date(2000, 1, 1) <= day <= today:
        fault = Fault("day", "out_of_range", "Ask for a day that has come.")
        raise Malformed("bad_filter", "This day cannot be shown.", [fault])
    return day


def sheet_rows(order: Order, at: datetime) -> Iterator[list[object]]:
    """Yield the days of the last three months on which the order was tried, as a sheet has them."""
    until, currency = at.astimezone(UTC).date(), str(order.terms["currency"])
    days, _ = asked_days(order.id, until - timedelta(days=SHEET_DAYS - 1), until)
    yield from (_cells(one, currency) for one in days if one.leads)


def _cells(asked: Asked, currency: str) -> list[object]:
    told = asked.winning
    prices = ["" if minor is None else str(Money(minor, currency)) for minor in (told.median_minor, told.p90_minor)]
    counts = [asked.outcomes.get(code, 0) for code in LOSSES]
    return [asked.day.isoformat(), asked.leads, *counts, told.leads, *prices, currency]
