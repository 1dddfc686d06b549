"""Sales by further offers in a run: the record's, made in both courses unless the supposed one has no place for them.

Who would buy an old lead otherwise is not modelled: which order bought, when and at which price is as it happened.
"""

from collections import Counter
from typing import Any
from uuid import UUID

from marketplace.orders.terms import OrderTerms
from marketplace.what_if.happened import LeadCame
from marketplace.what_if.sides import Sold, Trail
from marketplace.what_if.world import World

SOLD_ALREADY, NOBODY_HAS_IT, HAS_IT = "sold_already", "nobody_has_it", "has_it"


class FurtherSales:
    """What became of the record's further sales: how many there were, why some were not made, how many might differ."""

    def __init__(self) -> None:
        self._happened = self._supposed = self._as_changed = 0
        self._left_out: Counter[str] = Counter()
        self._then: dict[tuple[UUID, UUID], tuple[str | None, OrderTerms | None]] = {}

    def happens(self, world: World, trail: Trail, sold: Sold) -> bool:
        """Make a further sale as it was made, and remember what the model says of it as it was then."""
        self._happened += 1
        self._then[trail.lead.id, sold.buyer_id] = (_word(world, trail, sold), _terms(world, trail, sold))
        return True

    def is_supposed(self, world: World, trail: Trail, sold: Sold) -> bool:
        """Tell whether a further sale is supposed: its lead stands as it did, and its order can buy it."""
        word, terms = self._then.pop((trail.lead.id, sold.buyer_id))
        why = _stands_otherwise(trail, sold)
        if why is None and (now := _word(world, trail, sold)) != word:
            why = now
        if why is not None:
            self._left_out[why] += 1
            return False
        self._supposed += 1
        self._as_changed += _terms(world, trail, sold) != terms
        return True

    def leave_out(self, lead: LeadCame, why: str) -> None:
        """Suppose none of a lead's further sales."""
        self._left_out[why] += sum(one.resale is not None for one in lead.sales)

    def told(self) -> dict[str, Any]:
        """Return the figures; `of_changed_orders` are as they were, though their orders would have said otherwise."""
        left_out = {why: count for why, count in sorted(self._left_out.items()) if count}
        return {"happened": self._happened, "what_if": self._supposed, "left_out": left_out,
                "of_changed_orders": self._as_changed}  # fmt: skip


def _word(world: World, trail: Trail, sold: Sold) -> str | None:
    return world.keeps_from_further(trail.lead, trail.terms, sold.order_id, sold.price_minor, sold.at)


def _terms(world: World, trail: Trail, sold: Sold) -> OrderTerms | None:
    return world.terms_of(trail.lead.vertical_id, sold.order_id)


def _stands_otherwise(trail: Trail, sold: Sold) -> str | None:
    """Say what is otherwise with a lead than when it was offered again, if anything."""
    if any(one.buyer_id == sold.buyer_id for one in trail.sales):
        return HAS_IT
    of_others = [one for one in trail.kept if one.resale is None or one.at != sold.at]
    if sold.resale == 0:
        return SOLD_ALREADY if of_others else None
    return None if of_others else NOBODY_HAS_IT
