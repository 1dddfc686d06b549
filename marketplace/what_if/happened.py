"""What happened in a period, as a run reads it: facts in the order of time, whether from the record or from a file."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from marketplace.catalog.verticals import Vertical
from marketplace.leads.decisions import Tried
from marketplace.leads.matching import LeadFacts
from marketplace.orders.terms import OrderTerms
from marketplace.what_if.counting import Bought

OVER = ("refused", "failed")  # a sale that came to nothing: its order counts one less, its money goes back
RETURNED = "returned"


class Split(NamedTuple):
    """How a publisher's terms share a price where the vertical has no bands."""

    share_bp: int
    min_margin_minor: int


class OrderSaid(Struct, frozen=True):
    """A version of an order begins to hold."""

    at: datetime
    order_id: UUID
    buyer_id: UUID
    vertical_id: int
    version: int
    terms: OrderTerms
    endpoint: str | None = None


class EndpointTurned(Struct, frozen=True):
    """An endpoint of a buyer is paused, or resumed."""

    at: datetime
    buyer_id: UUID
    address: str
    is_paused: bool


class MoneyMoved(Struct, frozen=True):
    """A wallet may spend more, or less, for another reason than a sale."""

    at: datetime
    buyer_id: UUID
    currency: str
    minor: int


class LimitsSaid(Struct, frozen=True):
    """What a buyer allows all of his orders together from now on; without caps and budgets nothing limits him."""

    at: datetime
    buyer_id: UUID
    timezone: str
    currency: str | None
    caps: Mapping[str, int]
    budgets: Mapping[str, int]


class SoldElsewhere(Struct, frozen=True):
    """A sale of a lead from before the period, made or ended in it: `change` is sold, over, or credited."""

    at: datetime
    change: str
    order_id: UUID
    buyer_id: UUID
    currency: str
    minor: int
    sold_at: datetime


class SaleThen(Struct, frozen=True):
    """A sale as it came out: `credited_minor` went back to the buyer, `payout_minor` is what the publisher keeps.

    `resale` is None for a sale of the lead as it came, 0 for one by a further offer of a lead that nobody had, else the
    how manyth resale it was.
    """

    order_id: UUID
    buyer_id: UUID
    price_minor: int
    payout_minor: int
    sold_at: datetime
    state: str
    ended_at: datetime | None
    credited_minor: int
    resale: int | None = None


class LeadCame(Struct, frozen=True):
    """A lead, what orders judge it by, and what became of it.

    `facts` have no least price in them; `keys` stand for the person, who was sold before the period when
    `is_claimed_before`; `tried` is the story of the stored decision.
    """

    at: datetime
    id: UUID
    source_name: str
    vertical_id: int
    book: int
    reasons: tuple[str, ...]
    facts: LeadFacts
    most_buyers: int | None
    keys: tuple[int, ...]
    is_claimed_before: bool
    tried: tuple[Tried, ...]
    sales: tuple[SaleThen, ...]

    @property
    def publisher_id(self) -> UUID:
        """Return who sent it."""
        assert self.facts.publisher_id is not None
        return self.facts.publisher_id


Fact = OrderSaid | LimitsSaid | EndpointTurned | MoneyMoved | SoldElsewhere | LeadCame


class Record(NamedTuple):
    """All that a run needs: the state at its start, the facts in the order of time, and two questions to the record."""

    bought: Mapping[UUID, Bought]
    funds: Mapping[tuple[UUID, str], int] | None  # None: wallets are not known, and everybody can pay
    facts: Iterable[Fact]
    vertical: Callable[[int, int], Vertical]  # of which id, in which version of its book
    split: Callable[[UUID, datetime], Split]  # of which publisher, when
    bought_by: Mapping[
        tuple[UUID, str], Bought
    ] = {}  # by those buyers, and in that currency, whom limits ever held back
