"""What a course of things came to: leads, sales and money of each vertical, and why the rest did not sell."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.money import Money

COUNTS = ("leads", "sold", "unsold", "rejected", "sales")
AMOUNTS = ("turnover", "returned", "revenue", "payout", "margin")


@dataclass
class Tally:
    """The figures of one vertical, or of all that trade in a currency; amounts in minor units.

    `turnover` is what was paid for leads that their buyers took, `returned` what of it went back to them, `revenue` the
    rest: the publishers' `payout` and the platform's `margin`.
    """

    currency: str
    sold: int = 0
    unsold: int = 0
    rejected: int = 0
    sales: int = 0
    turnover: int = 0
    returned: int = 0
    payout: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def leads(self) -> int:
        """Return how many leads there were."""
        return self.sold + self.unsold + self.rejected

    @property
    def revenue(self) -> int:
        """Return what buyers paid in the end."""
        return self.turnover - self.returned

    @property
    def margin(self) -> int:
        """Return what the platform kept."""
        return self.revenue - self.payout

    def add_sale(self, price_minor: int, credited_minor: int, payout_minor: int) -> None:
        """Count a sale that its buyer took, as it came out."""
        self.sales += 1
        self.turnover += price_minor
        self.returned += credited_minor
        self.payout += payout_minor

    def add(self, other: "Tally") -> None:
        """Add another one's figures."""
        for name in ("sold", "unsold", "rejected", "sales", "turnover", "returned", "payout"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)

    def as_json(self) -> dict[str, Any]:
        """Show the figures; amounts as decimal text."""
        shown: dict[str, Any] = {name: getattr(self, name) for name in COUNTS}
        shown |= {name: str(Money(getattr(self, name), self.currency)) for name in AMOUNTS}
        return shown | {"reasons": dict(sorted(self.reasons.items()))}


def difference(happened: Tally, supposed: Tally) -> dict[str, Any]:
    """Show by how much the second differs from the first; reasons that do not differ are left out."""
    shown: dict[str, Any] = {name: getattr(supposed, name) - getattr(happened, name) for name in COUNTS}
    shown |= {
        name: str(Money(getattr(supposed, name) - getattr(happened, name), happened.currency)) for name in AMOUNTS
    }
    names = sorted({*happened.reasons, *supposed.reasons})
    changes = {name: supposed.reasons[name] - happened.reasons[name] for name in names}
    return shown | {"reasons": {name: change for name, change in changes.items() if change}}


def summed(tallies: Iterable[Tally]) -> dict[str, Tally]:
    """Add the tallies of each currency."""
    found: dict[str, Tally] = {}
    for one in tallies:
        found.setdefault(one.currency, Tally(one.currency)).add(one)
    return found
