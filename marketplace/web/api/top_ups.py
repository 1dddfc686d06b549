"""Money in and out of a wallet by card: payment pages, and unused money sent back to the cards that paid it."""

from datetime import datetime
from typing import Annotated

from msgspec import Struct

from billing import Payer, TopUp, get_top_up, give_backs_of, start_give_back, start_top_up, top_ups_of
from core.db import transaction
from core.errors import Fault, Invalid
from core.http import Answer, body, business_clock, calls_out, created, reads, writes
from core.identity import Actor, get_account
from core.ids import parse_id, show_id
from core.money import Money, is_currency
from core.schemas import Amount
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant, instant_or_none
from marketplace.web.card_ways import ways_back

TopUpState = Annotated[str, one_of(("opening", "open", "paid", "expired", "refused", "set_aside"))]


class AmountAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much."""

    amount: Amount


class TopUpAsked(AmountAsked, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much, and whether the card that pays is saved, to be charged later by automatic top-up."""

    save_card: bool = False


class TopUpShown(Struct, frozen=True, kw_only=True):
    """A top-up: whoever opens `checkout_url` pays there; the wallet has the amount once `state` is paid.

    `set_aside` is money that arrived and was not what was asked for; an operator looks at it.
    """

    id: str
    state: TopUpState
    amount: Amount
    checkout_url: str | None
    opened_at: datetime
    ended_at: datetime | None


class RefundShown(Struct, frozen=True, kw_only=True):
    """Unused money on its way back: what of it was sent to cards, and what came back into the wallet."""

    id: str
    amount: Amount
    sent: Amount
    failed: Amount
    ordered_at: datetime


class RefundOrdered(RefundShown, frozen=True, kw_only=True):
    """Unused money that was just ordered back; `recharge_switched_off` says whether it was on."""

    recharge_switched_off: bool


@api.post("/wallet/top-ups")
@calls_out("wallet:write")
@describe(TopUpShown, takes=TopUpAsked, status=201)
def post_top_up(actor: Actor) -> Answer:
    """Open a payment page for a top-up."""
    wish = body(TopUpAsked)
    asked = money_of(wish.amount)
    with transaction():
        registered_at = get_account(actor.account_id).registered_at
    payer = Payer(actor.account_id, registered_at, actor.name)
    return created(_shown(start_top_up(payer, asked, ways_back(), business_clock().now(), saves_card=wish.save_card)))


@api.get("/wallet/top-ups")
@reads("wallet:read")
@describe(TopUpShown, is_list=True)
def list_top_ups(actor: Actor) -> Answer:
    """List the newest fifty top-ups."""
    return Answer({"items": [_shown(each) for each in top_ups_of(actor.account_id)], "next_cursor": None})


@api.get("/wallet/top-ups/<top_up_id>")
@reads("wallet:read")
@describe(TopUpShown)
def show_top_up(actor: Actor, top_up_id: str) -> Answer:
    """Show one top-up."""
    return Answer(_shown(get_top_up(actor.account_id, parse_id("top", top_up_id))))


@api.post("/refunds")
@writes("wallet:write")
@describe(RefundOrdered, takes=AmountAsked, status=201)
def post_refund(actor: Actor) -> Answer:
    """Send unused money back to the cards that paid it; it leaves the wallet at once.

    Automatic top-up of this wallet is switched off by it, and can be switched on again a day later.
    """
    asked, at = money_of(body(AmountAsked).amount), business_clock().now()
    order = start_give_back(actor.account_id, asked, actor.name, at)
    nothing = amount(0, asked.currency)
    return created(RefundOrdered(
        id=show_id("ref", order.id), amount=amount(asked.minor, asked.currency), sent=nothing, failed=nothing,
        ordered_at=instant(at), recharge_switched_off=order.switched_off,
    ))  # fmt: skip


@api.get("/refunds")
@reads("wallet:read")
@describe(RefundShown, is_list=True)
def list_refunds(actor: Actor) -> Answer:
    """List what was sent back, the newest first."""
    items = [
        RefundShown(id=show_id("ref", order.id), amount=amount(order.amount_minor, order.currency),
                    sent=amount(sent, order.currency), failed=amount(failed, order.currency),
                    ordered_at=instant(order.ordered_at))
        for order, sent, failed in give_backs_of(actor.account_id)
    ]  # fmt: skip
    return Answer({"items": items, "next_cursor": None})


def money_of(asked: Amount) -> Money:
    """Read an amount; Invalid with its field when it has too many decimals or another currency than are traded."""
    if not is_currency(asked.currency):
        fault = Fault("amount.currency", "unknown_currency", "Send a traded currency, such as EUR.")
        raise Invalid("invalid_amount", "This amount cannot be used.", [fault])
    try:
        return Money.parse(asked.amount, asked.currency)
    except ValueError:
        fault = Fault("amount.amount", "too_many_decimals", "Send an amount in whole cents.")
        raise Invalid("invalid_amount", "This amount cannot be used.", [fault]) from None


def _shown(row: TopUp) -> TopUpShown:
    return TopUpShown(
        id=show_id("top", row.id), state=row.state, amount=amount(row.amount_minor, row.currency),
        checkout_url=row.checkout_url if row.state == "open" else None, opened_at=instant(row.opened_at),
        ended_at=instant_or_none(row.ended_at),
    )  # fmt: skip
