"""What one order, or buyer, has bought so far, and what keeps it from one more lead: its counters in plain values.

Sales of the last month are kept by their instants, so that a period may begin wherever an order's zone says.
"""

from array import array
from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta

from marketplace.orders.pace import limits_now, price_after
from marketplace.orders.periods import PERIODS, period_starts
from marketplace.orders.terms import OrderTerms

LONGEST = timedelta(days=32)  # longer than any period
_MANY = 4096  # sales kept before the oldest are looked at

Figures = dict[str, tuple[int, int]]


class Bought:
    """The sales that one order counts, or all of a limited buyer; they come nearly in the order of time."""

    __slots__ = ("_spent", "_times", "last_sold_at", "total_leads", "total_spend", "weighed_from")

    def __init__(self) -> None:
        """Begin with nothing bought; what follows counts for its target share from `weighed_from` leads on."""
        self.total_leads = self.total_spend = self.weighed_from = 0
        self.last_sold_at: datetime | None = None
        self._times, self._spent = array("d"), array("q")

    def add_long_ago(self, leads: int, spend: int, last_sold_at: datetime) -> None:
        """Add what was bought longer than a month ago."""
        self.total_leads, self.total_spend = self.total_leads + leads, self.total_spend + spend
        self.last_sold_at = max(self.last_sold_at or last_sold_at, last_sold_at)

    def count(self, price_minor: int, at: datetime) -> None:
        """Count one lead."""
        seconds = at.timestamp()
        place = bisect_right(self._times, seconds)
        self._times.insert(place, seconds)
        self._spent.insert(place, price_minor)
        self.total_leads, self.total_spend = self.total_leads + 1, self.total_spend + price_minor
        self.last_sold_at = max(self.last_sold_at or at, at)
        if len(self._times) > _MANY and self._times[0] < (at - LONGEST).timestamp():
            old = bisect_left(self._times, (at - LONGEST).timestamp())
            del self._times[:old], self._spent[:old]

    def uncount(self, price_minor: int, sold_at: datetime) -> None:
        """Take a sale out that came to nothing; who is next in turn stays as it was."""
        self.total_leads, self.total_spend = self.total_leads - 1, self.total_spend - price_minor
        seconds = sold_at.timestamp()
        place = bisect_left(self._times, seconds)
        while place < len(self._times) and self._times[place] == seconds:
            if self._spent[place] == price_minor:
                del self._times[place], self._spent[place]
                return
            place += 1

    def figures(self, zone: str, at: datetime) -> Figures:
        """Return how many leads, and for how much, were bought in each present period."""
        found: Figures = {"total": (self.total_leads, self.total_spend)}
        for period, start in zip(PERIODS, period_starts(zone, at), strict=False):
            since = bisect_left(self._times, start)
            found[period] = (len(self._times) - since, sum(self._spent[since:]))
        return found

    @property
    def received(self) -> int:
        """Return how many leads count for the target share."""
        return max(self.total_leads - self.weighed_from, 0)


def price_now(
    terms: OrderTerms, offered_minor: int, steps: tuple[int, ...] | None, bought: Bought, at: datetime
) -> int:  # fmt: skip
    """Return what an order pays for its next lead: by its ladder where it has one, else what it offers.

    `steps` are its price and those of the ladder as the lead makes them, None where the lead changes nothing.
    """
    if terms.ladder is None:
        return offered_minor
    leads = bought.figures(terms.timezone, at)[terms.ladder.period][0]
    if steps is None:
        return price_after(terms.price_minor, terms.ladder, leads)
    return steps[sum(count <= leads + 1 for count, _ in terms.ladder.steps)]


def is_capped(terms: OrderTerms, price_minor: int, bought: Bought, at: datetime) -> bool:
    """Tell whether a cap, a budget or the pace keeps an order from one more lead at this price."""
    if not (terms.caps or terms.budget_minor or terms.weekday_caps or terms.pacing):
        return False
    offered = terms.price_minor if terms.ladder else price_minor  # which is what the pace lets through beyond its share
    figures, more = bought.figures(terms.timezone, at), limits_now(terms, at, offered) or {}
    leads, spend = figures["day"]
    return (
        any(figures[period][0] >= cap for period, cap in terms.caps.items())
        or any(figures[period][1] + price_minor > most for period, most in terms.budget_minor.items())
        or leads >= more.get("day", leads + 1)
        or spend + price_minor > more.get("spend", spend + price_minor)
    )


def months_before(at: datetime) -> datetime:
    """Return since when sales must be counted one by one to know every period of `at`."""
    return (at - LONGEST).astimezone(UTC)
