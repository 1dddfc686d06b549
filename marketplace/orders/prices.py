"""What an order pays for one lead: its base price, changed by what the lead is.

The rule, in this order: of the modifiers of each field the first that names the lead's value counts; the percentages of
all fields are added up and taken of the base price; the amounts are added; the sum is rounded once, half a minor unit
up; what is above the order's ceiling becomes that, and then what is below its floor or the vertical's minimum becomes
that. So neither the order of fields nor rounding in between can change a price.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from marketplace.orders.filters import key_of, values_in

if TYPE_CHECKING:
    from marketplace.orders.terms import OrderTerms

FIELDS = ("contact_class", "temperature", "region", "verified", "publisher.code", "source.code")
MIN_PERCENT, MAX_PERCENT = -90, 900


class Modifier(Struct, frozen=True):
    """More or less for leads of which `field` has one of these values: percent of the base price, or minor units."""

    field: str
    values: tuple[str | bool, ...]
    percent: int = 0
    amount_minor: int = 0

    def meets(self, fields: Mapping[str, Any]) -> bool:
        """Tell whether a lead has one of the values."""
        found = {key_of(value) for value in values_in(fields.get(self.field))}
        return any(key_of(value) in found for value in self.values)


def price_for(terms: "OrderTerms", fields: Mapping[str, Any]) -> int:
    """Return what the order pays for a lead with these fields, in minor units."""
    if not terms.modifiers:
        return terms.price_minor
    return _within(terms, _changed(terms, counting(terms, fields)))


def counting(terms: "OrderTerms", fields: Mapping[str, Any]) -> list[Modifier]:
    """Return the modifiers that count for a lead: of each field the first that meets it."""
    first: dict[str, Modifier] = {}
    for each in terms.modifiers:
        if each.field not in first and each.meets(fields):
            first[each.field] = each
    return list(first.values())


def highest_price(terms: "OrderTerms") -> int:
    """Return a price that the order pays for no lead more than: the index ranks by it until it knows the lead."""
    if not terms.modifiers:
        return terms.price_minor
    best: dict[str, Modifier] = {}
    for each in terms.modifiers:
        gain = _changed(terms, [each]) - terms.price_minor
        if gain > 0 and (each.field not in best or gain > _changed(terms, [best[each.field]]) - terms.price_minor):
            best[each.field] = each
    return _within(terms, _changed(terms, best.values()) + len(best))  # each may have been rounded down


def _changed(terms: "OrderTerms", modifiers: Iterable[Modifier]) -> int:
    percent = amount = 0
    for each in modifiers:
        percent, amount = percent + each.percent, amount + each.amount_minor
    return (terms.price_minor * (100 + percent) * 2 + 100) // 200 + amount


def _within(terms: "OrderTerms", minor: int) -> int:
    least = max(terms.price_floor_minor, terms.least_minor, 1)
    return max(min(minor, terms.price_ceiling_minor or minor), least)
