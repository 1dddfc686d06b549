"""Stored decisions read again, many at a time: who was tried for a lead, at which price, and who could have bought."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, tuple_

from core.db import db
from core.money import Money
from marketplace.catalog.regions import parents_of
from marketplace.catalog.shelf import versions_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.auction import OTHER_WAY, OUTBID, SHARE_FULL, SOLD, Candidate, Rules
from marketplace.leads.source_codes import public_codes
from marketplace.market.winning import least_winning
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.prices import price_for
from marketplace.orders.terms import OrderTerms, decode_terms

CHOSEN = (SOLD, OUTBID, SHARE_FULL, OTHER_WAY)  # what the choice itself says; all else kept a candidate from buying
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Offered(NamedTuple):
    """What is read of a lead that was offered; its contact never is."""

    id: UUID
    publisher_id: UUID
    vertical_id: int
    region: str
    contact_class: str
    temperature: str
    source_name: str
    received_at: datetime
    min_price: Mapping[str, Any] | None
    exclusive_only: bool
    most_buyers: int | None
    decision: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """One order that was tried for a lead: which, whose, how it came out, and what was reached or said of it."""

    order_id: UUID
    buyer_id: UUID
    terms: OrderTerms
    outcome: str
    said: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class Decided:
    """One lead's decision as it can be asked: who was tried, by which rules, and the least that had to be bid."""

    tried: Sequence[Tried]
    rules: Rules
    exclusive_only: bool
    least_minor: int

    @property
    def is_private(self) -> bool:
        """Tell whether a private deal bought the lead, so that the market was never asked."""
        return any(one.terms.deal is not None and one.outcome == SOLD for one in self.tried)

    def would_win(self, max_share: int, without: UUID | None = None) -> int | None:
        """Return the least price at which one order more, or in place of the order named, would have bought."""
        candidates = [
            Candidate(one.order_id, one.buyer_id, one.price_minor, one.terms.max_share,
                      _EPOCH + timedelta(seconds=turn), None if one.outcome in CHOSEN else one.outcome,
                      one.terms.priority or None, is_deal=one.terms.deal is not None)
            for turn, one in enumerate(self.tried) if one.order_id != without
        ]  # fmt: skip
        return least_winning(candidates, self.rules, max_share, self.least_minor, exclusive_only=self.exclusive_only)


class Decisions:
    """Reads decisions; keeps the versions of orders and verticals that it has met."""

    def __init__(self) -> None:
        self._terms: dict[tuple[UUID, int], tuple[UUID, OrderTerms]] = {}
        self._verticals: dict[int, tuple[list[int], list[Vertical]]] = {}

    def read(self, leads: Sequence[Offered]) -> list[Decided]:
        """Return the decision of each of these leads, in their order."""
        asked = {(UUID(one[0]), one[1]) for lead in leads for one in lead.decision.get("tried", ())}
        self._load(asked - self._terms.keys())
        return [self._decided(lead) for lead in leads]

    def _load(self, missing: Iterable[tuple[UUID, int]]) -> None:
        asked = list(missing)
        if not asked:
            return
        query = select(OrderVersion.order_id, OrderVersion.version, Order.buyer_id, OrderVersion.terms)
        query = query.join(Order, Order.id == OrderVersion.order_id)
        for row in db.session.execute(query.where(tuple_(OrderVersion.order_id, OrderVersion.version).in_(asked))):
            self._terms[row.order_id, row.version] = row.buyer_id, decode_terms(row.terms)

    def _decided(self, lead: Offered) -> Decided:
        vertical = self.vertical_of(lead)
        regions = parents_of(lead.region)
        fields = _priced_by(lead, regions)
        tried = [self._tried(one, fields) for one in lead.decision.get("tried", ())]
        ceiling = vertical.share.buyers_ceiling
        rules = Rules(vertical.distribution.rule, vertical.distribution.way, min(ceiling, lead.most_buyers or ceiling))
        said = lead.min_price
        asked = Money.parse(said["amount"], said["currency"]).minor if said else 0
        least = max(asked, vertical.least_minor(regions, lead.contact_class), vertical.min_price.minor)
        return Decided(tried, rules, lead.exclusive_only, least)

    def _tried(self, one: Sequence[Any], fields: Mapping[str, Any]) -> Tried:
        order_id, version, outcome, *more = one
        buyer_id, terms = self._terms[UUID(order_id), version]
        price = next((each for each in more if isinstance(each, int)), None)  # a ladder's is stored
        said = next((each for each in more if isinstance(each, str)), "")
        return Tried(UUID(order_id), buyer_id, terms, outcome, said, price or price_for(terms, fields))

    def vertical_of(self, lead: Offered) -> Vertical:
        """Return the vertical as it was in the book that judged the lead."""
        if lead.vertical_id not in self._verticals:
            versions = versions_of(lead.vertical_id)[::-1]
            self._verticals[lead.vertical_id] = (
                [one.book_version for one in versions], [Vertical.stored(one.definition) for one in versions]
            )  # fmt: skip
        books, definitions = self._verticals[lead.vertical_id]
        return definitions[max(bisect_right(books, lead.decision.get("book", 0)) - 1, 0)]


def _priced_by(lead: Offered, regions: tuple[str, ...]) -> dict[str, Any]:
    """Lay out what prices may go by (`orders/prices.py` has the list)."""
    publisher, source = public_codes(lead.publisher_id, lead.source_name)
    return {"region": regions, "contact_class": lead.contact_class, "temperature": lead.temperature, "verified": False,
            "publisher.code": publisher, "source.code": source}  # fmt: skip
