"""A publisher's payouts over HTTP: what was paid, or not and why; the next one; one that is asked for."""

from datetime import date, datetime
from typing import Annotated

from flask import request
from msgspec import Struct

from affiliates import SENTENCES, NextPayout, next_payout_of
from billing import PayoutRail, ShownPayout, get_payout, payouts_of, to_pay
from core.errors import Fault, Invalid
from core.http import Answer, body, business_clock, created, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.money import is_currency
from core.paging import read_page
from core.schemas import Amount
from marketplace.payout_acts import ask, masked
from marketplace.reports.payouts import expected_on
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.balances import CURRENCY, asked_currency
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant, instant_or_none

STATES = ("skipped", "drafted", "approved", "ordered", "sent", "paid", "refused", "failed", "reversed", "withdrawn")
State = Annotated[str, one_of(STATES)]
RailKind = Annotated[str, one_of(("connect", "sepa", "wise", "paypal"))]


class PayoutAsked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """In which currency all that is payable is asked for."""

    currency: str = "EUR"


class RailShown(Struct, frozen=True, kw_only=True):
    """Where payouts go, in part, and whether they arrive there; it is said on the pages alone."""

    kind: RailKind
    state: Annotated[str, one_of(("opening", "pending", "ready", "blocked", "closed"))]
    place: str
    reason: str | None
    message: str | None


class PayoutShown(Struct, frozen=True, kw_only=True):
    """A payout, or a day on which there was none: `reason` and `message` say why it stands where it stands.

    `returned` is what of it is payable again. `expected_on` is the day on which it should be at the bank.
    """

    id: str
    state: State
    amount: Amount
    returned: Amount
    reason: str | None
    message: str | None
    rail: RailKind | None
    place: str | None
    due_on: date
    expected_on: date | None
    drafted_at: datetime
    ordered_at: datetime | None
    changed_at: datetime


class NextPayoutShown(Struct, frozen=True, kw_only=True):
    """The next day of payouts, and what would be paid by what is payable today, or why nothing."""

    on: date
    schedule: Annotated[str, one_of(("monthly", "twice_a_month", "weekly"))]
    amount: Amount
    threshold: Amount
    reason: str | None
    message: str | None
    on_request: bool
    rail: RailShown | None


@api.get("/payouts")
@reads("balance:read")
@describe(PayoutShown, pages=True)
def list_payouts(actor: Actor) -> Answer:
    """List the publisher's payouts, and the days on which there was none, the newest first."""
    asked = read_page("pay", request.args)
    rows = payouts_of(actor.account_id, asked.limit + 1, asked.after)
    cursor = show_id("pay", rows[asked.limit - 1].payout.id) if len(rows) > asked.limit else None
    return Answer({"items": [_shown(row) for row in rows[: asked.limit]], "next_cursor": cursor})


@api.get("/payouts/next")
@reads("balance:read")
@describe(NextPayoutShown, query=(CURRENCY,))
def show_next_payout(actor: Actor) -> Answer:
    """Show when the publisher is paid next, how much by today's balance, and where."""
    found = next_payout_of(to_pay(actor.account_id, asked_currency()), business_clock().now())
    return Answer(_next(found))


@api.get("/payouts/<payout_id>")
@reads("balance:read")
@describe(PayoutShown)
def show_payout(actor: Actor, payout_id: str) -> Answer:
    """Show one payout."""
    return Answer(_shown(get_payout(parse_id("pay", payout_id), actor.account_id)))


@api.post("/payouts")
@writes("payouts:write")
@describe(PayoutShown, takes=PayoutAsked, status=201)
def post_payout(actor: Actor) -> Answer:
    """Ask for all that is payable now, where the publisher's tier is paid on request."""
    currency = body(PayoutAsked).currency
    payout = ask(actor.account_id, demand_currency(currency), actor.name, business_clock().now())
    return created(_shown(get_payout(payout.id)))


def demand_currency(currency: str) -> str:
    """Return a currency that is traded; Invalid with the field for another."""
    if not is_currency(currency):
        fault = Fault("currency", "unknown_currency", "Send a traded currency, such as EUR.")
        raise Invalid("invalid_amount", "This cannot be paid.", [fault])
    return currency


def _shown(row: ShownPayout) -> PayoutShown:
    one, rail = row.payout, row.rail
    return PayoutShown(
        id=show_id("pay", one.id), state=one.state, amount=amount(one.amount_minor, one.currency),
        returned=amount(one.back_minor, one.currency), reason=one.reason,
        message=SENTENCES.get(one.reason or "") or one.says, rail=rail.kind if rail else None,
        place=masked(rail) if rail else None, due_on=row.run.due_on, expected_on=expected_on(row),
        drafted_at=instant(one.drafted_at), ordered_at=instant_or_none(one.ordered_at),
        changed_at=instant(one.moved_at),
    )  # fmt: skip


def _next(found: NextPayout) -> NextPayoutShown:
    return NextPayoutShown(
        on=found.on, schedule=found.schedule, amount=amount(found.money.minor, found.money.currency),
        threshold=amount(found.threshold.minor, found.threshold.currency), reason=found.reason,
        message=SENTENCES.get(found.reason or ""), on_request=found.on_request,
        rail=_rail(found.rail) if found.rail else None,
    )  # fmt: skip


def _rail(rail: PayoutRail) -> RailShown:
    message = SENTENCES.get(rail.reason or "") or rail.says
    return RailShown(kind=rail.kind, state=rail.state, place=masked(rail), reason=rail.reason, message=message)
