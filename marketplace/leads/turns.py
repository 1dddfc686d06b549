"""Whose turn it is among very many orders, as a process last knew it: a page of them, and who nobody else comes before.

By a rule other than the price only the counters of orders know how they rank. But an order's turn only ever moves back,
as it buys: what was read once stays true as "not before". So the first by what is known are offered, together with the
place of the first who is not, and the sale in the database, which reads the counters of those few, goes no further than
that place. Who is found is who would be found among all (only a sale that is taken out again moves an order forward).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec

from marketplace.leads.auction import PRIORITY, TIERS, WEIGHTED
from marketplace.leads.pages import Listed

LAST = 2**63 - 1  # for whom the operator has said no priority, or no target share
_NEVER = datetime.min.replace(tzinfo=UTC)

Counted = tuple[UUID, datetime | None, int]
"""An order, when it last bought, and how many leads count against its target share."""


class Turns:
    """What one process knows of the turns of some orders by a rule; threads may share it.

    Orders are kept by whole numbers, which are found much faster than ids.
    """

    def __init__(self, rule: str, orders: Iterable[Listed] = (), counted: Iterable[Counted] = ()) -> None:
        self._rule = rule
        self._orders = tuple(orders)
        self._known: dict[int, tuple[datetime, int]] = {}
        self._places: dict[int, int] | None = None  # each order's place, the price left aside; None: to be worked out
        self.learn(counted)

    def learn(self, counted: Iterable[Counted]) -> None:
        """Take what the counters of some orders say now."""
        self._known.update((order.int, (sold or _NEVER, received)) for order, sold, received in counted)
        self._places = None

    def first(self, found: Sequence[Listed], most: int) -> tuple[list[Listed], str | None]:
        """Return so many of these orders who come first, and the bound as the sale takes it; they stand by price.

        All of them and no bound when there are no more; else one is known of whom the others do not come before.
        """
        if len(found) <= most:
            return list(found), None
        turns = self._turns_of(found)
        order = sorted(range(len(found)), key=turns.__getitem__)
        taken, bound = set(order[:most]), found[order[most]]
        left = {
            word: next((one.price_minor for place, one in enumerate(found)
                        if one.terms.exclusive is way and place not in taken), 0)
            for word, way in (("alone", True), ("shared", False))
        }  # fmt: skip
        return [found[place] for place in order[:most]], msgspec.json.encode({"key": self._key(bound), **left}).decode()

    def _turns_of(self, found: Sequence[Listed]) -> list[Any]:
        places = self._places or self._sort()
        if self._rule == TIERS:
            return [(one.terms.priority or LAST, -one.price_minor, places[one.order_id.int]) for one in found]
        return [places[one.order_id.int] for one in found]

    def _sort(self) -> dict[int, int]:
        turns = sorted((*self._rank(one), one.order_id.int) for one in self._orders)
        self._places = places = {order: place for place, (*_, order) in enumerate(turns)}
        return places

    def _rank(self, one: Listed) -> tuple[Fraction | int, datetime]:
        sold, received = self._known.get(one.order_id.int, (_NEVER, 0))
        if self._rule in (PRIORITY, TIERS):
            return one.terms.priority or LAST, sold
        if self._rule == WEIGHTED:
            share = one.terms.target_share
            return Fraction(max(received, 0), share) if share else LAST, sold
        return 0, sold

    def _key(self, one: Listed) -> list[Any]:
        rank, sold = self._rank(one)
        price = -one.price_minor if self._rule == TIERS else 0
        return [*Fraction(rank).as_integer_ratio(), price, None if sold == _NEVER else sold, one.order_id]
