"""Several orders placed and changed in one transaction: all of them, or none and every fault of every one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import select

from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.money import Money
from marketplace.orders.models import Order
from marketplace.orders.said import MoneyBody
from marketplace.orders.standing import JudgeDelivery, as_it_was, change_order, place_order
from marketplace.orders.terms import BudgetBody, CapsBody, OrderBody, OrderPatch, decode_terms

MOST_ORDERS = 1000
MIN_PERCENT, MAX_PERCENT = -90, 900
_REFUSED = "Nothing was changed; each error says what to mend."


class Wish(NamedTuple):
    """One order to place, or one to change; `place` names it in faults."""

    place: str
    asked: OrderBody | OrderPatch
    order_id: UUID | None = None
    if_version: int | None = None


class ManyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders are changed alike: their price by so many percent, their state, limits, which change by period."""

    orders: list[str]
    price_percent: int | None = None
    status: str | UnsetType = UNSET
    caps: CapsBody | UnsetType = UNSET
    budget: BudgetBody | UnsetType = UNSET


def carry_out_wishes(
    buyer_id: UUID, wishes: Sequence[Wish], actor: str, at: datetime, judge_delivery: JudgeDelivery
) -> list[Order]:
    """Place and change the buyer's orders from the commit on and return them in order; Invalid names every fault.

    Orders are locked in the order of their ids and changed vertical by vertical, so that two such calls never wait for
    each other in a circle.
    """
    verticals = _lock(buyer_id, [wish.order_id for wish in wishes if wish.order_id])
    done, faults = dict[int, Order](), list[Fault]()
    for place in sorted(range(len(wishes)), key=lambda one: _turn(wishes[one], verticals)):
        wish = wishes[place]
        try:
            done[place] = _one(buyer_id, wish, actor, at, judge_delivery, verticals)
        except (Invalid, Conflict) as refused:
            faults += _placed(wish.place, refused)
    if faults:
        raise Invalid("invalid_order", _REFUSED, faults)
    return [done[place] for place in range(len(wishes))]


def change_alike(buyer_id: UUID, ids: Sequence[UUID], body: ManyBody, actor: str, at: datetime) -> list[Order]:
    """Change the buyer's orders alike, all or none; Invalid names every fault, for a change that says nothing too."""
    if faults := list(_body_faults(body, ids)):
        raise Invalid("invalid_order", _REFUSED, faults)
    prices = _prices(buyer_id, ids, body.price_percent)
    patch = OrderPatch(status=body.status, caps=body.caps, budget=body.budget)
    wishes = [
        Wish(f"orders.{place}", msgspec.structs.replace(patch, price=prices.get(order_id, UNSET)), order_id)
        for place, order_id in enumerate(ids)
    ]
    return carry_out_wishes(buyer_id, wishes, actor, at, as_it_was)


def _body_faults(body: ManyBody, ids: Sequence[UUID]) -> Iterator[Fault]:
    if not 1 <= len(ids) <= MOST_ORDERS or len(set(ids)) < len(ids):
        yield Fault("orders", "out_of_range", f"Name 1 to {MOST_ORDERS} orders, each once.")
    percent = body.price_percent
    if percent is not None and (percent == 0 or not MIN_PERCENT <= percent <= MAX_PERCENT):
        yield Fault("price_percent", "out_of_range", f"Write whole percent from {MIN_PERCENT} to {MAX_PERCENT}, not 0.")
    if percent is None and body.status is UNSET and body.caps is UNSET and body.budget is UNSET:
        yield Fault("price_percent", "required", "Say what is changed: price_percent, status, caps or budget.")


def _prices(buyer_id: UUID, ids: Sequence[UUID], percent: int | None) -> dict[UUID, MoneyBody]:
    """Return the changed prices of locked orders, rounded half a minor unit up."""
    if percent is None:
        return {}
    _lock(buyer_id, ids)
    rows = db.session.scalars(select(Order).where(Order.buyer_id == buyer_id, Order.id.in_(ids)))
    terms = {row.id: decode_terms(row.terms) for row in rows}
    minors = {key: (one.price_minor * (100 + percent) * 2 + 100) // 200 for key, one in terms.items()}
    return {key: MoneyBody(str(Money(minors[key], one.currency)), one.currency) for key, one in terms.items()}


def _lock(buyer_id: UUID, ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock the buyer's orders and return the vertical of each; what is missing is nobody's or somebody else's."""
    query = select(Order).where(Order.buyer_id == buyer_id, Order.id.in_(ids)).order_by(Order.id).with_for_update()
    rows = db.session.scalars(query.execution_options(populate_existing=True))
    return {row.id: row.vertical_id for row in rows}


def _turn(wish: Wish, verticals: dict[UUID, int]) -> tuple[int, str]:
    """Sort changes by vertical; new orders come last, by the name of theirs."""
    if wish.order_id is not None:
        return verticals.get(wish.order_id, 0), wish.order_id.hex
    return 2**31, str(wish.asked.vertical)


def _one(
    buyer_id: UUID, wish: Wish, actor: str, at: datetime, judge_delivery: JudgeDelivery, known: dict[UUID, int]
) -> Order:
    if isinstance(wish.asked, OrderBody):
        return place_order(buyer_id, wish.asked, actor, at, judge_delivery)
    assert wish.order_id is not None
    if wish.order_id not in known:
        raise Invalid("invalid_order", _REFUSED, [Fault("id", "unknown_order", "Name one of your own orders.")])
    return change_order(buyer_id, wish.order_id, wish.asked, actor, at, wish.if_version, judge_delivery)


def _placed(place: str, refused: Invalid | Conflict) -> list[Fault]:
    """Return the faults of one order under its place."""
    found = refused.faults or [Fault("version", refused.code, refused.detail)]
    return [Fault(f"{place}.{fault.field}", fault.code, fault.message) for fault in found]
