"""Limits over all orders of a buyer together, over HTTP."""

from msgspec import Struct

from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.schemas import Amount
from marketplace.orders.buyer_limits import BuyerLimitsBody
from marketplace.orders.limiting import BuyerLimits, buyer_limits, set_buyer_limits
from marketplace.web.api import api, shown
from marketplace.web.api.described import describe


class UsedShown(Struct, frozen=True, kw_only=True):
    """What all orders bought in the present period; money of the budgets' currency alone, null without budgets."""

    leads: int
    spent: Amount | None


class WarningShown(Struct, frozen=True, kw_only=True):
    """A limit that is kept and yet lets nothing through."""

    field: str
    code: str
    message: str


class BuyerLimitsShown(Struct, frozen=True, kw_only=True):
    """The limits over all orders, and how far they are used; `timezone` is null when there are none."""

    timezone: str | None
    caps: dict[str, int]
    budget: dict[str, Amount]
    used: dict[str, UsedShown]
    warnings: list[WarningShown]


@api.get("/buyer-limits")
@reads("orders:read")
@describe(BuyerLimitsShown)
def show_buyer_limits(actor: Actor) -> Answer:
    """Show what limits all of the buyer's orders together, and what they bought in the present periods."""
    return Answer(_show(buyer_limits(actor.account_id, business_clock().now())))


@api.put("/buyer-limits")
@writes("orders:write")
@describe(BuyerLimitsShown, takes=BuyerLimitsBody)
def put_buyer_limits(actor: Actor) -> Answer:
    """Limit all of the buyer's orders together for every lead whose request begins after the answer.

    All limits are said at once: what is left out is lifted. What was bought in the present periods counts already.
    """
    asked, at = body(BuyerLimitsBody), business_clock().now()
    set_buyer_limits(actor.account_id, asked, actor.name, at)
    return Answer(_show(buyer_limits(actor.account_id, at)))


def _show(limits: BuyerLimits) -> BuyerLimitsShown:
    currency = limits.currency
    return BuyerLimitsShown(
        timezone=limits.timezone or None, caps=limits.caps,
        budget={period: shown.amount(minor, currency or "") for period, minor in limits.budgets.items()},
        used={period: UsedShown(leads=leads, spent=shown.amount(limits.spend[period], currency) if currency else None)
              for period, leads in limits.leads.items()},
        warnings=[WarningShown(field=one.field, code=one.code, message=one.message) for one in limits.warnings],
    )  # fmt: skip
