"""The shapes of answers about the market: its figures, the quality of sources, suggestions, why orders lost."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Struct

from core.schemas import Amount
from marketplace.market.figures import WITHHELD
from marketplace.market.losses import LOSSES
from marketplace.market.suggestion import FACTORS
from marketplace.web.api.answers import one_of

FIGURES = ("offered", "sold", "sales", "sell_through", "last_price", "average_price", "days_to_money", "win_rates",
           "depth")  # fmt: skip


class WithheldShown(Struct, frozen=True, kw_only=True):
    """A figure that is not told, and why."""

    figure: Annotated[str, one_of(FIGURES)]
    reason: Annotated[str, one_of(WITHHELD)]
    says: str


class WinRate(Struct, frozen=True, kw_only=True):
    """Which share of the leads offered, from 0 to 1, an order at this price would have won."""

    price: Amount
    share: float


class WinRates(Struct, frozen=True, kw_only=True):
    """The share of leads won by price, for an order that buys alone and for one that shares."""

    exclusive: list[WinRate]
    shared: list[WinRate]


class DepthStep(Struct, frozen=True, kw_only=True):
    """How many orders pay this or more, and less than the step above; no step shows a single buyer."""

    price_from: Amount
    orders: int


class DepthShown(Struct, frozen=True, kw_only=True):
    """The orders that could have bought when they were looked at, by steps of price, the dearest first."""

    looked_at: datetime
    orders: int
    buyers: int
    steps: list[DepthStep]


class DaysToMoney(Struct, frozen=True, kw_only=True):
    """After how many whole days a lead's sale was settled: half of them, and nine of ten, within so many."""

    median: int
    p90: int


class MarketDayShown(Struct, frozen=True, kw_only=True):
    """How many leads were offered and sold on a UTC day."""

    day: date
    offered: int
    sold: int


class MarketShown(Struct, frozen=True, kw_only=True):
    """A vertical in a region over some UTC days, `until` included; a figure is null exactly when `withheld` says why.

    `region` is null for everywhere; a region counts with all that it holds. `sell_through` is sold over offered, from
    0 to 1; `average_price` is weighted by sales. Leads that a private deal bought are left out.
    """

    vertical: str
    region: str | None
    currency: str
    since: date
    until: date
    delay_hours: int
    counted_at: datetime | None
    offered: int | None
    sold: int | None
    sales: int | None
    sell_through: float | None
    last_price: Amount | None
    last_sold_at: datetime | None
    average_price: Amount | None
    days_to_money: DaysToMoney | None
    win_rates: WinRates | None
    depth: DepthShown | None
    days: list[MarketDayShown]
    withheld: list[WithheldShown]


class QualityShown(Struct, frozen=True, kw_only=True):
    """How the sales of a source ended: `good` of `judged` is the share that neither came back nor was unreachable.

    It lies between `low` and `high` with 95 % certainty (Wilson); `score` is the lower end in percent. All four are
    null, with `withheld`, while too few sales are judged (`few_sales`) or too few buyers had them (`few_buyers`).
    """

    source: str
    publisher: str
    judged: int | None
    score: int | None
    good: float | None
    low: float | None
    high: float | None
    returned: int | None
    unreachable: int | None
    reported: int | None
    reached: int | None
    won: int | None
    withheld: str | None


class LossShown(Struct, frozen=True, kw_only=True):
    """How many leads came out so for the order, and what that means."""

    outcome: Annotated[str, one_of(LOSSES)]
    leads: int
    says: str


class WinningShown(Struct, frozen=True, kw_only=True):
    """At which price half, and nine of ten, of the leads lost to price would have been won, rounded up.

    `withheld` is `few_buyers` where so few had them that their bids would show.
    """

    leads: int
    median: Amount | None
    p90: Amount | None
    withheld: str | None


class LossDayShown(Struct, frozen=True, kw_only=True):
    """A UTC day by the stored decisions: the leads for which the order was tried."""

    day: date
    tried: int
    won: int
    outcomes: list[LossShown]
    winning_price: WinningShown


class MissedShown(Struct, frozen=True, kw_only=True):
    """A rule of the order, how many leads of the sample it kept away, and how many of them it alone did."""

    rule: str
    leads: int
    alone: int


class LossSampleShown(Struct, frozen=True, kw_only=True):
    """The leads of the day in the vertical, judged anew by the order as it was when they came: all, or a sample."""

    offered: int
    looked_at: int
    is_whole: bool
    outcomes: list[LossShown]
    winning_price: WinningShown
    missed: list[MissedShown]


class OrderLossesShown(Struct, frozen=True, kw_only=True):
    """Why an order lost: by day where it was tried, and on `day` by a sample of all that was offered."""

    order: str
    day: date
    days: list[LossDayShown]
    winning_price: WinningShown
    sample: LossSampleShown


class SuggestionFigure(Struct, frozen=True, kw_only=True):
    """A figure that a factor rests on: `…_minor` in the smallest units of the currency, `…_bp` in basis points."""

    name: str
    value: int


class FactorShown(Struct, frozen=True, kw_only=True):
    """One factor of a suggested price: by how much it changes the price, and what it rests on."""

    factor: Annotated[str, one_of(FACTORS)]
    effect: Amount
    says: str
    figures: list[SuggestionFigure]


class SuggestionShown(Struct, frozen=True, kw_only=True):
    """A suggested price: the factors add up to it before it is rounded up to a round price.

    `basis` is `market`, or `seeds` where `withheld` says why trade does not tell; then nobody knows what it wins.
    `win_rate` is the share of the leads offered, from 0 to 1, `own_win_rate` that of the price that was sent.
    """

    vertical: str
    region: str | None
    price: Amount | None
    basis: Annotated[str, one_of(("market", "seeds", "none"))]
    withheld: str | None
    win_rate: float | None
    leads_a_day: float | None
    own_win_rate: float | None
    factors: list[FactorShown]
