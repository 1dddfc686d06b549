"""A change as a run goes by it: what an order, a vertical, a source or a publisher would have said instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from core.money import Money
from marketplace.catalog.verticals import Vertical
from marketplace.leads.matching import LeadFacts
from marketplace.orders.terms import STATUSES, OrderBody, OrderPatch, OrderTerms, body_of, by_others, patched, terms_of
from marketplace.what_if.change import VerticalChange, definition_with
from marketplace.what_if.happened import Fact, LeadCame, MoneyMoved, OrderSaid
from marketplace.what_if.world import Terms


class Rule(NamedTuple):
    """What a publisher wants for the leads of a source, beyond what they say themselves."""

    exclusive_only: bool = False
    most_buyers: int | None = None
    min_price_minor: int | None = None


class Asked(NamedTuple):
    """What a source's rule would have been instead of the one that held.

    What a lead said itself is kept where that rule has not covered it.
    """

    instead: Rule
    held: Rule

    def of(self, facts: LeadFacts) -> LeadFacts:
        """Return what a lead would have asked for."""
        own = 0 if facts.asked_minor == self.held.min_price_minor else facts.asked_minor
        exclusive = self.instead.exclusive_only or (facts.exclusive_only and not self.held.exclusive_only)
        return replace(facts, exclusive_only=exclusive, asked_minor=max(own, self.instead.min_price_minor or 0))


class Placed(NamedTuple):
    """Where an order would have stood; 0 is no place."""

    priority: int
    target_share: int


@dataclass
class Supposed:
    """A change that was judged, by ids; nothing at all unless said."""

    patches: Mapping[UUID, OrderPatch] = field(default_factory=dict)
    places: Mapping[UUID, Placed] = field(default_factory=dict)
    new_orders: tuple[OrderSaid, ...] = ()
    verticals: Mapping[int, VerticalChange] = field(default_factory=dict)
    sources: Mapping[tuple[UUID, str, int], Asked] = field(default_factory=dict)
    shares: Mapping[UUID, int] = field(default_factory=dict)
    funds: tuple[MoneyMoved, ...] = ()
    verticals_weighed_anew: frozenset[int] = frozenset()
    _verticals: dict[tuple[int, int], Vertical] = field(default_factory=dict)

    def first_facts(self) -> Iterator[Fact]:
        """Yield what would have been there from the beginning."""
        yield from self.new_orders
        yield from self.funds

    def terms_of_order(self, said: OrderSaid) -> OrderTerms:
        """Return what a version of an order would have said."""
        terms = said.terms
        if (patch := self.patches.get(said.order_id)) is not None:
            terms = patched_terms(terms, patch)
        if (placed := self.places.get(said.order_id)) is not None:
            terms = replace(terms, priority=placed.priority, target_share=placed.target_share)
        return terms

    def terms_of_lead(self, lead: LeadCame, then: Terms) -> Terms:
        """Return by what a lead would have been sold."""
        vertical, facts, most = then.vertical, then.facts, then.most_buyers
        change = self.verticals.get(lead.vertical_id)
        asked = self.sources.get((lead.publisher_id, lead.source_name, lead.vertical_id))
        share = self.shares.get(lead.publisher_id)
        if change is None and asked is None and share is None:
            return then
        if change is not None:
            key = (lead.vertical_id, lead.book)
            vertical = self._verticals.get(key) or Vertical(definition_with(vertical.definition, change))
            self._verticals[key] = vertical
        if asked is not None:
            facts, most = asked.of(facts), asked.instead.most_buyers
        least = vertical.least_minor(facts.regions, facts.contact_class)
        if change is not None and change.min_price is not None:
            least = max(least, vertical.min_price.minor)
        facts = replace(facts, min_price_minor=max(least, facts.asked_minor))
        split = then.split if share is None else then.split._replace(share_bp=share)
        return Terms(vertical, facts, most, split)


def patched_terms(terms: OrderTerms, patch: OrderPatch) -> OrderTerms:
    """Return an order's terms as a patch would have them; one that is closed for good stays so."""
    if terms.status not in STATUSES:
        return terms
    if terms.deal is not None:
        return terms if patch.status is UNSET else replace(terms, status=patch.status)
    after = terms_of(patched_body(terms, patch), terms.least_minor)
    return replace(after, **by_others(terms))


def patched_body(terms: OrderTerms, patch: OrderPatch) -> OrderBody:
    """Return what a buyer would have sent for an order's terms with a patch in place."""
    return patched(body_of(terms), patch)


def money_of(buyer_id: UUID, money: Money, at: datetime) -> MoneyMoved:
    """Return money that a wallet would have had more."""
    return MoneyMoved(at, buyer_id, money.currency, money.minor)
