"""Deliveries over HTTP: the log of attempts, sending again by hand, and trying a delivery with a sample lead."""

from typing import Any
from uuid import UUID

import msgspec

from core.db import transaction
from core.http import Answer, body, business_clock, calls_out, created, raw_body, reads, writes
from core.identity import Actor
from core.ids import parse_id
from core.rates import count_towards
from marketplace.leads.delivery.log import Exchanged, attempts_of, exchanged_in, masked_exchange
from marketplace.leads.delivery.models import DeliveryAttempt
from marketplace.leads.delivery.parcel import Parcel
from marketplace.leads.delivery.posting import parcel_of_sale
from marketplace.leads.delivery.resending import RESENDS, ask_to_send
from marketplace.leads.delivery.trial import TRIALS, trial_of_order, trial_of_settings, try_out
from marketplace.leads.models import Sale
from marketplace.leads.queries import THEIRS, get_sale
from marketplace.orders.standing import get_order
from marketplace.web.api import answers, api, shown, shown_trials
from marketplace.web.api.answers_trials import TrialShown
from marketplace.web.api.described import describe


class OrderTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to try: the order's own delivery, or another in its place; `send` false only writes the request."""

    delivery: dict[str, Any] | None = None
    send: bool = True


class DeliveryTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A delivery that is not saved, and the vertical whose sample lead it is tried with."""

    vertical: str
    delivery: dict[str, Any]
    send: bool = True


@api.get("/sales/<sale_id>/deliveries")
@reads("sales:read|operate")
@describe(answers.AttemptsShown)
def list_attempts(actor: Actor, sale_id: str) -> Answer:
    """Show every attempt to deliver a sale, with what was exchanged as far as the asker may see it."""
    row = get_sale(_buyer(actor), parse_id("sale", sale_id))
    hidden = parcel_of_sale(row) if actor.kind == "operator" else None
    items = [shown.attempt(each, _exchanged(row, each, hidden)) for each in attempts_of(row.id)]
    return Answer(answers.AttemptsShown(items=items))


@api.post("/sales/<sale_id>/deliveries")
@writes("sales:write|operate")
@describe(answers.DeliveryTried, status=201, limited=True)
def post_attempt(actor: Actor, sale_id: str) -> Answer:
    """Send a lead by hand: at once if it waits, else again to where its order delivers now.

    What comes of it is in the list of deliveries a moment later, and changes neither the sale nor its money.
    """
    row = get_sale(_buyer(actor), parse_id("sale", sale_id))
    count_towards(RESENDS, actor.account_id, "resend")
    return created(shown.attempt(ask_to_send(row, actor.name, business_clock().now())))


@api.post("/orders/<order_id>/test")
@calls_out("orders:write")
@describe(TrialShown, takes=OrderTrial, limited=True)
def post_order_test(actor: Actor, order_id: str) -> Answer:
    """Send a sample lead, marked as a test, as the order would; nothing is sold or kept."""
    asked = body(OrderTrial) if raw_body() else OrderTrial()
    with transaction():
        count_towards(TRIALS, actor.account_id, "delivery_test")
        written = trial_of_order(get_order(actor.account_id, parse_id("ord", order_id)), asked.delivery)
    return Answer(shown_trials.trial(try_out(written, asked.send)))


@api.post("/deliveries/test")
@calls_out("orders:write")
@describe(TrialShown, takes=DeliveryTrial, limited=True)
def post_delivery_test(actor: Actor) -> Answer:
    """Send a sample lead, marked as a test, by a delivery that is not saved yet."""
    asked = body(DeliveryTrial)
    with transaction():
        count_towards(TRIALS, actor.account_id, "delivery_test")
        written = trial_of_settings(actor.account_id, asked.vertical, asked.delivery)
    return Answer(shown_trials.trial(try_out(written, asked.send)))


def _buyer(actor: Actor) -> UUID | None:
    return None if actor.kind == "operator" else actor.account_id


def _exchanged(sale: Sale, attempt: DeliveryAttempt, hidden: Parcel | None) -> Exchanged | None:
    """Return what was exchanged as the asker may see it; nothing to a buyer whose lead it is not, or not any more.

    `hidden` is what an operator does not see of it.
    """
    exchanged = exchanged_in(attempt)
    if hidden is not None:
        return masked_exchange(exchanged, hidden) if exchanged else None
    return exchanged if sale.state in THEIRS else None
