"""What the sample market's buyers can order by now, at which price, and how much money they keep in their wallets."""

from collections.abc import Iterator
from decimal import Decimal

from marketplace.demo.cast import Cast
from marketplace.demo.market import Behaviour, Buyer, SampleOrder

LINE_DAYS = 45  # of what a buyer with a credit line may spend, so that net 30 leaves room
COVER_DAYS = 6  # of what a buyer may spend, in its wallet after a refill


def playing(cast: Cast) -> list[Buyer]:
    """Return the buyers of whose orders at least one can be placed by now."""
    return [buyer for buyer in cast.market.buyers if any(True for _ in offered(buyer))]


def offered(buyer: Buyer) -> Iterator[tuple[SampleOrder, str]]:
    """Yield what a buyer can order by now, with the vertical: prices per lead, in the vertical's own currency."""
    for order in buyer.orders:
        if order.model == "cpl" and order.price is not None and buyer.currency == "EUR":
            for slug in order.verticals:
                yield order, slug


def price_of(order: SampleOrder) -> Decimal:
    """Return the one price of a standing order: the middle of what its buyer bids."""
    assert order.price is not None
    return (sum(map(Decimal, order.price), Decimal()) / 2).quantize(Decimal("0.01"))


def daily_need(buyer: Buyer) -> Decimal:
    """Return the most that a buyer spends on a day by its orders' caps."""
    return sum((price_of(order) * (order.day_leads or 25) for order, _ in offered(buyer)), Decimal())


def line_of(buyer: Buyer) -> Decimal:
    """Return the credit line of a buyer who pays later, 0 for one who pays in advance."""
    return daily_need(buyer) * LINE_DAYS if buyer.behaviour.net_days else Decimal()


def refill(buyer: Buyer, available: Decimal, due: Decimal, scale: float) -> Decimal:
    """Return what to add to a wallet at the beginning of a day; who pays in advance and little gets up to its level.

    Whoever has a credit line pays what is due of it, and nothing before.
    """
    if buyer.behaviour.net_days:
        return due
    level, floor = _level(buyer.behaviour, daily_need(buyer), scale)
    return max(level - available, Decimal()).quantize(Decimal("0.01")) if available < floor else Decimal()


def _level(does: Behaviour, need: Decimal, scale: float) -> tuple[Decimal, Decimal]:
    if does.low_wallet is not None:
        level = max(Decimal(does.low_wallet) * Decimal(str(scale)), Decimal(5))
        return level, level
    return need * COVER_DAYS, need * 2
