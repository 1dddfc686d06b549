"""The two sides of a run: the sales of each lead as they are made and come out in their time, and what they come to."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

from msgspec import Struct

from marketplace.what_if.fates import Fate
from marketplace.what_if.happened import LeadCame
from marketplace.what_if.tally import Tally
from marketplace.what_if.world import Terms, World

NO_ORDER = "no_order"  # nobody wanted the lead


class Sold(Struct, frozen=True):
    """A sale of one course: as it was made, and as it comes out."""

    order_id: UUID
    buyer_id: UUID
    price_minor: int
    payout_minor: int
    at: datetime
    fate: Fate
    resale: int | None = None  # of which further offer, as in the record; None: as the lead came


@dataclass
class Trail:
    """What became of one lead in one course, kept until its last sale has come out."""

    lead: LeadCame
    terms: Terms
    sales: list[Sold] = field(default_factory=list)
    pending: int = 0
    follows_record: bool = False
    unsold: str = NO_ORDER
    further: int = 0  # how many further sales are still to come

    @property
    def kept(self) -> list[Sold]:
        """Return the sales whose buyers have the lead."""
        return [one for one in self.sales if not one.fate.is_over]


MaySell = Callable[[World, Trail, Sold], bool]


class Course:
    """One side of a run: its world and its figures."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tallies: dict[int, Tally] = {}
        self.days: Counter[date] = Counter()  # leads sold, by the day in UTC on which they came
        self._coming: list[tuple[datetime, int, bool, Trail, Sold]] = []
        self._turn = count()

    def tally(self, lead: LeadCame, terms: Terms) -> Tally:
        """Return the figures of a lead's vertical."""
        return self.tallies.setdefault(lead.vertical_id, Tally(terms.vertical.currency))

    def sell(self, trail: Trail, sold: Sold) -> None:
        """Make a sale; what becomes of it follows in its time."""
        self.world.sell(sold.order_id, sold.buyer_id, trail.terms.vertical.currency, sold.price_minor, sold.at)
        self.world.claim(trail.lead, sold.at)
        trail.sales.append(sold)
        if sold.fate.at is not None:
            self._await(max(sold.fate.at, sold.at), False, trail, sold)

    def sell_later(self, trail: Trail, sold: Sold) -> None:
        """Make a sale in its time."""
        trail.further += sold.resale is not None
        self._await(sold.at, True, trail, sold)

    def _await(self, at: datetime, is_new: bool, trail: Trail, sold: Sold) -> None:
        trail.pending += 1
        heappush(self._coming, (at, next(self._turn), is_new, trail, sold))

    def until(self, at: datetime | None, may_sell: MaySell) -> Iterator[tuple[datetime, Trail, Sold]]:
        """Let come out what does until an instant, all that is left for None; yield each sale that fell through.

        `may_sell` says of each further sale whether it is made.
        """
        while self._coming and (at is None or self._coming[0][0] <= at):
            when, _, is_new, trail, sold = heappop(self._coming)
            trail.pending -= 1
            if is_new:
                self._sell_now(trail, sold, may_sell)
            elif self._come_out(trail, sold):
                yield when, trail, sold
                if not trail.kept and trail.pending == trail.further:
                    self.world.unclaim(trail.lead)
            if not trail.pending:
                self.close(trail)

    def _sell_now(self, trail: Trail, sold: Sold, may_sell: MaySell) -> None:
        trail.further -= sold.resale is not None
        if sold.resale is None or may_sell(self.world, trail, sold):
            self.sell(trail, sold)

    def _come_out(self, trail: Trail, sold: Sold) -> bool:
        """Let a sale come out; True when it came to nothing."""
        currency = trail.terms.vertical.currency
        self.world.move_money(sold.buyer_id, currency, sold.fate.back_of(sold.price_minor))
        if sold.fate.is_over:
            self.world.undo(sold.order_id, sold.buyer_id, currency, sold.price_minor, sold.at)
        return sold.fate.is_over

    def close(self, trail: Trail) -> None:
        """Count a lead of which nothing is to come any more."""
        if trail.pending:
            return
        tally = self.tally(trail.lead, trail.terms)
        for one in trail.kept:
            tally.add_sale(one.price_minor, one.fate.credit_of(one.price_minor), one.fate.payout_of(one))
        if trail.kept:
            tally.sold += 1
            self.days[trail.lead.at.astimezone(UTC).date()] += 1
            return
        tally.unsold += 1
        tally.reasons[trail.sales[-1].fate.word if trail.sales else trail.unsold] += 1
