"""The log of deliveries: every attempt over all orders or of one, the same as a sheet, and all attempts of one sale."""

from typing import Any

from flask import Response, render_template, request

from core.actors import Person, page
from core.clock import as_rfc3339
from core.http import filter_of
from core.ids import parse_id, show_id
from marketplace.leads.delivery.forgetting import idle_endpoints
from marketplace.orders.standing import get_order
from marketplace.reports.buyer_deliveries import (
    MOST_PLACES,
    OUTCOMES,
    UNDER_WAY,
    Line,
    Narrowed,
    attempts_asked,
    every_attempt,
    read_after,
    sending_orders,
    story_of_delivery,
)
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.words import outcome_word

HEAD = ("started_at", "order_id", "order", "sale_id", "lead_id", "number", "outcome", "reason", "status",
        "milliseconds", "by_hand")  # fmt: skip


@buyer.get("/deliveries")
@page("buyer")
def deliveries(person: Person) -> str:
    """Show how the endpoints do, and every attempt to deliver, of the newest sale first."""
    narrowed, after = _narrowed(), read_after(request.args.get("cursor"))
    order = get_order(person.account_id, narrowed.order) if narrowed.order else None
    return render_template(
        "marketplace/buyer/deliveries.html", part=attempts_asked(person.account_id, narrowed, after), order=order,
        places=sending_orders(person.account_id), most_places=MOST_PLACES, narrowed=narrowed,
        idle=idle_endpoints(person.account_id),
        outcomes=[(one, outcome_word(one).says) for one in OUTCOMES],
    )  # fmt: skip


@buyer.get("/deliveries.csv")
@page("buyer")
def deliveries_sheet(person: Person) -> Response:
    """Save every attempt that the list would show as CSV that no spreadsheet runs."""
    rows = every_attempt(person.account_id, _narrowed())
    response = Response(b"".join([sheet_line(HEAD), *(sheet_line(_cells(row)) for row in rows)]), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=deliveries.csv"
    return response


@buyer.get("/deliveries/<sale>")
@page("buyer")
def delivery(person: Person, sale: str) -> str:
    """Show every attempt to deliver one sale: what was sent and answered, as far as it is the buyer's."""
    story = story_of_delivery(person.account_id, parse_id("sale", sale))
    return render_template("marketplace/buyer/delivery.html", story=story, sale=sale)


def _narrowed() -> Narrowed:
    order = request.args.get("order")
    return Narrowed(parse_id("ord", order) if order else None, filter_of("outcome", OUTCOMES))


def _cells(one: Line) -> list[Any]:
    return [as_rfc3339(one.started_at), show_id("ord", one.order_id), one.order, show_id("sale", one.sale_id),
            show_id("lead", one.lead_id), one.number, one.outcome or UNDER_WAY, one.reason or "",
            "" if one.status is None else one.status, "" if one.milliseconds is None else one.milliseconds,
            "true" if one.asked_by else "false"]  # fmt: skip
