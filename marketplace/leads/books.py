"""The order books of this process: one index per vertical, loaded when first asked for and again when it is stale."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import tuple_row

from core.db import Pool, lend
from marketplace.catalog.places import Point
from marketplace.catalog.places.centres import place_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.auction import BEST_PRICE
from marketplace.leads.matching import Book, Listed
from marketplace.leads.narrowing import Narrowed
from marketplace.leads.suppression.keeping_away import LIVE
from marketplace.leads.turns import Turns
from marketplace.orders.terms import decode_terms

# Nothing is sold to an order whose endpoint is paused.
ORDERS = (
    "SELECT id, buyer_id, version, terms FROM marketplace.orders o WHERE vertical_id = %s AND status = 'active'"
    " AND NOT EXISTS (SELECT FROM marketplace.endpoints e WHERE e.buyer_id = o.buyer_id"
    " AND e.address = o.endpoint AND e.state IN ('open', 'probing'))"
)
SOURCE_RULES = (
    "SELECT publisher_id, source_name, exclusive_only, most_buyers, min_price_minor FROM marketplace.source_rules"
    " WHERE vertical_id = %s"
)
PAUSED_SOURCES = "SELECT publisher_id, source_name FROM marketplace.source_standings WHERE standing = 'paused'"

COUNTED = (
    "SELECT c.order_id, c.last_sold_at, c.total_leads - c.weighed_from FROM marketplace.order_counters c"
    " JOIN marketplace.orders o ON o.id = c.order_id WHERE o.vertical_id = %s AND o.status = 'active'"
)
COUNTED_OF = (
    "SELECT order_id, last_sold_at, total_leads - weighed_from FROM marketplace.order_counters"
    " WHERE order_id = ANY (%s)"
)


@dataclass(frozen=True, slots=True)
class Centres:
    """Where postal codes lie, by the last import; read only where an order buys around a place."""

    last_import: int
    points: dict[str, Point]


NOWHERE = Centres(0, {})
BY_PRICE = Turns(BEST_PRICE)  # which nobody asks


@dataclass(frozen=True, slots=True)
class LiveVertical:
    """A vertical as it trades now: its row's id, its definition, its book, and which sources are paused or narrowed.

    `suppressing` are those of its buyers who have a list that keeps leads away; `turns` are known where the rule asks.
    """

    id: int
    vertical: Vertical
    book: Book
    paused_sources: frozenset[tuple[UUID, str]] = frozenset()
    source_rules: Mapping[tuple[UUID, str], Narrowed] = field(default_factory=dict)
    centres: Centres = NOWHERE
    suppressing: frozenset[UUID] = frozenset()
    turns: Turns = BY_PRICE

    @property
    def most_buyers(self) -> int:
        """Return how many buyers may share a lead: no more than the vertical allows, or any order does."""
        return max(min(self.vertical.share.buyers_ceiling, len(self.book.together)), 1)

    @property
    def together(self) -> int:
        """Return what several buyers can pay for any lead in all, whatever they want; 0 when nobody shares."""
        return max(self.book.together[: self.most_buyers], default=0)

    def place_of(self, country: str, code: str | None, city: str | None) -> Point | None:
        """Return where a lead lives, None when nobody knows."""
        return place_of(self.centres.points, country, code, city)


class Books:
    """The live verticals of one process; the sale function tells when one of them is stale."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._live: dict[str, LiveVertical] = {}
        self._lock = Lock()
        self._centres = NOWHERE

    def find(self, slug: str) -> LiveVertical | None:
        """Find a vertical, fresh or stale; asks the database for one that is not known yet."""
        return self._live.get(slug) or self.reload(slug, None)

    def reload(self, slug: str, stale: LiveVertical | None) -> LiveVertical | None:
        """Load a vertical again unless another thread has replaced `stale` meanwhile; None when there is none.

        The version is read before the orders: a book may be newer than it says, never older.
        """
        with self._lock:
            known = self._live.get(slug)
            if known is not None and known is not stale:
                return known
            loaded = self._load(slug, known)
            if loaded is not None:
                self._live[slug] = loaded
            return loaded

    def _load(self, slug: str, known: LiveVertical | None) -> LiveVertical | None:
        with lend(self._pool) as connection, connection.cursor(row_factory=tuple_row) as cursor:
            query = "SELECT id, definition, book_version FROM marketplace.verticals WHERE slug = %s"
            row = cursor.execute(query, (slug,)).fetchone()
            if row is None:
                return None
            vertical_id, definition, version = row
            orders = [_listed(*order) for order in cursor.execute(ORDERS, (vertical_id,))]
            rules = {(rule[0], rule[1]): Narrowed(*rule[2:]) for rule in cursor.execute(SOURCE_RULES, (vertical_id,))}
            paused = frozenset((publisher, source) for publisher, source in cursor.execute(PAUSED_SOURCES))
            book = Book(orders, version, known.book if known else None)
            if book.asks_places:
                self._centres = _centres(cursor, self._centres)
            buyers = {one.buyer_id for one in book.orders}
            lists = frozenset(buyer for (buyer,) in cursor.execute(LIVE) if buyer in buyers)
            vertical = Vertical.stored(definition)
            turns = BY_PRICE
            if (rule := vertical.distribution.rule) != BEST_PRICE:
                turns = Turns(rule, book.orders, cursor.execute(COUNTED, (vertical_id,)))
        return LiveVertical(vertical_id, vertical, book, paused, rules, self._centres, lists, turns)

    def learn_turns(self, live: LiveVertical, offered: list[Listed]) -> None:
        """Read the turns of some orders again, since those that were known did not decide."""
        with lend(self._pool) as connection, connection.cursor(row_factory=tuple_row) as cursor:
            live.turns.learn(cursor.execute(COUNTED_OF, ([one.order_id for one in offered],)))


def _centres(cursor: Cursor[Any], known: Centres) -> Centres:
    """Return what is known of postal codes, read again when there was an import since."""
    [last] = cursor.execute("SELECT coalesce(max(id), 0) FROM marketplace.postal_imports").fetchone() or (0,)
    if last == known.last_import:
        return known
    rows = cursor.execute("SELECT code, latitude, longitude FROM marketplace.postal_centres")
    return Centres(last, {code: (latitude, longitude) for code, latitude, longitude in rows})


def _listed(order_id: UUID, buyer_id: UUID, version: int, terms: dict[str, object]) -> Listed:
    return Listed(order_id, buyer_id, version, decode_terms(terms))
