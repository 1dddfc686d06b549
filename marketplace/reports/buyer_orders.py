"""A buyer's orders: how each stands, what it bought today, and how the place does that its leads are sent to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from core.db import db
from core.keyset import Asked, Columns, part_of
from core.money import Money
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.endpoints import endpoints_of
from marketplace.leads.models import Sale
from marketplace.orders.models import Order, OrderCounters, OrderVersion
from marketplace.orders.periods import period_starts
from marketplace.orders.standing import get_order
from marketplace.orders.terms import OrderTerms, decode_terms, show_terms

SORTS: Columns = {"created": Order.created_at}
DAY = 1  # the day's place among the periods that are counted
Bought = tuple[int, int]
"""How many leads, and what they cost in minor units."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One order as its buyer looks after it; `endpoint` is ok, trying or paused, None where nothing is sent by HTTP."""

    id: UUID
    version: int
    terms: OrderTerms
    leads_today: int
    spent_today: Money
    endpoint: str | None
    paused_until: datetime | None
    resumes_at: datetime | None = None

    @property
    def price(self) -> Money:
        """Return what it pays for a lead."""
        return Money(self.terms.price_minor, self.terms.currency)

    @property
    def day_budget(self) -> Money | None:
        """Return the most that it spends a day."""
        minor = self.terms.budget_minor.get("day")
        return None if minor is None else Money(minor, self.terms.currency)


@dataclass(frozen=True, slots=True)
class OrderLines:
    """One part of the list of orders."""

    asked: Asked
    rows: Sequence[OrderLine]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many orders there are, and how many of them buy."""

    orders: int
    active: int


@dataclass(frozen=True, slots=True)
class Change:
    """One term that somebody else changed: as it was when it was read, and as it is now."""

    term: str
    before: object
    now: object


def order_lines(buyer_id: UUID, asked: Asked, status: str | None, at: datetime) -> OrderLines:
    """Return one part of the buyer's orders, with what each bought in the present day of its own zone."""
    query = select(Order).where(Order.buyer_id == buyer_id)
    part = part_of(query.where(Order.status == status) if status else query, asked, SORTS, Order.id)
    orders = list(part.rows)
    terms = {row.id: decode_terms(row.terms) for row in orders}
    bought, endpoints = bought_today(buyer_id, terms, at), endpoints_of(orders)
    lines = [_line(row, terms[row.id], bought[row.id], endpoints.get(row.id)) for row in orders]
    return OrderLines(asked, lines, part.next_cursor)


def count_orders(buyer_id: UUID) -> Count:
    """Count the buyer's orders."""
    query = select(func.count(), func.count().filter(Order.status == "active")).where(Order.buyer_id == buyer_id)
    return Count(*db.session.execute(query).one())


def bought_today(buyer_id: UUID, terms: Mapping[UUID, OrderTerms], at: datetime) -> dict[UUID, Bought]:
    """Return what each order bought in the day that its caps count; of unlimited orders the sales are counted."""
    starts = {order: period_starts(one.timezone, at)[DAY] for order, one in terms.items()}
    rows = db.session.scalars(select(OrderCounters).where(OrderCounters.order_id.in_(starts)))
    counted = {row.order_id: _since(row, starts[row.order_id]) for row in rows if row.limited}
    return counted | _sold_since(buyer_id, {order: start for order, start in starts.items() if order not in counted})


def _since(row: OrderCounters, start: int) -> Bought:
    if row.starts[DAY] < start:  # nothing was sold since the day began
        return 0, 0
    return row.total_leads - row.leads_before[DAY], row.total_spend - row.spend_before[DAY]


def _sold_since(buyer_id: UUID, starts: Mapping[UUID, int]) -> dict[UUID, Bought]:
    found: dict[UUID, Bought] = dict.fromkeys(starts, (0, 0))
    if not starts:
        return found
    since = {order: datetime.fromtimestamp(start, UTC) for order, start in starts.items()}
    own = or_(*((Sale.order_id == order) & (Sale.sold_at >= start) for order, start in since.items()))
    query = select(Sale.order_id, func.count(), func.sum(Sale.price_minor)).where(
        Sale.buyer_id == buyer_id, Sale.sold_at >= min(since.values()), own
    )
    for order, leads, spent in db.session.execute(query.group_by(Sale.order_id)):
        found[order] = leads, int(spent)
    return found


def _line(row: Order, terms: OrderTerms, bought: Bought, endpoint: Endpoint | None) -> OrderLine:
    state = None if row.endpoint is None else "ok" if endpoint is None else _word(endpoint.state)
    until = endpoint.probe_at if endpoint and endpoint.state == "open" else None
    return OrderLine(row.id, row.version, terms, bought[0],
                     Money(bought[1], terms.currency), state, until, row.resumes_at)  # fmt: skip


def _word(state: str) -> str:
    return {"closed": "ok", "open": "paused"}.get(state, "trying")


def changes_since(buyer_id: UUID, order_id: UUID, version: int) -> list[Change]:
    """Return what differs between a version of the buyer's order and the present one, term by term."""
    order = get_order(buyer_id, order_id)
    seen = db.session.get(OrderVersion, (order_id, version))
    if seen is None:
        return []
    before, now = show_terms(decode_terms(seen.terms)), show_terms(decode_terms(order.terms))
    changes = [Change(term, before[term], now[term]) for term in now if before[term] != now[term]]
    return [_of_delivery(one) if one.term == "delivery" else one for one in changes]


def _of_delivery(change: Change) -> Change:
    """Tell what kind of delivery it was and is; the rest of its settings may be secret."""
    kinds = [one["kind"] if isinstance(one, dict) else one for one in (change.before, change.now)]
    return Change(change.term, *kinds)
