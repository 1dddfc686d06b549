"""The sample market made smaller: fewer leads a day, and caps, budgets and wallets that shrink with them."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from marketplace.demo.market import Publisher, SampleMarket, SampleOrder


def scaled(market: SampleMarket, scale: float) -> SampleMarket:
    """Return the market at this share of its size; at 1 it is the market itself, and everybody keeps a lead a day."""
    if scale == 1:
        return market
    publishers = tuple(_smaller(each, scale) for each in market.publishers)
    buyers = tuple(replace(each, orders=_capped(each.orders, scale)) for each in market.buyers)
    size = replace(market.size, weekday_leads=sum(each.leads_a_weekday for each in publishers))
    return replace(market, size=size, publishers=publishers, buyers=buyers)


def _smaller(publisher: Publisher, scale: float) -> Publisher:
    return replace(publisher, leads_a_weekday=max(1, round(publisher.leads_a_weekday * scale)))


def _capped(orders: Iterable[SampleOrder], scale: float) -> tuple[SampleOrder, ...]:
    return tuple(
        replace(
            order,
            day_leads=order.day_leads and max(1, round(order.day_leads * scale)),
            day_budget=order.day_budget and str(round(Decimal(order.day_budget) * Decimal(str(scale)), 2)),
        )
        for order in orders
    )
