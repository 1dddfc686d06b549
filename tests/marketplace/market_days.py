"""A market with enough trade to be told: several buyers, a publisher, and its data counted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text

from core.db import transaction
from marketplace.jobs import settle_due
from marketplace.market.due import STEPS
from tests.factories import Market, Member


@dataclass
class Trade:
    """A publisher and buyers with one order each, the dearest first."""

    market: Market
    publisher: Member
    buyers: list[Member]
    orders: list[Any] = field(default_factory=list)

    def post(self, leads: int, **lead: Any) -> list[Any]:
        """Post so many leads and return what became of them."""
        return [self.publisher.post("/leads", self.market.lead(**lead)) for _ in range(leads)]


def make_trade(market: Market, prices: tuple[str, ...] = ("30.00", "25.00", "20.00"), **terms: Any) -> Trade:
    """Let so many buyers trade, each with an order of a price."""
    trade = Trade(market, market.make_publisher(), [market.make_buyer("5000.00") for _ in prices])
    trade.orders = [market.make_order(buyer, price, **terms) for buyer, price in zip(trade.buyers, prices, strict=True)]
    return trade


def count(at: datetime) -> dict[str, int]:
    """Count what is due of the market's data."""
    return settle_due(at, STEPS)


def count_anew(at: datetime) -> None:
    """Count every day again, whatever was counted."""
    with transaction() as session:
        session.execute(text("DELETE FROM marketplace.market_counts"))
    count(at)
