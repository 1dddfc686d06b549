"""One course of things: the books, what orders have bought, and what wallets can spend; asked about one lead at a time.

Two of them run side by side: what happened, and what would have.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from marketplace.catalog.verticals import Vertical
from marketplace.leads.auction import FIRST, SHARED_ONLY, WEIGHTED, Candidate, Rules
from marketplace.leads.matching import Book, LeadFacts, Listed
from marketplace.orders.terms import MAX_SHARE, OrderTerms
from marketplace.what_if.counting import Bought, is_capped, price_now
from marketplace.what_if.happened import EndpointTurned, LeadCame, OrderSaid, Split
from marketplace.what_if.limits import Limited

CAPPED, BUYER_CAPPED, NO_FUNDS, BELOW_MIN = "capped", "buyer_capped", "no_funds", "below_min"
GONE, HAS_CLAIM = (
    "not_active",
    "duplicate",
)  # why a further sale is not made: its order does not buy, the person is sold


class Question(Struct, frozen=True):
    """All that decides who buys a lead: the same question has the same answer."""

    is_duplicate: bool
    rules: Rules
    exclusive_only: bool
    candidates: tuple[Candidate, ...]


class Terms(Struct, frozen=True):
    """By what a lead is sold on one side: the vertical, what the publisher asks, how the price is shared."""

    vertical: Vertical
    facts: LeadFacts
    most_buyers: int | None
    split: Split

    def payout_of(self, price_minor: int) -> int:
        """Return what the publisher gets of a price."""
        return payout_of(price_minor, self.split, self.vertical.bands)


class World:
    """The state of one course of things."""

    def __init__(
        self, bought: Mapping[UUID, Bought], funds: Mapping[tuple[UUID, str], int] | None,
        changed: Callable[[OrderSaid], OrderTerms] | None = None, weighs_anew: frozenset[int] = frozenset(),
        bought_by: Mapping[tuple[UUID, str], Bought] | None = None,
    ) -> None:  # fmt: skip
        """Begin with these counters and wallets, which this world alone changes; `changed` says an order's terms.

        In the verticals of `weighs_anew` target shares hold from the first lead on, whatever was received before.
        """
        self.bought = deepcopy(dict(bought))
        self.limited = Limited(bought_by or {})
        self._funds = None if funds is None else dict(funds)
        self._changed, self._weighs_anew = changed, weighs_anew
        self._listed: dict[int, dict[UUID, Listed]] = {}
        self._books: dict[int, Book] = {}
        self._endpoints: dict[UUID, tuple[UUID, str]] = {}
        self._paused: set[tuple[UUID, str]] = set()
        self._claims: dict[tuple[int, int], tuple[UUID, datetime]] = {}

    # -- what happens --------------------------------------------------------------------------------------------------

    def say(self, said: OrderSaid) -> None:
        """Let a version of an order hold; a new target share begins the count of its vertical anew."""
        terms = self._changed(said) if self._changed else said.terms
        listed = self._listed.setdefault(said.vertical_id, {})
        before = listed.get(said.order_id)
        if before is not None and terms.target_share != before.terms.target_share:
            self._weigh_anew(listed)
        elif before is None and said.vertical_id in self._weighs_anew:
            self._weigh_anew([said.order_id])
        listed[said.order_id] = Listed(said.order_id, said.buyer_id, said.version, terms)
        self._books.pop(said.vertical_id, None)
        self._endpoints.pop(said.order_id, None)
        if said.endpoint is not None:
            self._endpoints[said.order_id] = (said.buyer_id, said.endpoint)

    def _weigh_anew(self, order_ids: Iterable[UUID]) -> None:
        for order_id in order_ids:
            counted = self.counted(order_id)
            counted.weighed_from = counted.total_leads

    def turn(self, turned: EndpointTurned) -> None:
        """Pause an endpoint, or resume it."""
        (self._paused.add if turned.is_paused else self._paused.discard)((turned.buyer_id, turned.address))

    def move_money(self, buyer_id: UUID, currency: str, minor: int) -> None:
        """Let a wallet spend so much more, or less."""
        if self._funds is not None:
            self._funds[buyer_id, currency] = self._funds.get((buyer_id, currency), 0) + minor

    def counted(self, order_id: UUID) -> Bought:
        """Return what an order has bought."""
        return self.bought.setdefault(order_id, Bought())

    def sell(self, order_id: UUID, buyer_id: UUID, currency: str, price_minor: int, at: datetime) -> None:
        """Count a sale for its order and its buyer, and take its money."""
        self.counted(order_id).count(price_minor, at)
        self.limited.count(buyer_id, currency, price_minor, at)
        self.move_money(buyer_id, currency, -price_minor)

    def undo(self, order_id: UUID, buyer_id: UUID, currency: str, price_minor: int, sold_at: datetime) -> None:
        """Count a sale no more that came to nothing; its money is another matter."""
        self.counted(order_id).uncount(price_minor, sold_at)
        self.limited.uncount(buyer_id, currency, price_minor, sold_at)

    def claim(self, lead: LeadCame, at: datetime) -> None:
        """Remember that the person of a lead is sold, since the first sale of it."""
        for key in lead.keys:
            before = self._claims.get((lead.vertical_id, key))
            if before is None or before[0] != lead.id:
                self._claims[lead.vertical_id, key] = (lead.id, at)

    def unclaim(self, lead: LeadCame) -> None:
        """Forget a person whose lead nobody took in the end."""
        for key in lead.keys:
            if self._claims.get((lead.vertical_id, key), (None,))[0] == lead.id:
                del self._claims[lead.vertical_id, key]

    # -- what a lead meets ---------------------------------------------------------------------------------------------

    def question(self, lead: LeadCame, terms: Terms) -> Question:
        """Ask who may buy a lead now, and by which rules."""
        book, vertical = self._book(lead.vertical_id), terms.vertical
        most = max(min(vertical.share.buyers_ceiling, len(book.together)), 1)
        rules = Rules(vertical.distribution.rule, vertical.distribution.way, min(most, terms.most_buyers or most))
        if self._is_claimed(lead, vertical.dedupe_days):
            return Question(True, rules, False, ())
        found = tuple(self._candidates(book, terms, lead.at))
        return Question(False, rules, terms.facts.exclusive_only, found)

    def next_question(
        self, lead: LeadCame, terms: Terms, taken: frozenset[UUID], shares: list[int], at: datetime
    ) -> Question:
        """Ask who may buy a lead on which a sale has ended; `shares` are of those who have it still."""
        book, vertical = self._book(lead.vertical_id), terms.vertical
        most = min(terms.most_buyers or MAX_SHARE, *shares, MAX_SHARE)
        way, rules = vertical.distribution.way, Rules(vertical.distribution.rule, FIRST, 1)
        if shares and len(shares) >= most:
            return Question(False, rules, False, ())
        found = [
            replace(one, max_share=1) for one in self._candidates(book, terms, at)
            if one.buyer_id not in taken and not (shares and (one.is_deal or one.max_share <= len(shares)))
            and way != (SHARED_ONLY if one.max_share == 1 else "exclusive_only")
        ]  # fmt: skip
        return Question(False, rules, False, tuple(found))

    def share_of(self, vertical_id: int, order_id: UUID) -> int:
        """Return with how many an order shares, as it stands now."""
        said = self.terms_of(vertical_id, order_id)
        return said.max_share if said else MAX_SHARE

    def _candidates(self, book: Book, terms: Terms, at: datetime) -> Iterator[Candidate]:
        facts, weighted = terms.facts, terms.vertical.distribution.rule == WEIGHTED
        for listed in [*book.deals(facts, at), *book.candidates(facts, at)]:
            if self._endpoints.get(listed.order_id) in self._paused:
                continue
            counted, said = self.counted(listed.order_id), listed.terms
            price = price_now(said, listed.price_minor, listed.offered_steps, counted, at)
            yield Candidate(
                listed.order_id, listed.buyer_id, price, said.max_share, counted.last_sold_at,
                self._refusal(listed, price, counted, terms, at), said.priority or None, said.target_share or None,
                counted.received if weighted else 0, said.deal is not None,
            )  # fmt: skip

    def _refusal(self, listed: Listed, price: int, counted: Bought, terms: Terms, at: datetime) -> str | None:
        facts = terms.facts
        if terms.payout_of(price) < facts.asked_minor or price < facts.min_price_minor:
            return BELOW_MIN
        return self._short_of(listed, price, counted, at)

    def _short_of(self, listed: Listed, price: int, counted: Bought, at: datetime) -> str | None:
        if is_capped(listed.terms, price, counted, at):
            return CAPPED
        if self.limited.is_reached(listed.buyer_id, listed.terms.currency, price, at):
            return BUYER_CAPPED
        spendable = None if self._funds is None else self._funds.get((listed.buyer_id, listed.terms.currency), 0)
        return NO_FUNDS if spendable is not None and spendable < price else None

    def keeps_from_further(self, lead: LeadCame, terms: Terms, order_id: UUID, price: int, at: datetime) -> str | None:
        """Say what keeps an order from buying a lead that is offered again, None when nothing does."""
        listed = self._listed.get(lead.vertical_id, {}).get(order_id)
        if listed is None or listed.terms.status != "active" or self._endpoints.get(order_id) in self._paused:
            return GONE
        if self._is_claimed_at(lead, at, terms.vertical.dedupe_days):
            return HAS_CLAIM
        return self._short_of(listed, price, self.counted(order_id), at)

    def terms_of(self, vertical_id: int, order_id: UUID) -> OrderTerms | None:
        """Return what an order says as it stands now."""
        listed = self._listed.get(vertical_id, {}).get(order_id)
        return listed.terms if listed else None

    def _book(self, vertical_id: int) -> Book:
        book = self._books.get(vertical_id)
        if book is None:
            orders = [one for one in self._listed.get(vertical_id, {}).values() if one.terms.status == "active"]
            book = self._books[vertical_id] = Book(orders)
        return book

    def _is_claimed(self, lead: LeadCame, days: int) -> bool:
        return lead.is_claimed_before or self._is_claimed_at(lead, lead.at, days)

    def _is_claimed_at(self, lead: LeadCame, at: datetime, days: int) -> bool:
        """Tell whether another lead of the same person is sold, and not too long ago."""
        claims = (self._claims.get((lead.vertical_id, key)) for key in lead.keys)
        return any(one is not None and one[0] != lead.id and one[1] > at - timedelta(days=days) for one in claims)


def payout_of(price_minor: int, split: Split, bands: list[int | None] | None) -> int:
    """Return what a publisher gets of a price: by the vertical's bands where it has them, else by his terms."""
    if bands is None:
        by_share = (price_minor * split.share_bp + 5000) // 10000
        return max(min(by_share, price_minor - split.min_margin_minor), 0)
    place = 0
    while place + 3 < len(bands) and (bands[place + 3] or 0) <= price_minor:
        place += 3
    kept = bands[place + 2]
    if kept is None:
        kept = (price_minor * (bands[place + 1] or 0) + 5000) // 10000
    return max(price_minor - max(kept, split.min_margin_minor), 0)
