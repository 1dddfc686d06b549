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
from sqlalchemy import or_, select, text, tuple_

from affiliates import terms_history
from billing import line_moves, spendable_before, wallet_moves
from core.db import db
from marketplace.catalog.models import VerticalVersion
from marketplace.catalog.regions import parents_of
from marketplace.catalog.shelf import vertical_by_book
from marketplace.catalog.verticals import Vertical
from marketplace.leads.again.models import FurtherSale
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
from marketplace.orders.periods import PERIODS
from marketplace.orders.terms import decode_terms
from marketplace.what_if.beginning import bought_before
from marketplace.what_if.happened import (
    EndpointTurned,
    Fact,
    LeadCame,
    LimitsSaid,
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
_LIMITS_BEFORE = text(
    "SELECT DISTINCT ON (v.buyer_id) v.* FROM marketplace.buyer_limits v WHERE v.at < :since"
    " ORDER BY v.buyer_id, v.version DESC"
)
_LIMITS_THEN = text(
    "SELECT v.* FROM marketplace.buyer_limits v WHERE v.at >= :since AND v.at < :until"
    " ORDER BY v.at, v.buyer_id, v.version"
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
    then, (bought, bought_by) = _Then(), bought_before(since, until)
    return Record(bought, spendable_before(since), _facts(asked), then.vertical, then.split, bought_by)


def _facts(asked: dict[str, datetime]) -> Iterator[Fact]:
    """Yield all facts in the order of time; of one instant, what changes the market comes before its leads."""
    yield from _orders(_ORDERS_BEFORE, asked)
    yield from _limits(_LIMITS_BEFORE, asked)
    for row in db.session.execute(_PAUSED_BEFORE, asked):
        yield EndpointTurned(asked["since"], row.buyer_id, row.address, _is_paused(row.move))
    streams: list[Iterator[Fact]] = [
        _orders(_ORDERS_THEN, asked), _limits(_LIMITS_THEN, asked), _turned(asked), _money(asked), _elsewhere(asked),
        _leads(asked),
    ]  # fmt: skip
    ranked = [_ranked(place, stream) for place, stream in enumerate(streams)]
    yield from (fact for _, _, fact in merge(*ranked, key=lambda one: one[:2]))


def _ranked(place: int, stream: Iterator[Fact]) -> Iterator[tuple[datetime, int, Fact]]:
    return ((fact.at, place, fact) for fact in stream)


def _orders(query: Any, asked: dict[str, datetime]) -> Iterator[Fact]:
    for row in db.session.execute(query, asked, execution_options=_STREAM):
        terms = decode_terms(row.terms)
        yield OrderSaid(row.at, row.order_id, row.buyer_id, row.vertical_id, row.version, terms, row.endpoint)


def _limits(query: Any, asked: dict[str, datetime]) -> Iterator[Fact]:
    for row in db.session.execute(query, asked):
        caps, budgets = (
            {period: limit for period, limit in zip(PERIODS, limits, strict=True) if limit is not None}
            for limits in (row.caps, row.budgets)
        )
        yield LimitsSaid(row.at, row.buyer_id, row.timezone, row.currency, caps, budgets)


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
    """Return which of these leads were of a person whom a lead from before the period was sold for."""
    pairs = {(lead.vertical_id, key): lead.id for lead, keys in duplicates.values() for key in keys}
    if not pairs:
        return set()
    query = select(PersonKey.vertical_id, PersonKey.key).join(Lead, Lead.id == PersonKey.lead_id, isouter=True)
    query = query.where(
        tuple_(PersonKey.vertical_id, PersonKey.key).in_(list(pairs)),
        or_(PersonKey.claimed_at < since, Lead.received_at < since),  # the second: by a further offer, in the period
    )
    known = {(vertical_id, bytes(key)) for vertical_id, key in db.session.execute(query)}
    return {lead.id for lead, keys in duplicates.values() if any((lead.vertical_id, key) in known for key in keys)}


def _sales(lead_ids: Sequence[UUID]) -> dict[UUID, list[SaleThen]]:
    found: dict[UUID, list[SaleThen]] = {lead_id: [] for lead_id in lead_ids}
    for sale in db.session.execute(
        select(
            Sale.lead_id, Sale.order_id, Sale.buyer_id, Sale.price_minor, Sale.payout_minor, Sale.sold_at, Sale.state,
            Sale.ended_at, Sale.credited_minor, FurtherSale.resale,
        ).join(FurtherSale, FurtherSale.sale_id == Sale.id, isouter=True)
        .where(Sale.lead_id.in_(lead_ids)).order_by(Sale.sold_at, Sale.id)
    ):  # fmt: skip
        found[sale.lead_id].append(SaleThen(*tuple(sale)[1:]))
    return found
