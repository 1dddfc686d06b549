"""Limiting all orders of a buyer together, and reading how far he has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from core.db import db
from core.errors import Fault, Invalid
from marketplace.orders.buyer_limits import (
    BuyerLimitsBody,
    budgets_in,
    buyer_limit_faults,
    caps_in,
    currency_in,
    warnings_of,
)
from marketplace.orders.buyer_zone import buyer_zone_of
from marketplace.orders.models import NO_CEILING, BuyerCounters, BuyerLimitsVersion, Order
from marketplace.orders.periods import PERIODS, period_starts
from marketplace.orders.standing import limit_together

_CEILINGS = text(
    "UPDATE marketplace.buyer_counters SET leads_ceiling = marketplace.ceiling(caps, leads_before),"
    " spend_ceiling = marketplace.ceiling(budgets, spend_before) WHERE buyer_id = :buyer"
)
_BOUGHT = text(
    "SELECT s.start, count(id) AS leads, coalesce(sum(price_minor) FILTER (WHERE currency = :currency), 0) AS spend"
    " FROM unnest(CAST(:starts AS bigint[])) WITH ORDINALITY AS s (start, n) LEFT JOIN marketplace.sales"
    " ON buyer_id = :buyer AND sold_at >= to_timestamp(start) AND state NOT IN ('refused', 'failed')"
    " GROUP BY s.n, s.start ORDER BY s.n"
)
_LAST = text("SELECT max(sold_at) FROM marketplace.sales WHERE buyer_id = :buyer")
_LEAST_PRICE = text(
    "SELECT min(p.lowest) FROM marketplace.orders o, marketplace.prices_of(o.terms) AS p"
    " WHERE o.buyer_id = :buyer AND o.status = 'active' AND o.terms ->> 'currency' = :currency"
)


@dataclass(frozen=True, slots=True)
class BuyerLimits:
    """A buyer's limits as they hold, and what all of his orders bought in the present periods; zone "" is none."""

    timezone: str
    currency: str | None
    caps: dict[str, int]
    budgets: dict[str, int]
    leads: dict[str, int]
    spend: dict[str, int]
    warnings: list[Fault]


def set_buyer_limits(buyer_id: UUID, body: BuyerLimitsBody, actor: str, at: datetime) -> None:
    """Limit all orders of a buyer together for every lead whose request begins after the commit; a body without limits
    lifts them. What was bought in the present periods counts already.

    Invalid `invalid_limits` with every fault. Locks are taken in the order orders, verticals, their counters, his own.
    """
    if faults := list(buyer_limit_faults(body)):
        raise Invalid(
            "invalid_limits", "The limits cannot be kept as they are; each error says what to change.", faults
        )
    caps, budgets = caps_in(body), budgets_in(body)
    zone = body.timezone if caps or budgets else ""
    if buyer_zone_of(buyer_id, alone=True) != zone:
        for order in _open_orders(buyer_id):
            limit_together(order, zone, actor, at)
    _count(buyer_id, zone, currency_in(body), at)
    row = db.session.get_one(BuyerCounters, buyer_id)
    row.caps, row.budgets = _listed(caps), _listed(budgets)
    last = db.session.scalar(
        select(func.max(BuyerLimitsVersion.version)).where(BuyerLimitsVersion.buyer_id == buyer_id)
    )
    db.session.add(BuyerLimitsVersion(
        buyer_id=buyer_id, version=(last or 0) + 1, timezone=body.timezone, currency=row.currency, caps=row.caps,
        budgets=row.budgets, actor=actor, at=at,
    ))  # fmt: skip
    db.session.flush()
    db.session.execute(_CEILINGS, {"buyer": buyer_id})
    db.session.expire(row)


def buyer_limits(buyer_id: UUID, at: datetime) -> BuyerLimits:
    """Return a buyer's limits with what counts against them now, and what they warn of."""
    row = db.session.get(BuyerCounters, buyer_id)
    if row is None or row.timezone is None:
        return BuyerLimits("", None, {}, {}, {}, {}, [])
    starts = (*period_starts(row.timezone, at), 0)
    return BuyerLimits(
        row.timezone, row.currency, _said(row.caps), _said(row.budgets),
        _since(row, row.total_leads, row.leads_before, starts), _since(row, row.total_spend, row.spend_before, starts),
        list(warnings_of(_said(row.budgets), row.currency, _least_price(buyer_id, row.currency))),
    )  # fmt: skip


def _open_orders(buyer_id: UUID) -> list[Order]:
    """Lock the buyer's open orders by id, and return them vertical by vertical, as everybody changes several."""
    query = select(Order).where(Order.buyer_id == buyer_id, Order.status != "closed").order_by(Order.id)
    rows = db.session.scalars(query.with_for_update().execution_options(populate_existing=True))
    return sorted(rows, key=lambda row: (row.vertical_id, row.id))


def _count(buyer_id: UUID, zone: str, currency: str | None, at: datetime) -> None:
    """Begin the counters, or count anew where the zone or the currency is another one."""
    query = select(BuyerCounters).where(BuyerCounters.buyer_id == buyer_id)
    row = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is not None and (row.timezone or "", row.currency) == (zone, currency):
        return
    values: dict[str, Any] = {"timezone": zone or None, "currency": currency, **_counted(buyer_id, zone, currency, at)}
    if row is None:
        nothing = {
            "caps": _listed({}),
            "budgets": _listed({}),
            "leads_ceiling": NO_CEILING,
            "spend_ceiling": NO_CEILING,
        }
        db.session.add(BuyerCounters(buyer_id=buyer_id, **nothing, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    db.session.flush()


def _counted(buyer_id: UUID, zone: str, currency: str | None, at: datetime) -> dict[str, Any]:
    """Count what was bought in all and since each period began; a sale may have begun a newer period than `at`."""
    last = db.session.scalar(_LAST, {"buyer": buyer_id}) or at
    starts = list(period_starts(zone or "UTC", max(at, last.astimezone(UTC))))
    asked = {"buyer": buyer_id, "currency": currency, "starts": [*starts, 0]}
    *since, in_all = db.session.execute(_BOUGHT, asked).all()
    leads, spend = in_all.leads, int(in_all.spend)
    return {
        "starts": starts, "total_leads": leads, "total_spend": spend,
        "leads_before": [leads - one.leads for one in since], "spend_before": [spend - int(one.spend) for one in since],
    }  # fmt: skip


def _since(row: BuyerCounters, total: int, before: list[int], starts: Iterable[int]) -> dict[str, int]:
    """Return what counts in the present periods; what began before them was counted in an earlier one."""
    begun = [*row.starts, 0]
    return {
        period: total - (before[place] if place < len(before) else 0) if begun[place] >= start else 0
        for place, (period, start) in enumerate(zip(PERIODS, starts, strict=True))
    }


def _least_price(buyer_id: UUID, currency: str | None) -> int | None:
    found: int | None = db.session.scalar(_LEAST_PRICE, {"buyer": buyer_id, "currency": currency}) if currency else None
    return found


def _listed(limits: dict[str, int]) -> list[int | None]:
    return [limits.get(period) for period in PERIODS]


def _said(limits: list[int | None]) -> dict[str, int]:
    return {period: limit for period, limit in zip(PERIODS, limits, strict=True) if limit is not None}
