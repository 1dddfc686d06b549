"""What had been bought when a period began: by each order, and by each buyer whom limits held back until it ended."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from core.db import db
from marketplace.what_if.counting import Bought, months_before

_STREAM = {"yield_per": 1000}
_STOOD = "NOT (s.state IN ('refused', 'failed') AND s.ended_at < :since)"
_LONG_AGO = text(
    "SELECT s.order_id, s.buyer_id, s.currency, count(*) FILTER (WHERE " + _STOOD + ") AS leads,"
    " coalesce(sum(s.price_minor) FILTER (WHERE " + _STOOD + "), 0)::bigint AS spend, max(s.sold_at) AS last_at"
    " FROM marketplace.sales s WHERE s.sold_at < :month GROUP BY s.order_id, s.buyer_id, s.currency"
)
_LATELY = text(
    "SELECT s.order_id, s.buyer_id, s.currency, s.price_minor, s.sold_at, "
    + _STOOD
    + " AS stood FROM marketplace.sales s"
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
_ORDERS_IN = text("SELECT id FROM marketplace.orders WHERE vertical_id = :id")
_LIMITED = text("SELECT DISTINCT buyer_id FROM marketplace.buyer_limits WHERE at < :until")


Orders = dict[UUID, Bought]
Buyers = dict[tuple[UUID, str], Bought]


def bought_before(since: datetime, until: datetime) -> tuple[Orders, Buyers]:
    """Return what each order had bought at `since`, and, by currency, each buyer who had limits before `until`."""
    asked = {"since": since, "month": months_before(since), "until": until}
    orders: Orders = {}
    buyers: Buyers = {}
    limited = frozenset(db.session.scalars(_LIMITED, asked))
    for row in db.session.execute(_LONG_AGO, asked):
        for counted in _counted(row, orders, buyers, limited):
            counted.add_long_ago(row.leads, row.spend, row.last_at)
    for row in db.session.execute(_LATELY, asked, execution_options=_STREAM):
        for counted in _counted(row, orders, buyers, limited):
            counted.count(row.price_minor, row.sold_at)
            if not row.stood:
                counted.uncount(row.price_minor, row.sold_at)
    _weigh(orders, asked)
    for buyer_id in limited:
        if not any(known == buyer_id for known, _ in buyers):
            buyers[buyer_id, ""] = Bought()  # who has bought nothing yet is counted, too
    return orders, buyers


def _counted(row: Any, orders: Orders, buyers: Buyers, limited: frozenset[UUID]) -> Iterable[Bought]:
    yield orders.setdefault(row.order_id, Bought())
    if row.buyer_id in limited:
        yield buyers.setdefault((row.buyer_id, row.currency), Bought())


def _weigh(orders: Orders, asked: dict[str, datetime]) -> None:
    """Say of how many leads the target share of each order is, where shares were said anew."""
    for vertical in db.session.execute(_WEIGHED, asked).all():
        more = {"vertical": vertical.vertical_id, "weighed": vertical.since}
        received = {row.order_id: row.leads for row in db.session.execute(_RECEIVED, asked | more)}
        for order_id in db.session.scalars(_ORDERS_IN, {"id": vertical.vertical_id}):
            if (one := orders.get(order_id)) is not None:
                one.weighed_from = one.total_leads - received.get(order_id, 0)
