"""The record of a period, read for a run: everything in the order of time, in pieces, so that memory stays as it is.

It reads and never writes: whoever calls opens a transaction that is read-only and sees one moment of the database.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

from msgspec import convert
from sqlalchemy import select, text, tuple_

from affiliates import terms_history
from billing import line_moves, spendable_before, wallet_moves
from core.db import db
from marketplace.catalog.models import VerticalVersion
from marketplace.catalog.regions import parents_of
from marketplace.catalog.shelf import vertical_by_book
from marketplace.catalog.verticals import Vertical
from marketplace.leads.decisions import tried_in
from marketplace.leads.delivery.breaker import PAUSED
from marketplace.leads.desk import desk
from marketplace.leads.matching import LeadFacts
from marketplace.leads.models import Lead, PersonKey, Sale
from marketplace.leads.queries import unsealed
from marketplace.leads.submission import Contact
from marketplace.leads.suppression.rows import SuppressedLead
from marketplace.leads.validation import identities_of
from marketplace.leads.why import facts_of_stored
from marketplace.orders.terms import decode_terms
from marketplace.what_if.counting import Bought, months_before
from marketplace.what_if.happened import (
    EndpointTurned,
    Fact,
    LeadCame,
    MoneyMoved,
    OrderSaid,
    Record,
    SaleThen,
    SoldElsewhere,
    Split,
)

TOGETHER = 500  # leads read at once
_STREAM = {"yield_per": 1000}
_MOST_TERMS = 100_000
_READ_ONLY = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
_ORDERS_BEFORE = text(
    "SELECT DISTINCT ON (v.order_id) v.order_id, o.buyer_id, o.vertical_id, v.version, v.terms, v.endpoint, v.at"
    " FROM marketplace.order_versions v JOIN marketplace.orders o ON o.id = v.order_id"
    " WHERE v.at < :since ORDER BY v.order_id, v.version DESC"
)
_ORDERS_THEN = text(
    "SELECT v.order_id, o.buyer_id, o.vertical_id, v.version, v.terms, v.endpoint, v.at"
    " FROM marketplace.order_versions v JOIN marketplace.orders o ON o.id = v.order_id"
    " WHERE v.at >= :since AND v.at < :until ORDER BY v.at, v.order_id, v.version"
)
_STOOD = "NOT (s.state IN ('refused', 'failed') AND s.ended_at < :since)"
_LONG_AGO = text(
    "SELECT s.order_id, count(*) FILTER (WHERE " + _STOOD + ") AS leads,"
    " coalesce(sum(s.price_minor) FILTER (WHERE " + _STOOD + "), 0)::bigint AS spend, max(s.sold_at) AS last_at"
    " FROM marketplace.sales s WHERE s.sold_at < :month GROUP BY s.order_id"
)
_LATELY = text(
    "SELECT s.order_id, s.price_minor, s.sold_at, " + _STOOD + " AS stood FROM marketplace.sales s"
    " WHERE s.sold_at >= :month AND s.sold_at < :since ORDER BY s.sold_at, s.id"
)
# Since when what the orders of a vertical receive counts for their target shares; no row: always.
_WEIGHED = text(
    "SELECT vertical_id, max(at) AS since FROM (SELECT o.vertical_id, v.at, v.terms ->> 'target_share' AS share,"
    " lag(v.terms ->> 'target_share') OVER (PARTITION BY v.order_id ORDER BY v.version) AS before"
    " FROM marketplace.order_versions v JOIN marketplace.orders o ON o.id = v.order_id WHERE v.at < :since) AS said"
    " WHERE before IS NOT NULL AND share IS DISTINCT FROM before GROUP BY vertical_id"
)
_RECEIVED = text(
    "SELECT s.order_id, count(*) AS leads FROM marketplace.sales s JOIN marketplace.orders o ON o.id = s.order_id"
    " WHERE o.vertical_id = :vertical AND s.sold_at >= :weighed AND s.sold_at < :since AND "
    + _STOOD
    + " GROUP BY s.order_id"
)
_PAUSED_BEFORE = text(
    "SELECT e.buyer_id, e.address, m.move FROM marketplace.endpoints e CROSS JOIN LATERAL (SELECT v.move"
    " FROM marketplace.events v WHERE v.subject_id = e.id AND v.at < :since ORDER BY v.id DESC LIMIT 1) AS m"
)
_TURNED = text(
    "SELECT v.at, e.buyer_id, e.address, v.move FROM marketplace.endpoints e"
    " JOIN marketplace.events v ON v.subject_id = e.id WHERE v.at >= :since AND v.at < :until ORDER BY v.at, v.id"
)
_ELSEWHERE = text(
    "SELECT s.sold_at AS at, 'sold' AS change, s.order_id, s.buyer_id, s.currency, s.price_minor AS minor, s.sold_at"
    " FROM marketplace.sales s JOIN marketplace.leads l ON l.id = s.lead_id"
    " WHERE s.sold_at >= :since AND s.sold_at < :until AND l.received_at < :since"
    " UNION ALL SELECT s.ended_at, CASE WHEN s.state IN ('refused', 'failed') THEN 'over' ELSE 'credited' END,"
    " s.order_id, s.buyer_id, s.currency, CASE s.state WHEN 'settled' THEN s.credited_minor ELSE s.price_minor END,"
    " s.sold_at FROM marketplace.sales s JOIN marketplace.leads l ON l.id = s.lead_id"
    " WHERE s.ended_at >= :since AND s.ended_at < :until AND l.received_at < :since"
    " AND (s.state IN ('refused', 'failed', 'returned') OR s.state = 'settled' AND s.credited_minor > 0) ORDER BY 1"
)


def read_only() -> None:
    """Let the session's transaction, just opened, see one moment of the database and change nothing in it."""
    db.session.execute(_READ_ONLY)


def count_leads(since: datetime, until: datetime) -> int:
    """Return how many leads came in a period, for the bar that shows how far a run is."""
    query = text(
        "SELECT count(*) FROM marketplace.leads WHERE received_at >= :since AND received_at < :until AND NOT test"
    )
    return int(db.session.scalars(query, {"since": since, "until": until}).one())


def record_of(since: datetime, until: datetime) -> Record:
    """Return the record of a period: its first instant belongs to it, its last does not."""
    asked = {"since": since, "until": until}
    then = _Then()
    return Record(_bought(since), spendable_before(since), _facts(asked), then.vertical, then.split)


def _facts(asked: dict[str, datetime]) -> Iterator[Fact]:
    """Yield all facts in the order of time; of one instant, what changes the market comes before its leads."""
    yield from _orders(_ORDERS_BEFORE, asked)
    for row in db.session.execute(_PAUSED_BEFORE, asked):
        yield EndpointTurned(asked["since"], row.buyer_id, row.address, _is_paused(row.move))
    streams: list[Iterator[Fact]] = [
        _orders(_ORDERS_THEN, asked), _turned(asked), _money(asked), _elsewhere(asked), _leads(asked)
    ]  # fmt: skip
    ranked = [_ranked(place, stream) for place, stream in enumerate(streams)]
    yield from (fact for _, _, fact in merge(*ranked, key=lambda one: one[:2]))


def _ranked(place: int, stream: Iterator[Fact]) -> Iterator[tuple[datetime, int, Fact]]:
    return ((fact.at, place, fact) for fact in stream)


def _orders(query: Any, asked: dict[str, datetime]) -> Iterator[Fact]:
    for row in db.session.execute(query, asked, execution_options=_STREAM):
        terms = decode_terms(row.terms)
        yield OrderSaid(row.at, row.order_id, row.buyer_id, row.vertical_id, row.version, terms, row.endpoint)


def _turned(asked: dict[str, datetime]) -> Iterator[Fact]:
    for row in db.session.execute(_TURNED, asked, execution_options=_STREAM):
        yield EndpointTurned(row.at, row.buyer_id, row.address, _is_paused(row.move))


def _is_paused(move: str) -> bool:
    return move.partition(">")[2] in PAUSED


def _money(asked: dict[str, datetime]) -> Iterator[Fact]:
    since, until = asked["since"], asked["until"]
    for move in merge(wallet_moves(since, until), line_moves(since, until)):
        yield MoneyMoved(move.at, move.account_id, move.currency, move.minor)


def _elsewhere(asked: dict[str, datetime]) -> Iterator[Fact]:
    for row in db.session.execute(_ELSEWHERE, asked, execution_options=_STREAM):
        yield SoldElsewhere(row.at, row.change, row.order_id, row.buyer_id, row.currency, row.minor, row.sold_at)


# -- the state at the beginning ----------------------------------------------------------------------------------------


def _bought(since: datetime) -> dict[UUID, Bought]:
    asked = {"since": since, "month": months_before(since)}
    weighed: dict[UUID, int] = {}
    verticals = db.session.execute(_WEIGHED, asked).all()
    for vertical in verticals:
        more = {"vertical": vertical.vertical_id, "weighed": vertical.since}
        weighed |= {row.order_id: row.leads for row in db.session.execute(_RECEIVED, asked | more)}
    found = {row.order_id: Bought(row.leads, row.spend, row.last_at) for row in db.session.execute(_LONG_AGO, asked)}
    for row in db.session.execute(_LATELY, asked, execution_options=_STREAM):
        counted = found.setdefault(row.order_id, Bought())
        counted.count(row.price_minor, row.sold_at)
        if not row.stood:
            counted.uncount(row.price_minor, row.sold_at)
    ids = {vertical.vertical_id for vertical in verticals}
    for order_id in _orders_in(ids) if ids else ():
        if (one := found.get(order_id)) is not None:
            one.weighed_from = one.total_leads - weighed.get(order_id, 0)
    return found


def _orders_in(vertical_ids: set[int]) -> list[UUID]:
    query = text("SELECT id FROM marketplace.orders WHERE vertical_id = ANY (:ids)")
    return list(db.session.scalars(query, {"ids": list(vertical_ids)}))


# -- what a lead is sold by --------------------------------------------------------------------------------------------


class _Then:
    """What held at a lead's moment; kept as long as the run goes on, since many leads ask the same."""

    def __init__(self) -> None:
        self._books: dict[int, list[int]] = {}
        self._verticals: dict[tuple[int, int], Vertical] = {}
        self._terms: dict[UUID, list[tuple[datetime, Split]]] = {}

    def vertical(self, vertical_id: int, book: int) -> Vertical:
        """Return a vertical as it was in a version of its book."""
        if vertical_id not in self._books:
            query = select(VerticalVersion.book_version).where(VerticalVersion.vertical_id == vertical_id)
            self._books[vertical_id] = sorted(db.session.scalars(query))
        starts = self._books[vertical_id]
        key = (vertical_id, starts[max(bisect_right(starts, book) - 1, 0)])
        if key not in self._verticals:
            self._verticals[key] = vertical_by_book(*key)
        return self._verticals[key]

    def split(self, publisher_id: UUID, at: datetime) -> Split:
        """Return how a publisher's terms shared a price at an instant."""
        if publisher_id not in self._terms:
            said = terms_history(publisher_id, _MOST_TERMS)
            self._terms[publisher_id] = [
                (one.changed_at, Split(one.terms.share_bp, one.terms.min_margin_minor)) for one in reversed(said)
            ]
        versions = self._terms[publisher_id]
        return next((split for since, split in reversed(versions) if since <= at), versions[0][1])


# -- leads -------------------------------------------------------------------------------------------------------------


def _leads(asked: dict[str, datetime]) -> Iterator[Fact]:
    query = select(Lead).where(Lead.received_at >= asked["since"], Lead.received_at < asked["until"])
    query = query.where(Lead.test.is_(False)).order_by(Lead.received_at, Lead.id)
    rows = iter(db.session.scalars(query, execution_options={"yield_per": TOGETHER}))
    while chunk := list(islice(rows, TOGETHER)):
        yield from _came(chunk, asked["since"])
        for lead in chunk:
            db.session.expunge(lead)


def _came(chunk: list[Lead], since: datetime) -> Iterator[LeadCame]:
    ids = [lead.id for lead in chunk]
    sales = _sales(ids)
    kept_away = defaultdict(set)
    query = select(SuppressedLead.lead_id, SuppressedLead.buyer_id).where(SuppressedLead.lead_id.in_(ids))
    for lead_id, buyer_id in db.session.execute(query):
        kept_away[lead_id].add(buyer_id)
    keys = {lead.id: _keys(lead) for lead in chunk if _met_the_market(lead)}
    claimed = _claimed_before({lead.id: (lead, keys[lead.id]) for lead in chunk if "duplicate" in lead.reasons}, since)
    for lead in chunk:
        yield LeadCame(
            lead.received_at, lead.id, lead.source_name, lead.vertical_id, lead.decision.get("book", 0),
            tuple(lead.reasons), _facts_of(lead, frozenset(kept_away[lead.id])), lead.details.get("most_buyers"),
            tuple(int.from_bytes(key[:8], "big") for key in keys.get(lead.id, ())), lead.id in claimed,
            tuple(tried_in(lead.decision)), tuple(sales[lead.id]),
        )  # fmt: skip


def _met_the_market(lead: Lead) -> bool:
    return all(reason == "duplicate" for reason in lead.reasons)


def _facts_of(lead: Lead, suppressed: frozenset[UUID]) -> LeadFacts:
    if _met_the_market(lead):
        return facts_of_stored(lead, desk().vault, None, suppressed)
    regions = parents_of(lead.region)
    return LeadFacts(regions, {}, lead.score, lead.temperature, lead.contact_class, publisher_id=lead.publisher_id)


def _keys(lead: Lead) -> tuple[bytes, ...]:
    contact = convert(unsealed(lead, desk().vault)["contact"], Contact)
    return desk().intake.keys_of(identities_of(contact, lead.region))


def _claimed_before(duplicates: dict[UUID, tuple[Lead, tuple[bytes, ...]]], since: datetime) -> set[UUID]:
    """Return which of these leads were of a person who was sold before the period."""
    pairs = {(lead.vertical_id, key): lead.id for lead, keys in duplicates.values() for key in keys}
    if not pairs:
        return set()
    query = select(PersonKey.vertical_id, PersonKey.key).where(
        tuple_(PersonKey.vertical_id, PersonKey.key).in_(list(pairs)), PersonKey.claimed_at < since
    )
    known = {(vertical_id, bytes(key)) for vertical_id, key in db.session.execute(query)}
    return {lead.id for lead, keys in duplicates.values() if any((lead.vertical_id, key) in known for key in keys)}


def _sales(lead_ids: Sequence[UUID]) -> dict[UUID, list[SaleThen]]:
    found: dict[UUID, list[SaleThen]] = {lead_id: [] for lead_id in lead_ids}
    for sale in db.session.execute(
        select(
            Sale.lead_id, Sale.order_id, Sale.buyer_id, Sale.price_minor, Sale.payout_minor, Sale.sold_at, Sale.state,
            Sale.ended_at, Sale.credited_minor,
        ).where(Sale.lead_id.in_(lead_ids)).order_by(Sale.sold_at, Sale.id)
    ):  # fmt: skip
        found[sale.lead_id].append(SaleThen(*sale[1:]))
    return found
