"""What leads, actions and sales of a vertical usually cost and come to: seeds until trade shows its own figures."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from core.errors import Fault
from core.money import Money
from core.schemas import AmountText

Corridor = Annotated[tuple[AmountText, ...], Meta(min_length=2, max_length=2)]
"""The low and the high end, in the vertical's currency."""

BasisPoints = Annotated[int, Meta(ge=0, le=10_000)]
Action = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$(?!\n)", description="small letters, digits, underscores")]


class LeadPrices(Struct, frozen=True, forbid_unknown_fields=True):
    """The price of a lead that some buyers share, and of one that a single buyer gets."""

    shared: Corridor
    exclusive: Corridor


class SaleRates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which share of a sale's amount is paid, and how much more for a new customer."""

    low_bp: BasisPoints
    high_bp: BasisPoints
    new_customer_bp: BasisPoints = 0


class Prices(Struct, frozen=True, forbid_unknown_fields=True):
    """Usual prices by model: per lead, per action by the action's name, and per sale; none where it is not usual."""

    cpl: LeadPrices | None = None
    cpa: dict[Action, Corridor] = {}
    cps: SaleRates | None = None


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of leads ends in a sale, from low to high, and what such a sale leaves the buyer."""

    sale_bp: Annotated[tuple[BasisPoints, ...], Meta(min_length=2, max_length=2)]
    margin: AmountText | None = None


def price_faults(prices: Prices, currency: str) -> Iterator[Fault]:
    """Name corridors whose amounts the currency cannot hold, or that end below their beginning."""
    corridors = {f"prices.cpa.{action}": corridor for action, corridor in prices.cpa.items()}
    if prices.cpl:
        corridors |= {"prices.cpl.shared": prices.cpl.shared, "prices.cpl.exclusive": prices.cpl.exclusive}
    for place, corridor in corridors.items():
        yield from _corridor_faults(place, corridor, currency)
    if prices.cps and prices.cps.low_bp > prices.cps.high_bp:
        yield Fault("prices.cps.high_bp", "bounds_reversed", "Send a high end that is not below the low one.")


def outcome_faults(outcome: Outcome, currency: str) -> Iterator[Fault]:
    """Name what is wrong with an outcome."""
    if outcome.sale_bp[0] > outcome.sale_bp[1]:
        yield Fault("outcome.sale_bp", "bounds_reversed", "Send the lower share first.")
    if outcome.margin is not None:
        yield from _amount_faults("outcome.margin", outcome.margin, currency)


def corridor_minor(corridor: Corridor, currency: str) -> tuple[int, int]:
    """Return a sound corridor in minor units."""
    low, high = corridor
    return Money.parse(low, currency).minor, Money.parse(high, currency).minor


def _corridor_faults(place: str, corridor: Corridor, currency: str) -> Iterator[Fault]:
    faults = [fault for end, text in enumerate(corridor) for fault in _amount_faults(f"{place}.{end}", text, currency)]
    yield from faults
    if not faults:
        low, high = corridor_minor(corridor, currency)
        if low > high:
            yield Fault(place, "bounds_reversed", "Send the low end first.")


def _amount_faults(place: str, text: str, currency: str) -> Iterator[Fault]:
    try:
        minor = Money.parse(text, currency).minor
    except ValueError as error:
        yield Fault(place, "bad_amount", f"Send an amount in {currency}: {error}.")
    else:
        if minor < 0:
            yield Fault(place, "negative", "Send an amount of 0 or more.")
