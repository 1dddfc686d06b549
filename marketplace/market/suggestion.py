"""A price suggested for an order, as a base and five factors that add up to it, each with its figure: pure.

The base is what half of the vertical's leads would have been won at, everywhere. Geography, competition and volume come
from the least winning prices of the region; know-how from how sales of the sources ended; quality from which kinds of
leads the order takes. Where trade is too thin to tell, the seeds that come with the program stand in and it is said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.sentences import sentences
from marketplace.market.histograms import number_at, up_to
from marketplace.market.seeds import ONE, PriceSeeds
from marketplace.market.steps import PARTS, step_above, step_below

BASE, COMPETITION, KNOW_HOW, VOLUME, QUALITY, GEOGRAPHY = (
    "base", "competition", "know_how", "volume", "quality", "geography"
)  # fmt: skip
FACTORS = (BASE, COMPETITION, KNOW_HOW, VOLUME, QUALITY, GEOGRAPHY)
SAYS: Mapping[str, str] = sentences({
    BASE: "What half of the leads of the vertical would have been won at.",
    COMPETITION: "How the price has moved in the last seven days, and how many orders could buy now.",
    KNOW_HOW: "Which share of the sales of the sources here was good, against all sources.",
    VOLUME: "How many of the leads offered a day are wanted: the more, the dearer the last of them.",
    QUALITY: "Which temperatures and contact classes the order takes, by what these usually cost.",
    GEOGRAPHY: "What half of the leads of the region would have been won at, against everywhere.",
})  # fmt: skip
MARKET, SEEDS = "market", "seeds"
FEW_DECISIONS = "few_decisions"
HALF = 5_000
LEAST_BP, MOST_BP = 500, 9_500  # of the leads offered that are aimed at


@dataclass(frozen=True, slots=True)
class Wish:
    """What an order wants: how many leads a day (None: half of what comes), of which kinds, and what it bids now."""

    leads_a_day: int | None = None
    temperatures: Sequence[str] = ()
    contact_classes: Sequence[str] = ()
    bids_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known of a vertical in a region: the least winning prices there, lately and everywhere, over some days.

    `lately` is empty where the last days alone are too thin; `thin` is why the region's own prices are not
    told, `thin_everywhere` why not even those of all regions are; `offered` is None where it is not told.
    """

    prices: Counter[int]
    lately: Counter[int]
    everywhere: Counter[int]
    offered: int | None
    days: int
    place_bp: int  # the factor of the region among the seeds
    corridor: tuple[int, int] | None
    least_minor: int
    thin: str | None = None
    thin_everywhere: str | None = None
    orders: int | None = None
    buyers: int | None = None
    good_bp: int | None = None
    good_of_all_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Factor:
    """One part of a suggested price: what it rests on, by name, and by how much it changes the price."""

    name: str
    effect_minor: int
    figures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A price with its factors, which add up to it before it is rounded up; what it wins is None where nobody knows.

    `withheld` says why the seeds stand in. `own_bp` is the share that the order's present price would have won.
    """

    price_minor: int
    basis: str
    withheld: str | None
    factors: Sequence[Factor]
    win_bp: int | None
    leads_a_day: float | None
    own_bp: int | None


def suggest(segment: Segment, wish: Wish, seeds: PriceSeeds) -> Suggestion | None:
    """Return the price for a wish; None where neither trade nor seeds know one."""
    kind = _kind_bp(wish, seeds)
    if segment.thin_everywhere is None:
        return _by_market(segment, wish, kind)
    if segment.corridor is None:
        return None
    return _by_seeds(segment, kind, segment.corridor)


def _by_market(segment: Segment, wish: Wish, kind_bp: int) -> Suggestion:
    base = _at(segment.everywhere, HALF) or segment.least_minor
    prices = segment.prices if segment.thin is None else _moved(segment.everywhere, segment.place_bp)
    here = _at(prices, HALF) or base
    offered = segment.offered if segment.thin is None and segment.offered else 0
    offered_a_day = offered / segment.days
    aim = _aim(wish, offered_a_day)
    trend = (_at(segment.lately, HALF) or here) - here
    worth = _worth(here, segment)
    volume = (_at(prices, aim) or here) - here
    kind = _rounded(here * (kind_bp - ONE), ONE)
    wanted = {"wanted_a_day": wish.leads_a_day, "offered_in_days": segment.offered, "days": segment.days, "aim_bp": aim}
    factors = [
        Factor(BASE, base, {"leads": sum(segment.everywhere.values())}),
        Factor(COMPETITION, trend, _known({"orders": segment.orders, "buyers": segment.buyers})),
        Factor(KNOW_HOW, worth, _known({"good_bp": segment.good_bp, "good_of_all_bp": segment.good_of_all_bp})),
        Factor(VOLUME, volume, _known(wanted)),
        Factor(QUALITY, kind, {"kinds_bp": kind_bp}),
        Factor(GEOGRAPHY, here - base, {"region_minor": here, "everywhere_minor": base}),
    ]
    price = _price(factors, segment)
    asked = sum(prices.values())
    win = up_to(prices, price) * ONE // (offered or asked)
    own = None if wish.bids_minor is None or not offered else _won_below(prices, wish.bids_minor) * ONE // offered
    a_day = round(win / ONE * offered_a_day, 1) if segment.thin is None else None
    return Suggestion(price, MARKET, segment.thin, factors, win, a_day, own)


def _by_seeds(segment: Segment, kind_bp: int, corridor: tuple[int, int]) -> Suggestion:
    low, high = corridor
    base = (low + high + 1) // 2
    factors = [
        Factor(BASE, base, {"low_minor": low, "high_minor": high}),
        Factor(COMPETITION, 0, _known({"orders": segment.orders, "buyers": segment.buyers})),
        Factor(KNOW_HOW, 0),
        Factor(VOLUME, 0),
        Factor(QUALITY, _rounded(base * (kind_bp - ONE), ONE), {"kinds_bp": kind_bp}),
        Factor(GEOGRAPHY, _rounded(base * (segment.place_bp - ONE), ONE), {"place_bp": segment.place_bp}),
    ]
    return Suggestion(_price(factors, segment), SEEDS, segment.thin_everywhere, factors, None, None, None)


def _at(prices: Counter[int], share_bp: int) -> int | None:
    """Return the round price at which a share of what could be won at all would have been."""
    price = number_at(prices, share_bp / ONE)
    return None if price is None else step_above(price)


def _won_below(prices: Counter[int], bids_minor: int) -> int:
    """Return how many leads the round price at or below a bid would have won.

    Whoever asks for one price after the other does not learn at which cent another's bid lies.
    """
    return up_to(prices, step_below(bids_minor, PARTS))


def _price(factors: Sequence[Factor], segment: Segment) -> int:
    return step_above(max(sum(one.effect_minor for one in factors), segment.least_minor, 1))


def _aim(wish: Wish, offered_a_day: float) -> int:
    """Return which share of the leads offered the order has to win to get what it wants, in basis points."""
    if not wish.leads_a_day or not offered_a_day:
        return HALF
    return min(max(int(wish.leads_a_day / offered_a_day * ONE), LEAST_BP), MOST_BP)


def _worth(here: int, segment: Segment) -> int:
    """Return by how much better sources than elsewhere raise what a lead is worth."""
    if not segment.good_bp or not segment.good_of_all_bp:
        return 0
    return _rounded(here * (segment.good_bp - segment.good_of_all_bp), segment.good_of_all_bp)


def _kind_bp(wish: Wish, seeds: PriceSeeds) -> int:
    """Return the mean factor of the kinds that an order takes; 1.00 for one that takes all."""
    temperature = _mean([seeds.temperatures.get(one, ONE) for one in wish.temperatures])
    return _rounded(temperature * _mean([seeds.classes.get(one, ONE) for one in wish.contact_classes]), ONE)


def _mean(factors: Sequence[int]) -> int:
    return _rounded(sum(factors), len(factors)) if factors else ONE


def _moved(prices: Counter[int], factor_bp: int) -> Counter[int]:
    moved: Counter[int] = Counter()
    for price, times in prices.items():
        moved[_rounded(price * factor_bp, ONE)] += times
    return moved


def _known(figures: Mapping[str, int | None]) -> dict[str, int]:
    return {name: figure for name, figure in figures.items() if figure is not None}


def _rounded(number: int, by: int) -> int:
    return (2 * number + by) // (2 * by)
