"""Whose turn it is among very many orders, as a process last knew it: a page of them, and who nobody else comes before.

By a rule other than the price only the counters of orders know how they rank. But an order's turn only ever moves back,
as it buys: what was read once stays true as "not before". So the first by what is known are offered, together with the
place of the first who is not, and the sale in the database, which reads the counters of those few, goes no further than
that place. Who is found is who would be found among all (only a sale that is taken out again moves an order forward).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from heapq import nsmallest
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from marketplace.leads.auction import PRIORITY, TIERS, WEIGHTED
from marketplace.leads.pages import Listed

LAST = 2**63 - 1  # for whom the operator has said no priority, or no target share
_NEVER = datetime.min.replace(tzinfo=UTC)
_key = itemgetter(0)

Counted = tuple[UUID, datetime | None, int]
"""An order, when it last bought, and how many leads count against its target share."""


class Turns:
    """What one process knows of the turns in one vertical; threads may share it."""

    def __init__(self, counted: Iterable[Counted] = ()) -> None:
        self._known: dict[UUID, tuple[datetime, int]] = {}
        self.learn(counted)

    def learn(self, counted: Iterable[Counted]) -> None:
        """Take what the counters of some orders say now."""
        self._known.update((order_id, (sold or _NEVER, received)) for order_id, sold, received in counted)

    def first(self, found: Sequence[Listed], rule: str, most: int) -> tuple[list[Listed], str | None]:
        """Return so many of these orders who come first by the rule, and the bound as the sale takes it.

        All of them and no bound when there are no more; else one is known of whom the others do not come before.
        """
        if len(found) <= most:
            return list(found), None
        keyed = [(self._place(one, rule), one) for one in found]
        *page, (_, bound) = nsmallest(most + 1, keyed, key=_key)
        taken = {one.order_id for _, one in page}
        left = [one for one in found if one.order_id not in taken]
        alone, shared = ([one.price_minor for one in left if one.terms.exclusive is way] for way in (True, False))
        limits = {"alone": max(alone, default=0), "shared": max(shared, default=0)}
        key = self._written(bound, rule)
        return [one for _, one in page], msgspec.json.encode({"key": key, **limits}).decode()

    def _place(self, one: Listed, rule: str) -> tuple[Any, ...]:
        sold, received = self._known.get(one.order_id, (_NEVER, 0))
        price = -one.price_minor if rule == TIERS else 0
        return _rank(one, rule, received), price, sold, one.order_id.int

    def _written(self, one: Listed, rule: str) -> list[Any]:
        rank, price, sold, _ = self._place(one, rule)
        ratio = Fraction(rank)
        return [ratio.numerator, ratio.denominator, price, None if sold == _NEVER else sold, one.order_id]


def _rank(one: Listed, rule: str, received: int) -> Fraction | int:
    if rule in (PRIORITY, TIERS):
        return one.terms.priority or LAST
    if rule == WEIGHTED:
        return Fraction(max(received, 0), one.terms.target_share) if one.terms.target_share else LAST
    return 0
