"""Placing standing orders and changing them: every change is a new version and makes the vertical's book stale."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import select, text

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.money import BASIS_POINTS
from core.overrides import overrides
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.regions import is_region
from marketplace.catalog.shelf import raise_book_version
from marketplace.catalog.verticals import Vertical
from marketplace.orders.ages import age_faults, ages_of, bands_within, too_long_a_wait
from marketplace.orders.buyer_zone import buyer_zone_of
from marketplace.orders.checks import accept_terms, check_terms
from marketplace.orders.filters import paths_of
from marketplace.orders.models import Order, OrderCounters, OrderVersion
from marketplace.orders.own_settings import own_setting_faults
from marketplace.orders.periods import period_starts
from marketplace.orders.terms import (
    PERIODS,
    PORTAL,
    STATUSES,
    DealTerms,
    OrderBody,
    OrderPatch,
    OrderTerms,
    body_of,
    by_others,
    decode_terms,
    patched,
)

_CEILINGS = text(
    "UPDATE marketplace.order_counters SET leads_ceiling = marketplace.ceiling(caps, leads_before),"
    " spend_ceiling = marketplace.ceiling(budgets, spend_before) WHERE order_id = :order"
)
_SINCE = text(
    "SELECT count(*), coalesce(sum(price_minor), 0) FROM marketplace.sales"
    " WHERE buyer_id = :buyer AND order_id = :order AND sold_at >= to_timestamp(:start)"
    " AND state NOT IN ('refused', 'failed')"  # which were taken out of the totals
)


LIMITING = ("caps", "budget_minor", "weekday_caps", "pacing", "ladder", "buyer_zone")  # what makes an order count
OF_A_DEAL = frozenset({"delivery", "status", "contact_sla"})  # what a buyer may change of an order that is a deal
# What a body calls them.
_SAID_AS = {
    "delivery_kind": "delivery", "price_minor": "price", "price_floor_minor": "price_floor", "budget_minor": "budget",
    "price_ceiling_minor": "price_ceiling", "weekday_caps": "caps", "max_share": "exclusivity",
}  # fmt: skip
_PRESSES = tuple(OrderPatch(status=status) for status in STATUSES)  # what says nothing but whether it buys
SYSTEM = "system"  # how the names of actors begin that are no people
Settings = dict[str, Any]
# Of whom, what is asked, in which vertical, and the settings kept so far; returns those to be kept, and their faults.
JudgeDelivery = Callable[[UUID, Mapping[str, Any], Vertical, Settings | None], tuple[Settings, list[Fault]]]


def portal_only(
    _buyer_id: UUID, document: Mapping[str, Any], _vertical: Vertical, _before: Settings | None
) -> tuple[Settings, list[Fault]]:
    """Know no delivery but the portal: what places orders without the market's own deliveries."""
    if document.get("kind") == PORTAL:
        return {"kind": PORTAL}, []
    return {}, [Fault("delivery.kind", "delivery_not_offered", "Use none and collect the leads in the portal.")]


def as_it_was(
    _buyer_id: UUID, _document: Mapping[str, Any], _vertical: Vertical, before: Settings | None
) -> tuple[Settings, list[Fault]]:
    """Keep a delivery that nobody changes: its address was judged when its buyer gave it, its secrets are his."""
    return dict(before or {}), []


def place_order(
    buyer_id: UUID, body: OrderBody, actor: str, at: datetime, judge_delivery: JudgeDelivery = portal_only,
    deal: DealTerms | None = None,
) -> Order:  # fmt: skip
    """Add an order that holds for every lead whose request begins after the commit; Invalid names every fault.

    `judge_delivery` returns the settings of its delivery as they are kept, and what is wrong with them. With a `deal`
    the order buys from one publisher alone.
    """
    buyer_zone = buyer_zone_of(buyer_id)
    row = db.session.scalar(select(VerticalRow).where(VerticalRow.slug == body.vertical))
    if row is None:
        fault = Fault("vertical", "unknown_vertical", "Choose a vertical that GET /api/v1/verticals lists.")
        raise Invalid("invalid_order", "The order cannot be kept as it is.", [fault])
    accepted = _accepted(buyer_id, body, row, judge_delivery)
    terms = msgspec.structs.replace(accepted, deal=deal, buyer_zone=buyer_zone)
    order = Order(id=new_id(), buyer_id=buyer_id, vertical_id=row.id, version=1, status=terms.status,
                  terms=msgspec.to_builtins(terms), created_at=at, changed_at=at)  # fmt: skip
    db.session.add(order)
    db.session.flush()
    _limit(OrderCounters(order_id=order.id), terms)
    _keep_version(order, actor, at)
    return order


def check_order(body: OrderBody, vertical: Vertical) -> list[Fault]:
    """Return every fault of an order that would be placed in a vertical, but for those of its delivery and settings."""
    return check_terms(
        body, currency=vertical.currency, min_price_minor=vertical.min_price.minor,
        paths=paths_of(field.name for field in vertical.fields), is_region=is_region,
    )  # fmt: skip


def change_order(
    buyer_id: UUID, order_id: UUID, patch: OrderPatch, actor: str, at: datetime, if_version: int | None = None,
    judge_delivery: JudgeDelivery = portal_only,
) -> Order:  # fmt: skip
    """Change an order from the commit on; counters are kept, whatever is edited.

    Whoever pauses what the system has paused makes it his own pause, a version that says the same. Any order can be
    paused, also one that could not be placed any more; a deal's buys again by what was agreed.

    Invalid names every fault; Conflict `version_changed` when it is not the version that the caller has seen.
    """
    order = get_order(buyer_id, order_id, lock=True)
    if if_version is not None and if_version != order.version:
        raise Conflict("version_changed", f"The order is at version {order.version} by now; read it and try again.")
    if order.status == "closed":
        raise Conflict("not_now", "This order is closed for good: place another.")
    row = db.session.get_one(VerticalRow, order.vertical_id)
    before = decode_terms(order.terms)
    if patch in _PRESSES and (patch.status == "paused" or before.deal is not None):
        after = msgspec.structs.replace(before, status=patch.status)
    else:
        accepted = _accepted(buyer_id, patched(body_of(before), patch), row, judge_delivery, before)
        after = _agreed(before, msgspec.structs.replace(accepted, **by_others(before)))
    if patch.status is not UNSET:  # who says so himself is not overruled by the clock
        order.resumes_at = None
    if after == before and not (patch.status == "paused" and _is_paused_by_system(order)):
        return order
    order.terms, order.status = msgspec.to_builtins(after), after.status
    order.version, order.changed_at = order.version + 1, at
    counters = db.session.get_one(OrderCounters, order.id, with_for_update=True)
    if after.timezone != before.timezone or not counters.limited:
        _count_again(counters, order, after.timezone, at)
    _limit(counters, after)
    _keep_version(order, actor, at)
    return order


def _agreed(before: OrderTerms, after: OrderTerms) -> OrderTerms:
    """Return what an order says next; of a deal only what its buyer may change. Conflict `deal_stands` for more."""
    if before.deal is None:
        return after
    kept = msgspec.structs.replace(after, least_minor=before.least_minor)  # which nobody says
    changed = {
        _SAID_AS.get(name, name) for name in kept.__struct_fields__ if getattr(kept, name) != getattr(before, name)
    }
    if more := changed - OF_A_DEAL:
        raise Conflict(
            "deal_stands", f"A deal is what both sides agreed: leave {', '.join(sorted(more))}, or cancel it."
        )
    return kept


def pause_order(order_id: UUID, actor: str, at: datetime) -> Order | None:
    """Pause an active order from the commit on and return it; None, and nothing changed, when it is not active."""
    order = db.session.scalar(select(Order).where(Order.id == order_id, Order.status == "active").with_for_update())
    if order is None:
        return None
    say_order(order, msgspec.structs.replace(decode_terms(order.terms), status="paused"), actor, at)
    return order


def say_order(order: Order, terms: OrderTerms, actor: str, at: datetime) -> None:
    """Make these terms the next version of a locked order, from the commit on; its limits stay as they are.

    Only what is paused may rest: an order that is so no longer is not woken by the clock.
    """
    order.terms, order.status = msgspec.to_builtins(terms), terms.status
    order.resumes_at = order.resumes_at if terms.status == "paused" else None
    order.version, order.changed_at = order.version + 1, at
    _keep_version(order, actor, at)


def limit_together(order: Order, zone: str, actor: str, at: datetime) -> None:
    """Let a locked order be limited together with its buyer's others, by the periods of this zone; alone, for none.

    Who still sells by the version before is refused from the commit on, and asks the new book.
    """
    terms = msgspec.structs.replace(decode_terms(order.terms), buyer_zone=zone)
    say_order(order, terms, actor, at)
    counters = db.session.get_one(OrderCounters, order.id, with_for_update=True, populate_existing=True)
    if not counters.limited:
        _count_again(counters, order, terms.timezone, at)
    counters.zone_version = order.version
    _limit(counters, terms)


def _is_paused_by_system(order: Order) -> bool:
    query = select(OrderVersion.actor).where(OrderVersion.order_id == order.id, OrderVersion.version == order.version)
    return order.status == "paused" and db.session.scalars(query).one().startswith(SYSTEM)


def get_order(buyer_id: UUID, order_id: UUID, lock: bool = False) -> Order:
    """Return one of the buyer's orders; NotFound for anybody else's."""
    query = select(Order).where(Order.id == order_id, Order.buyer_id == buyer_id)
    order = db.session.scalar(query.with_for_update() if lock else query)
    if order is None:
        raise NotFound(detail="There is no order with this id.")
    return order


def orders_of(buyer_id: UUID, after: UUID | None, limit: int) -> list[Order]:
    """Return the buyer's orders, the newest first, from below `after` on."""
    query = select(Order).where(Order.buyer_id == buyer_id).order_by(Order.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Order.id < after) if after else query))


def _accepted(
    buyer_id: UUID, body: OrderBody, row: VerticalRow, judge_delivery: JudgeDelivery, before: OrderTerms | None = None
) -> OrderTerms:
    """Judge an order by its vertical, which is locked then, and once more if somebody changed it meanwhile.

    It is not locked at once, since a delivery is judged by asking for its address.
    """
    judged_by = row.definition
    terms = _judged(buyer_id, body, Vertical.stored(judged_by), judge_delivery, before)
    db.session.refresh(row, with_for_update={"key_share": True})
    if row.definition == judged_by:
        return terms
    return _judged(buyer_id, body, Vertical.stored(row.definition), judge_delivery, before)


def _judged(
    buyer_id: UUID, body: OrderBody, vertical: Vertical, judge_delivery: JudgeDelivery, before: OrderTerms | None
) -> OrderTerms:
    kept = None if before is None else before.delivery
    settings, faults = judge_delivery(buyer_id, body.delivery or {"kind": PORTAL}, vertical, kept)
    is_agreed = before is not None and before.deal is not None  # its price stays, whatever the vertical asks for by now
    return accept_terms(
        msgspec.structs.replace(body, delivery=settings),
        currency=vertical.currency,
        min_price_minor=1 if is_agreed else _least_price(body, vertical),
        paths=paths_of(field.name for field in vertical.fields),
        is_region=is_region,
        more_faults=[
            *faults,
            *own_setting_faults(body.settings or {}, vertical),
            *too_long_a_wait(body.wait_hours, int(vertical.setting("wait.most_hours", exchange=overrides().exchange))),
        ],
    )


def _least_price(body: OrderBody, vertical: Vertical) -> int:
    """Return the least that an order must bid: the vertical's minimum, less of it without the right of return, and less
    for aged leads alone: the percentage of the oldest that it buys.
    """
    kept_bp = BASIS_POINTS
    if not body.returns:
        kept_bp -= int(overrides().setting("order.no_return_discount_bp"))
    if not list(age_faults(body.age, has_ladder=False)) and (ages := ages_of(body.age)) and not ages.falls:
        kept_bp = kept_bp * min(band_bp(vertical, band) for band in bands_within(ages)) // BASIS_POINTS
    return max(-(-vertical.min_price.minor * kept_bp // BASIS_POINTS), 1)


def band_bp(vertical: Vertical, band: str | None) -> int:
    """Return what a lead of a band of ages costs of a fresh one in a vertical, in basis points."""
    if band is None:
        return BASIS_POINTS
    return int(vertical.setting(band, exchange=overrides().exchange))


def _limit(counters: OrderCounters, terms: OrderTerms) -> None:
    """Set the limits; the ceilings that follow from them are worked out where sales work them out too."""
    counters.limited = any(getattr(terms, name) for name in LIMITING)
    counters.caps = [terms.caps.get(period) for period in PERIODS]
    counters.budgets = [terms.budget_minor.get(period) for period in PERIODS]
    db.session.add(counters)
    db.session.flush()
    db.session.execute(_CEILINGS, {"order": counters.order_id})
    db.session.expire(counters)


def _keep_version(order: Order, actor: str, at: datetime) -> None:
    version = OrderVersion(order_id=order.id, version=order.version, status=order.status, terms=order.terms,
                           actor=actor, at=at)  # fmt: skip
    db.session.add(version)
    db.session.flush()
    raise_book_version(order.vertical_id)


def _count_again(counters: OrderCounters, order: Order, zone: str, at: datetime) -> None:
    """Count the present periods anew, as the zone has moved their borders or nothing has limited the order so far.

    The counters' row is locked meanwhile; a sale that came before the lock may have begun a newer period than `at`.
    """
    counters.zone_version = order.version
    counters.starts = list(period_starts(zone, max(at, counters.last_sold_at or at)))
    counted = [
        db.session.execute(_SINCE, {"buyer": order.buyer_id, "order": order.id, "start": start}).one()
        for start in counters.starts
    ]
    counters.leads_before = [counters.total_leads - leads for leads, _ in counted]
    counters.spend_before = [counters.total_spend - int(spend) for _, spend in counted]
