"""The breakers of endpoints in the database: each attempt is counted, each move changes the books in the same step.

Processes agree through the endpoint's row, which is locked whenever its state is judged. It is locked after a sale and
its money and before the books of verticals.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.dialects.postgresql import insert

from core.clock import as_rfc3339
from core.db import db
from core.ids import new_id
from marketplace.catalog.shelf import raise_book_version
from marketplace.leads.delivery.breaker import PAUSED, Health, Minute, Outcome, State, after, roused, sums
from marketplace.leads.delivery.endpoint_news import tell_paused, tell_resumed
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.events import move
from marketplace.orders.models import Order, OrderVersion

ACTOR = "system:breaker"
_TOLD: dict[str, Outcome] = {"accepted": "answered", "refused": "answered", "error": "failed"}
_SAYS = {
    "half_open": "the pause is over; the next lead is sent to try it",
    "probing": "endpoint paused until the one lead that tries it is answered",
    "closed": "it answers again",
}
_OLDEST_DUE = text("""
    SELECT d.sale_id FROM marketplace.deliveries d
    JOIN marketplace.order_versions v ON v.order_id = d.order_id AND v.version = d.order_version
    WHERE d.state = 'waiting' AND d.next_attempt_at <= :at AND d.buyer_id = :buyer AND v.endpoint = :address
    ORDER BY d.next_attempt_at LIMIT 1
""")
_PAUSED_THEN = text("""
    SELECT v.order_id, then_.why
    FROM unnest(CAST(:orders AS uuid[]), CAST(:versions AS integer[])) AS asked (id, version)
    JOIN marketplace.orders o ON o.id = asked.id
    JOIN marketplace.order_versions v ON v.order_id = asked.id AND v.version = asked.version
    JOIN marketplace.endpoints e ON e.buyer_id = o.buyer_id AND e.address = v.endpoint
    CROSS JOIN LATERAL (
        SELECT ev.move, ev.why FROM marketplace.events ev
        WHERE ev.subject_id = e.id AND ev.at <= :at ORDER BY ev.id DESC LIMIT 1) AS then_
    WHERE split_part(then_.move, '>', 2) = ANY(:paused)
""")
_MOVES = text("""
    SELECT v.version, ev.at, split_part(ev.move, '>', 2) = ANY(:paused) AS is_paused
    FROM marketplace.order_versions v
    JOIN marketplace.orders o ON o.id = v.order_id
    JOIN marketplace.endpoints e ON e.buyer_id = o.buyer_id AND e.address = v.endpoint
    JOIN marketplace.events ev ON ev.subject_id = e.id
    WHERE v.order_id = :order AND ev.at < :until ORDER BY ev.id
""")


def record(row: DeliveryRow, outcome: str, at: datetime) -> None:
    """Count what an attempt to deliver came to, and pause or resume its endpoint accordingly.

    `outcome` is a verdict's. Called once an attempt, last in its transaction.
    """
    version = db.session.get_one(OrderVersion, (row.order_id, row.order_version))
    if version.endpoint is None:
        return
    endpoint = _locked(row.buyer_id, version.endpoint)
    is_probe = endpoint.probe_sale_id == row.sale_id
    _keep(endpoint, after(_health_of(endpoint), _TOLD.get(outcome, "not_sent"), is_probe, at), None, at)


def admits(row: DeliveryRow, at: datetime) -> bool:
    """Tell whether a sale may be sent to its endpoint now; of those asking while it is half open, one may, to probe it.

    Its verdict must be recorded.
    """
    version = db.session.get_one(OrderVersion, (row.order_id, row.order_version))
    query = select(Endpoint).where(Endpoint.buyer_id == row.buyer_id, Endpoint.address == version.endpoint,
                                   Endpoint.state != "closed")  # fmt: skip
    endpoint = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if endpoint is None or endpoint.state == "closed":
        return True
    _keep(endpoint, roused(_health_of(endpoint), at), None, at)
    if endpoint.state == "half_open":
        _keep(endpoint, _health_of(endpoint)._replace(state="probing"), row.sale_id, at)
    return endpoint.probe_sale_id == row.sale_id


def tend(at: datetime) -> bool:
    """Rouse the endpoints that have rested long enough, and let the oldest lead due at each probe it.

    Returns whether leads may be waiting for an endpoint to which nothing is sent.
    """
    query = select(Endpoint).where(Endpoint.state != "closed").order_by(Endpoint.id)
    query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    endpoints = list(db.session.scalars(query))
    for endpoint in endpoints:
        if endpoint.state == "probing" and not _is_on_its_way(endpoint.probe_sale_id):
            _keep(endpoint, _health_of(endpoint)._replace(state="half_open"), None, at)
        _keep(endpoint, roused(_health_of(endpoint), at), None, at)
        if endpoint.state == "half_open":
            asked = {"buyer": endpoint.buyer_id, "address": endpoint.address, "at": at}
            probe = db.session.scalar(_OLDEST_DUE, asked)
            if probe is not None:
                _keep(endpoint, _health_of(endpoint)._replace(state="probing"), probe, at)
    return any(endpoint.state in PAUSED for endpoint in endpoints)


def rouse(endpoint: Endpoint, why: str, actor: str, at: datetime) -> None:
    """Let the next lead try a paused endpoint at once instead of after its rest; the caller holds its lock.

    Conflict `not_now` when it is not resting.
    """
    endpoint.probe_at, endpoint.probe_sale_id = at, None
    move(endpoint, "half_open", actor, at, why)
    _make_books_stale(endpoint)
    db.session.flush()


def _is_on_its_way(sale_id: UUID | None) -> bool:
    """Tell whether a probe may still be answered: its sale may have been ended by another hand than a courier's."""
    query = select(DeliveryRow.sale_id).where(DeliveryRow.sale_id == sale_id, DeliveryRow.ended_at.is_(None))
    return db.session.scalar(query) is not None


def endpoints_of(orders: list[Order]) -> dict[UUID, Endpoint]:
    """Return the endpoint of each of these orders, as far as anything was ever sent there."""
    places = {(order.buyer_id, order.endpoint) for order in orders if order.endpoint}
    if not places:
        return {}
    same = [(Endpoint.buyer_id == buyer) & (Endpoint.address == address) for buyer, address in places]
    known = {(one.buyer_id, one.address): one for one in db.session.scalars(select(Endpoint).where(or_(*same)))}
    found = {order.id: known.get((order.buyer_id, order.endpoint or "")) for order in orders}
    return {order_id: one for order_id, one in found.items() if one is not None}


def pauses_at(versions: Mapping[UUID, int], at: datetime) -> dict[UUID, str]:
    """Return of which of these order versions the endpoint was paused at an instant, and what was said of it."""
    asked = {"orders": list(versions), "versions": list(versions.values()), "at": at, "paused": sorted(PAUSED)}
    return {row.order_id: row.why for row in db.session.execute(_PAUSED_THEN, asked)}


def paused_by_version(order_id: UUID, until: datetime) -> dict[int, list[tuple[datetime, bool]]]:
    """Return since when the endpoint of each version of an order was paused, or not any more, in their order."""
    found: dict[int, list[tuple[datetime, bool]]] = {}
    asked = {"order": order_id, "until": until, "paused": sorted(PAUSED)}
    for row in db.session.execute(_MOVES, asked):
        found.setdefault(row.version, []).append((row.at, row.is_paused))
    return found


def _locked(buyer_id: UUID, address: str) -> Endpoint:
    query = select(Endpoint).where(Endpoint.buyer_id == buyer_id, Endpoint.address == address)
    query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalar(query)
    if found is None:
        values = {"id": new_id(), "buyer_id": buyer_id, "address": address}
        db.session.execute(insert(Endpoint).values(values).on_conflict_do_nothing())
        found = db.session.scalars(query).one()
    return found


def _health_of(endpoint: Endpoint) -> Health:
    recent = tuple(Minute(*one) for one in endpoint.recent)
    return Health(cast("State", endpoint.state), recent, endpoint.pauses, endpoint.probe_at)


def _keep(endpoint: Endpoint, health: Health, probe: UUID | None, at: datetime) -> None:
    """Write a health down; a move leaves its event, makes the books stale when it matters to them, and is told."""
    before = endpoint.state
    endpoint.recent, endpoint.pauses = [list(one) for one in health.recent], health.pauses
    if health.state != before:
        endpoint.probe_at, endpoint.probe_sale_id = health.probe_at, probe
        move(endpoint, health.state, ACTOR, at, _why(health))
        if (before in PAUSED) != (health.state in PAUSED):
            _make_books_stale(endpoint)
        if before == "closed":
            tell_paused(endpoint, _why(health), at)
        elif health.state == "closed":
            tell_resumed(endpoint, at)
    db.session.flush()


def _why(health: Health) -> str:
    if health.state == "open" and health.probe_at is not None:
        attempts, failures = sums(health.recent)
        return f"{failures} of {attempts} attempts failed; endpoint paused until {as_rfc3339(health.probe_at)}"
    return _SAYS[health.state]


def _make_books_stale(endpoint: Endpoint) -> None:
    query = select(Order.vertical_id).where(Order.buyer_id == endpoint.buyer_id, Order.endpoint == endpoint.address,
                                            Order.status == "active")  # fmt: skip
    for vertical_id in sorted(set(db.session.scalars(query))):
        raise_book_version(vertical_id)
