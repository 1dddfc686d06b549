"""Standing orders over HTTP."""

from flask import request
from msgspec import UNSET, Struct

from core.errors import Malformed
from core.http import Answer, body, business_clock, created, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.leads.delivery.endpoints import endpoints_of
from marketplace.leads.delivery.offered import judge_delivery, secret_of, secrets_of
from marketplace.leads.delivery.reach import ask_again, keep_reach
from marketplace.leads.desk import desk
from marketplace.leads.rests import rest
from marketplace.orders.many import ManyBody, change_alike
from marketplace.orders.models import Order
from marketplace.orders.standing import change_order, get_order, orders_of, place_order
from marketplace.orders.terms import OrderBody, OrderPatch
from marketplace.reports.order_losses import day_asked, order_losses
from marketplace.web.api import answers, answers_market, api, shown, shown_market
from marketplace.web.api.described import Query, describe


@api.post("/orders")
@writes("orders:write")
@describe(answers.OrderShown, takes=OrderBody, status=201)
def post_order(actor: Actor) -> Answer:
    """Place an order."""
    asked = body(OrderBody)
    row = place_order(actor.account_id, asked, actor.name, business_clock().now(), judge_delivery)
    keep_reach(row, asked.delivery, desk().vault)
    return created(_show(row))


@api.get("/orders")
@reads("orders:read")
@describe(answers.OrderShown, pages=True)
def list_orders(actor: Actor) -> Answer:
    """Show the buyer's orders, the newest first."""
    asked = page_request("ord")
    rows = orders_of(actor.account_id, asked.after, asked.limit + 1)
    secrets, endpoints = secrets_of([row.id for row in rows], desk().vault), endpoints_of(rows)

    def show(row: Order) -> answers.OrderShown:
        return shown.order(row, secrets.get(row.id), endpoints.get(row.id))

    return Answer(page_of("ord", asked, lambda *_: rows, show))


@api.get("/orders/<order_id>")
@reads("orders:read")
@describe(answers.OrderShown)
def show_order(actor: Actor, order_id: str) -> Answer:
    """Show one order, with its version as ETag."""
    row = get_order(actor.account_id, parse_id("ord", order_id))
    return Answer(_show(row), headers={"ETag": f'"{row.version}"'})


@api.patch("/orders/<order_id>")
@writes("orders:write")
@describe(answers.OrderShown, takes=OrderPatch, versioned=True)
def patch_order(actor: Actor, order_id: str) -> Answer:
    """Change an order for every lead whose request begins after the answer."""
    asked = body(OrderPatch)
    row = change_order(actor.account_id, parse_id("ord", order_id), asked, actor.name,
                       business_clock().now(), _if_version(), judge_delivery)  # fmt: skip
    if asked.delivery is not UNSET:
        keep_reach(row, asked.delivery, desk().vault)
    ask_again(row)
    return Answer(_show(row), headers={"ETag": f'"{row.version}"'})


@api.post("/orders/many")
@writes("orders:write")
@describe(answers.OrderShown, takes=ManyBody, is_list=True)
def patch_orders(actor: Actor) -> Answer:
    """Change several orders alike in one transaction: all of them, or none and every fault of every one."""
    asked = body(ManyBody)
    ids = [parse_id("ord", one) for one in asked.orders]
    rows = change_alike(actor.account_id, ids, asked, actor.name, business_clock().now())
    for row in rows:
        ask_again(row)
    secrets, endpoints = secrets_of(ids, desk().vault), endpoints_of(rows)
    return Answer({"items": [shown.order(row, secrets.get(row.id), endpoints.get(row.id)) for row in rows]})


@api.get("/orders/<order_id>/losses")
@reads("orders:read")
@describe(answers_market.OrderLossesShown, query=(Query("day", "A UTC day, such as 2026-11-27; today without it."),))
def show_order_losses(actor: Actor, order_id: str) -> Answer:
    """Show why an order lost: what became of the leads of a day and of the days before it.

    Where the order was tried this is what the stored decisions say. The leads for which it never was tried are judged
    anew, all of a day or a sample of them.
    """
    at = business_clock().now()
    row = get_order(actor.account_id, parse_id("ord", order_id))
    return Answer(shown_market.losses(order_losses(row, day_asked(request.args.get("day"), at), at)))


class RestBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many minutes an order buys nothing; then it buys again by itself."""

    minutes: int


@api.post("/orders/<order_id>/rest")
@writes("orders:write")
@describe(answers.OrderShown, takes=RestBody)
def rest_order(actor: Actor, order_id: str) -> Answer:
    """Pause an order for some minutes; `resumes_at` says when it buys again, within a minute."""
    asked = body(RestBody)
    row = rest(actor.account_id, parse_id("ord", order_id), asked.minutes, actor.name, business_clock().now())
    return Answer(_show(row), headers={"ETag": f'"{row.version}"'})


def _show(row: Order) -> answers.OrderShown:
    return shown.order(row, secret_of(row.id, desk().vault), endpoints_of([row]).get(row.id))


def _if_version() -> int | None:
    text = request.headers.get("If-Match")
    if text is None or text == "*":
        return None
    version = text.strip('"')
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise Malformed("bad_if_match", "Send the ETag that GET gave for this order.")
    return int(version)
