"""Limits of buyers over all of their orders in one course: what each has bought, and whether he may buy more."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from uuid import UUID

from marketplace.what_if.counting import Bought
from marketplace.what_if.happened import LimitsSaid


class Limited:
    """The buyers who have limits at any time of a run: leads count in all currencies, money in that of the limits."""

    def __init__(self, bought_by: Mapping[tuple[UUID, str], Bought]) -> None:
        """Begin with what they have bought; who is not among them has no limits in the run, and nothing is counted."""
        self._bought: dict[UUID, dict[str, Bought]] = {}
        for (buyer_id, currency), bought in bought_by.items():
            self._bought.setdefault(buyer_id, {})[currency] = deepcopy(bought)
        self._said: dict[UUID, LimitsSaid] = {}

    def say(self, said: LimitsSaid) -> None:
        """Let a buyer's limits hold instead of those before."""
        self._said[said.buyer_id] = said

    def count(self, buyer_id: UUID, currency: str, price_minor: int, at: datetime) -> None:
        """Count one lead."""
        if (bought := self._bought.get(buyer_id)) is not None:
            bought.setdefault(currency, Bought()).count(price_minor, at)

    def uncount(self, buyer_id: UUID, currency: str, price_minor: int, sold_at: datetime) -> None:
        """Take a sale out that came to nothing."""
        if (bought := self._bought.get(buyer_id)) is not None:
            bought.setdefault(currency, Bought()).uncount(price_minor, sold_at)

    def is_reached(self, buyer_id: UUID, currency: str, price_minor: int, at: datetime) -> bool:
        """Tell whether his limits keep a buyer from one more lead at this price."""
        limits = self._said.get(buyer_id)
        if limits is None or not (limits.caps or limits.budgets):
            return False
        figures = {word: one.figures(limits.timezone, at) for word, one in self._bought.get(buyer_id, {}).items()}
        spent = figures.get(limits.currency or "", {})
        more = price_minor if currency == limits.currency else 0
        return any(
            sum(one[period][0] for one in figures.values()) >= cap for period, cap in limits.caps.items()
        ) or any(spent.get(period, (0, 0))[1] + more > most for period, most in limits.budgets.items())
