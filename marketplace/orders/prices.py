"""What an order pays for one lead: its base price, changed by what the lead is.

The rule, in this order: of the modifiers of each field the first that names the lead's value counts; the percentages of
all fields are added up and taken of the base price; the amounts are added; the sum is rounded once, half a minor unit
up; what is above the order's ceiling becomes that, and then what is below its floor or the vertical's minimum becomes
that. So neither the order of fields nor rounding in between can change a price.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from marketplace.orders.terms import OrderTerms

FIELDS = ("contact_class", "temperature", "region", "verified", "publisher.code", "source.code")
MIN_PERCENT, MAX_PERCENT = -90, 900

Price = Callable[[Mapping[str, Any]], int]


class Modifier(Struct, frozen=True):
    """More or less for leads of which `field` has one of these values: percent of the base price, or minor units."""

    field: str
    values: tuple[str | bool, ...]
    percent: int = 0
    amount_minor: int = 0


def price_for(terms: "OrderTerms", fields: Mapping[str, Any]) -> int:
    """Return what the order pays for a lead with these fields, in minor units."""
    return compile_price(terms)(fields)


def compile_price(terms: "OrderTerms") -> Price:
    """Prepare the rule for one order, to be asked of very many leads: a look-up for each field that it goes by."""
    base, least, most = terms.price_minor, _least(terms), terms.price_ceiling_minor
    if not terms.modifiers:
        return lambda _: base
    tables: dict[str, dict[Any, tuple[int, Modifier]]] = {}
    for turn, each in enumerate(terms.modifiers):
        table = tables.setdefault(each.field, {})
        for value in each.values:
            table.setdefault(_folded(value), (turn, each))
    of_fields = tuple(tables.items())

    def price(fields: Mapping[str, Any]) -> int:
        percent = amount = 0
        for field, table in of_fields:
            value = fields.get(field)
            if type(value) is str:
                found = table.get(value.casefold())
            elif isinstance(value, tuple):  # a region and all that hold it: the first modifier that names one of them
                found = min(filter(None, map(table.get, map(_folded, value))), default=None, key=_turn)
            else:
                found = table.get(value)
            if found is not None:
                percent += found[1].percent
                amount += found[1].amount_minor
        minor = (base * (100 + percent) * 2 + 100) // 200 + amount
        return max(min(minor, most) if most else minor, least)

    return price


def compile_steps(terms: "OrderTerms") -> Callable[[Mapping[str, Any]], tuple[int, ...]]:
    """Prepare the prices of an order with a ladder for one lead: at its own price, then at each step of the ladder.

    The place among the leads bought says the price, and the modifiers change that one.
    """
    prices = [compile_price(each) for each in _at_each_step(terms)]
    return lambda fields: tuple(price(fields) for price in prices)


def _at_each_step(terms: "OrderTerms") -> "list[OrderTerms]":
    steps = terms.ladder.steps if terms.ladder else ()
    return [terms, *(replace(terms, price_minor=minor, ladder=None) for _, minor in steps)]


def highest_price(terms: "OrderTerms") -> int:
    """Return a price that the order pays for no lead more than: the index ranks by it until it knows the lead."""
    if terms.ladder and terms.modifiers:
        return max(_highest(each) for each in _at_each_step(terms))
    return _highest(terms)


def _highest(terms: "OrderTerms") -> int:
    if not terms.modifiers:
        return terms.price_minor
    rises: dict[
        str, int
    ] = {}  # the best of each field, in hundredths of a minor unit, so that only their sum is rounded
    for each in terms.modifiers:
        rise = terms.price_minor * each.percent + 100 * each.amount_minor
        rises[each.field] = max(rise, rises.get(each.field, 0))
    highest = (terms.price_minor * 100 + sum(rises.values()) + 50) // 100
    return max(min(highest, terms.price_ceiling_minor or highest), _least(terms))


def _least(terms: "OrderTerms") -> int:
    return max(terms.price_floor_minor, terms.least_minor, 1)


def _folded(value: str | bool) -> str | bool:
    return value.casefold() if isinstance(value, str) else value


def _turn(found: tuple[int, Modifier]) -> int:
    return found[0]
