"""What a buyer allows all of his orders together: the body he sends, what is wrong with it, what it warns of."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import UNSET, Struct, UnsetType

from core.errors import Fault
from core.money import Money, is_currency
from marketplace.orders.periods import PERIODS, is_zone
from marketplace.orders.price_checks import money_faults
from marketplace.orders.terms import BudgetBody, CapsBody, Count, limits_in

MAX_CAP = 1_000_000_000
_LONGER = {period: PERIODS[place + 1 :] for place, period in enumerate(PERIODS)}


class BuyerCapsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The most leads per period over all orders; what is left out or null is unlimited."""

    hour: Count | None | UnsetType = UNSET
    day: Count | None | UnsetType = UNSET
    week: Count | None | UnsetType = UNSET
    month: Count | None | UnsetType = UNSET
    total: Count | None | UnsetType = UNSET


class BuyerLimitsBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits of a buyer over all of his orders, all of them at once: what is left out is lifted.

    The periods begin by the clock of `timezone`. Budgets are of one currency and count what is bought in it.
    """

    timezone: str = "UTC"
    caps: BuyerCapsBody | None = None
    budget: BudgetBody | None = None


def buyer_limit_faults(body: BuyerLimitsBody) -> Iterator[Fault]:
    """Name everything that is wrong with the limits: a shorter period's that is above a longer one's, too."""
    if not is_zone(body.timezone):
        message = f"{body.timezone!r:.60} is no zone of the IANA database; use a name such as Europe/Paris."
        yield Fault("timezone", "unknown_timezone", message)
    caps = caps_in(body)
    for period, cap in caps.items():
        if not 1 <= cap <= MAX_CAP:
            says = "A cap is 1 or more; leave it out for no cap, or pause the orders to buy nothing."
            yield Fault(f"caps.{period}", "out_of_range", says)
    yield from _contradictions(caps, lambda period: f"caps.{period}", str)
    yield from _budget_faults(body)


def caps_in(body: BuyerLimitsBody) -> dict[str, int]:
    """Return the caps that a body sets, by period."""
    said = limits_in(CapsBody(**{period: getattr(body.caps, period) for period in PERIODS})) if body.caps else {}
    return dict(said)


def currency_in(body: BuyerLimitsBody) -> str | None:
    """Return the currency of the budgets, None without any."""
    return next((money.currency for money in limits_in(body.budget).values()), None)


def budgets_in(body: BuyerLimitsBody) -> dict[str, int]:
    """Return the budgets of a body without faults in minor units, by period."""
    return {period: Money.parse(one.amount, one.currency).minor for period, one in limits_in(body.budget).items()}


def warnings_of(budgets: Mapping[str, int], currency: str | None, least_minor: int | None) -> Iterator[Fault]:
    """Name each budget within which no active order of its currency buys; the cheapest one pays `least_minor`."""
    for period, minor in budgets.items():
        if currency and least_minor is not None and minor < least_minor:
            least = Money(least_minor, currency)
            says = f"No active order buys within it: the least price of one is {least} {currency}."
            yield Fault(f"budget.{period}", "budget_below_price", says)


def _budget_faults(body: BuyerLimitsBody) -> Iterator[Fault]:
    currency = currency_in(body) or ""
    faults = [
        fault for period, money in limits_in(body.budget).items()
        for fault in money_faults(f"budget.{period}", money, currency if is_currency(currency) else money.currency)
    ]  # fmt: skip
    if faults:
        yield from faults
    elif currency:
        yield from _contradictions(
            budgets_in(body),
            lambda period: f"budget.{period}.amount",
            lambda minor: f"{Money(minor, currency)} {currency}",
        )


def _contradictions(
    limits: Mapping[str, int], named: Callable[[str], str], shown: Callable[[int], str]
) -> Iterator[Fault]:
    for period, limit in limits.items():
        longer = [(limits[other], other) for other in _LONGER[period] if other in limits]
        least = min(longer, default=None)
        if least is not None and limit > least[0]:
            says = f"Stay at {shown(least[0])} or below, the limit of the {least[1]}: this one would never count."
            yield Fault(named(period), "contradicts", says.replace("of the total", "in total"))
