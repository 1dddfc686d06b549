"""Where orders stand in their vertical's distribution, by the operator's word: a priority, and a target share."""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import select, text

from core.db import db
from core.errors import Fault, Invalid
from core.ids import parse_id, show_id
from marketplace.catalog.shelf import get_vertical
from marketplace.orders.models import Order
from marketplace.orders.standing import say_order
from marketplace.orders.terms import OrderTerms, decode_terms

MOST = 1_000_000
_COUNT_ANEW = text(
    "WITH locked AS (SELECT c.order_id FROM marketplace.order_counters c JOIN marketplace.orders o ON o.id = c.order_id"
    " WHERE o.vertical_id = :vertical ORDER BY c.order_id FOR UPDATE OF c)"
    " UPDATE marketplace.order_counters c SET weighed_from = total_leads FROM locked WHERE locked.order_id = c.order_id"
)


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one order stands: the lowest priority comes first; null is none, and whoever has none comes last."""

    order: str
    priority: int | None = None
    target_share: int | None = None


def set_places(slug: str, asked: Sequence[Place], actor: str, at: datetime) -> list[Order]:
    """Say where some orders of a vertical stand, for every lead posted from the commit on; the others stay.

    A new target share begins the count of what each order of the vertical has received anew. Invalid `invalid_places`
    with every fault: unknown orders, numbers out of range, target shares that sum to nothing where the vertical
    goes by them.
    """
    vertical_id, vertical = get_vertical(slug)
    places = {_id_of(one): one for one in asked}
    rows = _open_orders(vertical_id, lock=True)
    before = {row.id: decode_terms(row.terms) for row in rows}
    after = {row.id: _placed(before[row.id], places.get(row.id)) for row in rows}
    faults = [*_faults(asked, before)]
    if vertical.distribution.rule == "weighted" and not any(terms.target_share for terms in after.values()):
        faults.append(Fault("orders", "no_target_shares", "Give at least one order a target share."))
    if faults:
        raise Invalid("invalid_places", "Nothing was kept; each fault is named.", faults)
    changed = [row for row in rows if after[row.id] != before[row.id]]
    for row in changed:
        say_order(row, after[row.id], actor, at)
    if any(after[row.id].target_share != before[row.id].target_share for row in changed):
        db.session.execute(_COUNT_ANEW, {"vertical": vertical_id})
        db.session.expire_all()
    return rows


def orders_placed(slug: str) -> list[Order]:
    """Return the open orders of a vertical by id, without deals; NotFound when there is no such vertical."""
    return _open_orders(get_vertical(slug)[0])


def _open_orders(vertical_id: int, lock: bool = False) -> list[Order]:
    query = select(Order).where(Order.vertical_id == vertical_id, Order.status != "closed").order_by(Order.id)
    rows = db.session.scalars(query.with_for_update() if lock else query)
    return [row for row in rows if row.terms.get("deal") is None]  # deals come before all ranks


def _placed(terms: OrderTerms, place: Place | None) -> OrderTerms:
    if place is None:
        return terms
    return msgspec.structs.replace(terms, priority=place.priority or 0, target_share=place.target_share or 0)


def _id_of(place: Place) -> UUID:
    return parse_id("ord", place.order)


def _faults(asked: Sequence[Place], known: Container[UUID]) -> Iterator[Fault]:
    seen: set[UUID] = set()
    for number, one in enumerate(asked):
        if (order := _id_of(one)) not in known:
            yield Fault(f"orders.{number}.order", "unknown_order", "Name an open order of this vertical.")
        elif order in seen:
            yield Fault(f"orders.{number}.order", "said_twice", f"{show_id('ord', order)} stands above already.")
        seen.add(order)
        for name in ("priority", "target_share"):
            value = getattr(one, name)
            if value is not None and not 1 <= value <= MOST:
                yield Fault(f"orders.{number}.{name}", "out_of_range", f"Say 1 to {MOST}, or null for none.")
