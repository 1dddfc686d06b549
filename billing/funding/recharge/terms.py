"""What an owner may want of an automatic top-up: amounts read, all faults told at once. Pure."""

from dataclasses import dataclass

from billing.funding.recharge.deciding import LEAST_MINOR, Terms
from core.errors import Fault
from core.money import Money, is_currency

Minors = dict[str, int | None]
FIELDS = ("threshold", "amount", "target", "daily_limit")


@dataclass(frozen=True, slots=True)
class Typed:
    """An amount as it was sent: its decimal text and its currency."""

    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; an amount that is missing is the wallet's own pace."""

    is_on: bool
    threshold: Typed | None
    amount: Typed | None
    target: Typed | None
    daily_limit: Typed | None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one top-up and one day may be at most; `newcomer_minor` is what a new card may pay a day."""

    most_minor: int
    newcomer_minor: int | None = None


def read_terms(wish: Wish, currency: str, limits: Limits) -> tuple[Terms | None, list[Fault]]:
    """Return the terms, or None and everything that is wrong with them."""
    faults: list[Fault] = []
    minor = {name: _read(name, getattr(wish, name), currency, faults) for name in FIELDS}
    if wish.daily_limit is None:
        faults.append(Fault("daily_limit", "required", "Say how much may be charged a day."))
    if wish.amount is not None and wish.target is not None:
        faults.append(Fault("target", "one_of_two", "Give an amount or a target, not both."))
    faults += [fault for check in (_bounds, _order) for fault in check(minor, currency, limits)]
    if faults:
        return None, faults
    return Terms(wish.is_on, minor["threshold"], minor["amount"], minor["target"], minor["daily_limit"] or 0), []


def _read(name: str, typed: Typed | None, currency: str, faults: list[Fault]) -> int | None:
    if typed is None:
        return None
    if typed.currency != currency or not is_currency(typed.currency):
        faults.append(Fault(f"{name}.currency", "other_currency", f"Send the wallet's currency, {currency}."))
        return None
    try:
        minor = Money.parse(typed.amount, currency).minor
    except ValueError:
        faults.append(Fault(f"{name}.amount", "too_many_decimals", "Send an amount in whole cents, such as 100.50."))
        return None
    if minor <= 0:
        faults.append(Fault(f"{name}.amount", "amount_out_of_range", "Send more than 0."))
        return None
    return minor


def _bounds(minor: Minors, currency: str, limits: Limits) -> list[Fault]:
    faults = []
    for name, least in (
        ("threshold", 1),
        ("amount", LEAST_MINOR),
        ("target", LEAST_MINOR + 1),  # a threshold is at least a cent, and the target so much above
        ("daily_limit", LEAST_MINOR),
    ):
        value = minor[name]
        if value is not None and not least <= value <= limits.most_minor:
            says = f"Send from {Money(least, currency)} to {Money(limits.most_minor, currency)}."
            faults.append(Fault(f"{name}.amount", "amount_out_of_range", says))
        elif (value is not None and name in ("amount", "daily_limit") and limits.newcomer_minor is not None
              and value > limits.newcomer_minor):  # fmt: skip
            says = f"A new card may pay {Money(limits.newcomer_minor, currency)} {currency} a day."
            faults.append(Fault(f"{name}.amount", "new_card_limit", says))
    return faults


def _order(minor: Minors, currency: str, _: Limits) -> list[Fault]:
    faults = []
    threshold, amount, target, most = (minor[name] for name in FIELDS)
    if threshold is not None and target is not None and target < threshold + LEAST_MINOR:
        says = f"Send a target at least {Money(LEAST_MINOR, currency)} above the threshold."
        faults.append(Fault("target.amount", "target_not_above", says))
    if amount is not None and most is not None and amount > most:
        faults.append(Fault("daily_limit.amount", "below_amount", "Send a daily limit that one top-up fits into."))
    return faults
