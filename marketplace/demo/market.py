"""The sample market as typed data: its size, publishers and buyers, read from one file and checked as a whole."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from msgspec import Meta, Struct

from core.errors import Fault, Invalid, Malformed
from core.schemas import AmountText, convert
from marketplace.catalog.regions import is_region

MARKET_FILE = Path(__file__).parent / "market.yaml"

TrueLabel = Literal["good", "mistyped", "bot", "hired", "duplicate", "prank", "competitor", "off_criteria",
                    "weak_consent"]  # fmt: skip
LABELS: tuple[TrueLabel, ...] = get_args(TrueLabel)
PSEUDO = tuple(label for label in LABELS if label not in ("good", "off_criteria"))  # one wrong criterion is no fake
NOT_REFUSED = ("good", "off_criteria")  # no check refuses them: one is fine, the other finds no buyer

BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Weights = Annotated[dict[str, Annotated[int, Meta(ge=1, le=1000)]], Meta(min_length=1)]
Rates = dict[TrueLabel, BasisPoints]
Clock = Annotated[str, Meta(pattern=r"^\d\d:\d\d$(?!\n)", description="a time such as 11:00")]
Pair = Annotated[tuple[AmountText, ...], Meta(min_length=2, max_length=2)]


class _Shape(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all parts of the file have in common: no field that nobody knows."""


class Size(_Shape, frozen=True):
    """How large the market is and how fast its business clock runs."""

    weekday_leads: Count
    weekend_bp: BasisPoints
    backfill_days: Count
    clock_rate: Count
    seed: Count


class Turn(_Shape, frozen=True):
    """A publisher that changes after so many days, to these rates."""

    after_days: Count
    rates_bp: Rates


class BotSub(_Shape, frozen=True):
    """The sub id that most of a publisher's robots come from."""

    name: str
    share_bp: BasisPoints


class Publisher(_Shape, frozen=True):
    """Who sends leads: how many, of what, from where, and which share of them is none."""

    name: str
    slug: str
    says: str
    leads_a_weekday: Count
    revenue_per_sold: AmountText
    rates_bp: Rates
    refused_bp: BasisPoints
    bad_among_sold_bp: BasisPoints
    zone: str
    regions: Weights
    verticals: Weights
    channels: Weights
    classes: Weights | None = None
    interests: Weights | None = None
    subs: Count = 1
    bot_sub: BotSub | None = None
    turns: Turn | None = None

    def rates_on(self, day: int) -> Mapping[TrueLabel, int]:
        """Return the rates of the market's day, counted from 0."""
        if self.turns and day >= self.turns.after_days:
            return {**self.rates_bp, **self.turns.rates_bp}
        return self.rates_bp


class SampleOrder(_Shape, frozen=True):
    """What a buyer wants to buy; a price from low to high, or a share of the sale; fresh leads, or aged ones alone."""

    verticals: tuple[str, ...]
    regions: tuple[str, ...]
    share: Annotated[int, Meta(ge=1, le=5)]
    model: Literal["cpl", "cpa", "cps"] = "cpl"
    action: str | None = None
    price: Pair | None = None
    rate_bp: BasisPoints | None = None
    day_leads: Count | None = None
    day_budget: AmountText | None = None
    delivery: Literal["none", "webhook", "sync", "email", "ping"] = "none"
    verified_only: bool = False
    temperatures: tuple[str, ...] = ()
    aged_days: tuple[Count, Count] | None = None


class Behaviour(_Shape, frozen=True):
    """How a buyer treats what it bought; what is left out is ordinary."""

    first_contact_minutes: Count = 12
    disputes_bp: BasisPoints = 750
    right_bp: BasisPoints = 5800
    reports_bp: BasisPoints = 6000
    refuses_known_bp: BasisPoints = 0
    timeouts_bp: BasisPoints = 0
    answer_milliseconds: Count = 200
    above_market_bp: BasisPoints = 0
    reverses_bp: BasisPoints = 0
    filled_bp: BasisPoints = 10_000
    chargebacks: Count = 0
    net_days: Count = 0
    cycle_days: Count = 0
    out_of_funds_hour: Count | None = None
    low_wallet: AmountText | None = None
    errors_from: Clock | None = None
    errors_to: Clock | None = None


class Buyer(_Shape, frozen=True):
    """Who buys: its orders and how it behaves."""

    name: str
    says: str
    orders: tuple[SampleOrder, ...]
    behaviour: Behaviour = Behaviour()
    currency: str = "EUR"


class Warmth(_Shape, frozen=True):
    """How many leads are of a temperature, and how many of those buy."""

    share_bp: BasisPoints
    buy_bp: BasisPoints


class Totals(_Shape, frozen=True):
    """What the demonstration must show, within the tolerance."""

    tolerance_bp: BasisPoints
    pseudo_bp: BasisPoints
    refused_bp: BasisPoints
    sold_bp: BasisPoints
    bad_among_sold_bp: BasisPoints
    turnover_weekday: AmountText
    turnover_month: AmountText
    sales_weekday: Count
    disputes_weekday: Count
    machine_decided_bp: BasisPoints
    upheld_bp: BasisPoints


class Clicks(_Shape, frozen=True):
    """The affiliates' clicks."""

    day: Count
    robots_bp: BasisPoints
    duplicate_bp: BasisPoints
    games_registration_bp: BasisPoints
    shop_sale_bp: BasisPoints
    earnings_per_click: Pair


class SampleMarket(_Shape, frozen=True):
    """The whole file."""

    size: Size
    hours: Annotated[tuple[Annotated[int, Meta(ge=0, le=1000)], ...], Meta(min_length=24, max_length=24)]
    caught_bp: Rates
    unsold_bp: BasisPoints
    classes: Weights
    interests: Weights
    temperatures: dict[str, Warmth]
    off_regions: Annotated[tuple[str, ...], Meta(min_length=1)]
    totals: Totals
    disputes: Weights
    clicks: Clicks
    publishers: Annotated[tuple[Publisher, ...], Meta(min_length=1)]
    buyers: tuple[Buyer, ...]

    def publisher(self, slug: str) -> Publisher:
        """Return a publisher by its slug; KeyError when there is none."""
        for publisher in self.publishers:
            if publisher.slug == slug:
                return publisher
        raise KeyError(slug)


@cache
def sample_market() -> SampleMarket:
    """Read the market that comes with the program, once."""
    return read_market(MARKET_FILE.read_text(encoding="utf-8"))


def read_market(text: str) -> SampleMarket:
    """Read a market from YAML; Invalid `invalid_market` names every fault."""
    try:
        market = convert(yaml.safe_load(text), SampleMarket)
    except Malformed as error:
        raise Invalid("invalid_market", "The sample market has faults.", error.faults) from None
    if faults := list(_faults(market)):
        raise Invalid("invalid_market", "The sample market has faults.", faults)
    return market


def refused_share(market: SampleMarket, rates: Mapping[TrueLabel, int]) -> float:
    """Return which share of leads is refused before the sale when as much is caught as the market says."""
    return sum(rate * market.caught_bp.get(label, 0) for label, rate in rates.items()) / 10_000**2


def bad_share(market: SampleMarket, rates: Mapping[TrueLabel, int]) -> float:
    """Return which share of what is not refused is no lead; what is off criteria finds no buyer and does not count."""
    missed = sum(
        rate * (10_000 - market.caught_bp.get(label, 0)) for label, rate in rates.items() if label not in NOT_REFUSED
    )
    return missed / 10_000**2 / (1 - refused_share(market, rates))


def _faults(market: SampleMarket) -> Iterator[Fault]:
    for place, publisher in enumerate(market.publishers):
        path = f"publishers.{place}"
        for days in (0, 10**6):
            if sum(publisher.rates_on(days).values()) > 10_000:
                yield Fault(f"{path}.rates_bp", "out_of_range", "Send rates that sum to at most 10000.")
        for region in publisher.regions:
            if not is_region(region):
                yield Fault(f"{path}.regions.{region}", "unknown_region", "Send an ISO 3166 code, such as FR-IDF.")
        try:
            ZoneInfo(publisher.zone)
        except (ZoneInfoNotFoundError, ValueError):
            yield Fault(f"{path}.zone", "unknown_timezone", "Send an IANA zone, such as Europe/Paris.")
    if sum(each.leads_a_weekday for each in market.publishers) != market.size.weekday_leads:
        yield Fault("size.weekday_leads", "out_of_range", "Send the sum of what the publishers send a weekday.")
