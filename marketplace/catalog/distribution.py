"""How a vertical distributes its leads: who is considered first, one buyer against several, margins, least prices."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from core.errors import Fault
from core.money import Money
from core.schemas import AmountText
from marketplace.catalog.regions import is_region

Rule = Literal["best_price", "priority", "round_robin", "weighted", "tiers"]
Contest = Literal["total_value", "first", "exclusive", "shared"]
ContactClass = Literal["quick", "registration", "promotional", "interested"]
RULES, CONTESTS, CLASSES = get_args(Rule), get_args(Contest), get_args(ContactClass)
FALLS_BACK = ("exclusive", "shared")  # the contests that may fall back on the other way to sell


class Distribution(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How candidates rank, and what decides between one buyer alone and several who share.

    `total_value` compares what either pays in all, `first` goes by who ranks first; `exclusive` and `shared` prefer one
    of the two, and fall back on the other unless `fall_back` is false.
    """

    rule: Rule = "best_price"
    contest: Contest = "total_value"
    fall_back: bool = True

    @property
    def way(self) -> str:
        """Return the contest as the sale goes by it: one that never falls back ends in `_only`."""
        return self.contest if self.fall_back else f"{self.contest}_only"


class MarginBand(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """What the platform keeps of a price at or above `from`: a share of it, or an amount."""

    from_: AmountText
    bp: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    amount: AmountText | None = None


class LeastPrice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The least that is paid for a lead of a region, of a contact class, or of both."""

    amount: AmountText
    region: str | None = None
    contact_class: ContactClass | None = None


def distribution_faults(distribution: Distribution) -> Iterator[Fault]:
    """Name what contradicts itself in how a vertical chooses."""
    if not distribution.fall_back and distribution.contest not in FALLS_BACK:
        says = f"Only {' and '.join(FALLS_BACK)} can fall back: leave it true, or choose one of them."
        yield Fault("distribution.fall_back", "not_for_contest", says)


def margin_faults(bands: Sequence[MarginBand], currency: str, least: Money) -> Iterator[Fault]:
    """Name bands that are out of order, that say two things or nothing, or that leave the publisher nothing."""
    below = -1
    for place, band in enumerate(bands):
        at = f"margin.{place}"
        starts, amount = _minor(band.from_, currency), _minor(band.amount or "0", currency)
        if starts is None or amount is None:
            yield Fault(
                f"{at}.{'from' if starts is None else 'amount'}", "bad_amount", f"Send an amount in {currency}."
            )
            continue
        if starts <= below or (place == 0 and starts != 0):
            yield Fault(f"{at}.from", "out_of_order", "Begin the first band at 0, and each other above the one before.")
        if (band.bp is None) == (band.amount is None):
            yield Fault(at, "one_of_two", "Say either bp or amount.")
        elif amount >= max(starts, least.minor) or band.bp == 10_000:
            says = "Keep less than the lowest price of the band: the publisher would get nothing."
            yield Fault(f"{at}.{'bp' if band.amount is None else 'amount'}", "margin_eats_price", says)
        below = starts


def least_price_faults(prices: Sequence[LeastPrice], currency: str, least: Money) -> Iterator[Fault]:
    """Name least prices of nothing in particular, of a place that is none, said twice, or not above the vertical's."""
    said = set()
    for place, one in enumerate(prices):
        at = f"min_prices.{place}"
        minor = _minor(one.amount, currency)
        if minor is None or minor <= least.minor:
            says = f"Send an amount above {least} {currency}, the minimum price that holds anyway."
            yield Fault(f"{at}.amount", "bad_amount" if minor is None else "not_above_minimum", says)
        if one.region is None and one.contact_class is None:
            yield Fault(at, "one_of_two", "Say the region, the contact class, or both.")
        if one.region is not None and not is_region(one.region):
            yield Fault(f"{at}.region", "unknown_region", "Send an ISO 3166 code, such as FR or FR-IDF.")
        if (one.region, one.contact_class) in said:
            yield Fault(at, "said_twice", "This region and class has a least price above already.")
        said.add((one.region, one.contact_class))


def bands_of(bands: Sequence[MarginBand], currency: str) -> list[int | None] | None:
    """Return sound bands as the sale takes them, three values each: from, basis points, minor units; None for none."""
    if not bands:
        return None
    rows = (
        (_minor(one.from_, currency), one.bp, None if one.amount is None else _minor(one.amount, currency))
        for one in bands
    )
    return [value for row in rows for value in row]


def least_minor_of(
    prices: Sequence[LeastPrice], currency: str, regions: tuple[str, ...], contact_class: str
) -> int:  # fmt: skip
    """Return the least price of a lead, whose regions hold one another: the highest one that applies, 0 for none."""
    fitting = (
        one for one in prices
        if (one.region is None or one.region in regions) and one.contact_class in (None, contact_class)
    )  # fmt: skip
    return max((Money.parse(one.amount, currency).minor for one in fitting), default=0)


def _minor(text: str, currency: str) -> int | None:
    try:
        minor = Money.parse(text, currency).minor
    except ValueError:
        return None
    return minor if minor >= 0 else None
