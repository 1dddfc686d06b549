"""What counted days say of a vertical in a region, with what may not be told withheld and the reason said: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from core.sentences import sentences
from marketplace.market.histograms import added, number_at, up_to
from marketplace.market.steps import points_between

FEW_LEADS, FEW_SALES, FEW_BUYERS, FEW_SETTLED, FEW_BESIDE, NOT_BY_PRICE, NOT_LOOKED = (
    "few_leads", "few_sales", "few_buyers", "few_settled", "few_beside", "not_by_price", "not_looked_yet"
)  # fmt: skip
WITHHELD: Mapping[str, str] = sentences({
    FEW_LEADS: "Fewer leads were offered than it takes to hide whose they were.",
    FEW_SALES: "Fewer leads were sold than it takes to hide whose they were.",
    FEW_BUYERS: "Fewer buyers bought or would buy than it takes to hide who they are.",
    FEW_BESIDE: "With it, the rest of the region around it would show: too few leads, sales or buyers.",
    FEW_SETTLED: "Fewer sales were settled than it takes to tell how long that takes.",
    NOT_BY_PRICE: "Who buys first is not decided by the price in this vertical.",
    NOT_LOOKED: "The orders of this region have not been looked at yet.",
})  # fmt: skip


class CountedDay(Protocol):
    """A counted day, as the rows are."""

    day: Any
    offered: Any
    sold: Any
    sales: Any
    value_minor: Any
    buyers: Any
    last_price_minor: Any
    last_sold_at: Any
    alone: Any
    shared: Any
    cycle: Any


class Depth(Protocol):
    """The depth of a region, as the rows are."""

    looked_at: Any
    orders: Any
    buyers: Any
    steps: Any
    told: Any


@dataclass(frozen=True, slots=True)
class Least:
    """How many leads or sales, and how many buyers, it takes to tell a figure."""

    sales: int
    buyers: int


@dataclass(frozen=True, slots=True)
class Beside:
    """Whether what lies beside the region would show too little, if all that was offered, or sold, were told."""

    few_offered: bool = False
    few_sold: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """Of the leads offered, the share (in basis points) that an order at this price would have won."""

    price_minor: int
    share_bp: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of the chart: counts alone, since prices of a day could be worked out from those of the window."""

    day: date
    offered: int
    sold: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the days say together; a figure is None exactly when `withheld` says why, by its name."""

    offered: int | None
    sold: int | None
    sales: int | None
    sell_through_bp: int | None
    last_price_minor: int | None
    last_sold_at: datetime | None
    average_minor: int | None
    days_to_money: tuple[int, int] | None
    alone: Sequence[Point] | None
    shared: Sequence[Point] | None
    depth: Depth | None
    days: Sequence[DayFigures]
    withheld: Mapping[str, str]


def figures_of(
    rows: Sequence[CountedDay], depth: Depth | None, least: Least, beside: Beside, *, by_price: bool = True
) -> Figures:
    """Return what days say together; fewer leads, sales or buyers than the least, here or in what lies beside, withhold
    what they would show.
    """
    offered, sold, sales = (sum(getattr(row, name) for row in rows) for name in ("offered", "sold", "sales"))
    buyers = {buyer for row in rows for buyer in row.buyers}
    cycle = added(row.cycle for row in rows)
    few_offered = FEW_LEADS if offered < least.sales else FEW_BESIDE if beside.few_offered else None
    few_sold = few_offered or _few(sales, len(buyers), least) or (FEW_BESIDE if beside.few_sold else None)
    few_priced = few_sold or (None if by_price else NOT_BY_PRICE)
    few_settled = FEW_SETTLED if sum(cycle.values()) < least.sales else None
    few_depth = _few_in(depth, least)
    reasons = {"offered": few_offered, "sold": few_sold, "sales": few_sold, "sell_through": few_sold,
               "last_price": few_sold, "average_price": few_sold, "days_to_money": few_settled,
               "win_rates": few_priced, "depth": few_depth}  # fmt: skip
    last = max(((row.last_sold_at, row.last_price_minor) for row in rows if row.sales), default=(None, None))
    places = (number_at(cycle, 0.5), number_at(cycle, 0.9))
    is_told = few_sold is None
    return Figures(
        None if few_offered else offered, sold if is_told else None, sales if is_told else None,
        share_bp(sold, offered) if is_told else None, last[1] if is_told else None, last[0] if is_told else None,
        average(sum(row.value_minor for row in rows), sales) if is_told else None,
        None if few_settled or None in places else (places[0] or 0, places[1] or 0),
        None if few_priced else curve([row.alone for row in rows], offered),
        None if few_priced else curve([row.shared for row in rows], offered),
        None if few_depth else depth, [DayFigures(row.day, row.offered, row.sold) for row in rows] if is_told else (),
        {name: reason for name, reason in reasons.items() if reason},
    )  # fmt: skip


def curve(prices: Sequence[Mapping[str, int]], offered: int) -> list[Point]:
    """Return which share of all leads offered a price would have won, at round prices up to where it rises no more."""
    counts = added(prices)
    low, high = number_at(counts, 0.02), number_at(counts, 0.98)
    if low is None or high is None:
        return []
    return [Point(price, share_bp(up_to(counts, price), offered)) for price in points_between(low, high)]


def share_bp(part: int, whole: int) -> int:
    """Return a share in basis points, rounded down; 0 of nothing."""
    return part * 10_000 // whole if whole else 0


def average(value_minor: int, count: int) -> int | None:
    """Return the average to the nearest minor unit, half up; None of nothing."""
    return (2 * value_minor + count) // (2 * count) if count else None


def _few_in(depth: Depth | None, least: Least) -> str | None:
    if depth is None:
        return NOT_LOOKED
    return FEW_BUYERS if depth.buyers < least.buyers else None if depth.told else FEW_BESIDE


def _few(sales: int, buyers: int, least: Least) -> str | None:
    return FEW_SALES if sales < least.sales else FEW_BUYERS if buyers < least.buyers else None
