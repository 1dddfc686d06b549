"""What an order may say of its price: a minimum, bounds of its own, and modifiers that name values there are."""

from collections.abc import Callable, Iterator

from core.errors import Fault
from core.money import Money, is_currency
from marketplace.orders.prices import FIELDS, MAX_PERCENT, MIN_PERCENT
from marketplace.orders.said import ModifierBody, MoneyBody

MAX_MODIFIERS, MAX_MODIFIER_VALUES, MAX_CODE = 50, 200, 40


def money_faults(field: str, money: MoneyBody, currency: str, *, signed: bool = False) -> Iterator[Fault]:
    """Name what is wrong with an amount of the vertical's currency; only a signed one may be less than zero."""
    if not is_currency(money.currency):
        message = f"{money.currency!r} is not a currency traded here; use {currency}."
        yield Fault(f"{field}.currency", "unknown_currency", message)
        return
    if money.currency != currency:
        message = f"This vertical trades in {currency}; name the amount in {currency}."
        yield Fault(f"{field}.currency", "wrong_currency", message)
    try:
        amount = Money.parse(money.amount, money.currency)
    except ValueError as error:
        message = f'Write the amount as a decimal string such as "{Money(2000, money.currency)}": {error}.'
        yield Fault(f"{field}.amount", "invalid_amount", message)
        return
    if amount.minor == 0 or (amount.minor < 0 and not signed):
        says = "The amount must not be zero." if signed else "The amount must be more than zero."
        yield Fault(f"{field}.amount", "not_positive", says)


def price_faults(field: str, price: MoneyBody, currency: str, min_price_minor: int) -> Iterator[Fault]:
    """Name what is wrong with a price, that it is below the minimum too."""
    faults = list(money_faults(field, price, currency))
    yield from faults
    if not faults and Money.parse(price.amount, currency).minor < min_price_minor:
        least = Money(min_price_minor, currency)
        message = f"Bid at least {least} {currency}, the minimum price of this vertical."
        yield Fault(f"{field}.amount", "below_minimum_price", message)


def bound_faults(price: MoneyBody | None, floor: MoneyBody | None, ceiling: MoneyBody | None, currency: str,
                 min_price_minor: int) -> Iterator[Fault]:  # fmt: skip
    """Name what is wrong with the bounds of a modified price: the price itself lies within them."""
    faults: list[Fault] = []
    if floor is not None:
        faults += money_faults("price_floor", floor, currency)
    if ceiling is not None:
        faults += price_faults("price_ceiling", ceiling, currency, min_price_minor)
    yield from faults
    if faults or price is None or any(money_faults("price", price, currency)):
        return
    base = Money.parse(price.amount, currency).minor
    if floor is not None and Money.parse(floor.amount, currency).minor > base:
        yield Fault("price_floor.amount", "bounds_reversed", "Let the floor be the price or less.")
    if ceiling is not None and Money.parse(ceiling.amount, currency).minor < base:
        yield Fault("price_ceiling.amount", "bounds_reversed", "Let the ceiling be the price or more.")


def modifier_faults(
    modifiers: list[ModifierBody], currency: str, known: dict[str, Callable[[str], bool]]
) -> Iterator[Fault]:
    """Name what is wrong with the modifiers; `known` tells for a field whether a text is one of its values."""
    if len(modifiers) > MAX_MODIFIERS:
        yield Fault("modifiers", "too_many", f"Use at most {MAX_MODIFIERS} modifiers.")
        return
    for place, each in enumerate(modifiers):
        yield from _one_faults(f"modifiers.{place}", each, currency, known)


def _one_faults(
    field: str, each: ModifierBody, currency: str, known: dict[str, Callable[[str], bool]]
) -> Iterator[Fault]:
    if each.field not in FIELDS:
        message = f"A price cannot go by {each.field!r}; use one of {', '.join(FIELDS)}."
        yield Fault(f"{field}.field", "unknown_value", message)
    elif not 1 <= len(each.values) <= MAX_MODIFIER_VALUES:
        yield Fault(f"{field}.values", "invalid_value", f"Name 1 to {MAX_MODIFIER_VALUES} values.")
    else:
        yield from _value_faults(field, each, known)
    if (each.percent is None) == (each.amount is None):
        yield Fault(f"{field}.percent", "one_of_two", "Say either percent or amount.")
    elif each.amount is not None:
        yield from money_faults(f"{field}.amount", each.amount, currency, signed=True)
    elif not MIN_PERCENT <= (each.percent or 0) <= MAX_PERCENT or each.percent == 0:
        message = f"Write whole percent from {MIN_PERCENT} to {MAX_PERCENT}, not 0."
        yield Fault(f"{field}.percent", "out_of_range", message)


def _value_faults(field: str, each: ModifierBody, known: dict[str, Callable[[str], bool]]) -> Iterator[Fault]:
    for place, value in enumerate(each.values):
        if each.field == "verified":
            good = isinstance(value, bool)
        else:
            good = isinstance(value, str) and 0 < len(value) <= MAX_CODE and known.get(each.field, bool)(value)
        if not good:
            message = f"{str(value)[:60]!r} is no value of {each.field}; write one that leads can have."
            yield Fault(f"{field}.values.{place}", "unknown_value", message)
