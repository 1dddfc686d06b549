"""What a buyer bought, with the contact data that he paid for."""

from flask import request

from core.errors import Fault, Malformed
from core.http import Answer, reads
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of, page_request
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import get_lead, get_sale, leads_by_id, sales_of, unsealed
from marketplace.leads.stages import MOVES
from marketplace.web.api import api, shown


@api.get("/sales")
@reads("sales:read")
def list_sales(actor: Actor) -> Answer:
    """Show what the buyer bought, the newest first."""
    state = request.args.get("state")
    if state is not None and state not in MOVES["sale"]:
        fault = Fault("state", "not_allowed_value", f"Choose one of {', '.join(MOVES['sale'])}.")
        raise Malformed("bad_filter", "This list cannot be shown.", [fault])
    asked = page_request("sale")
    rows = sales_of(actor.account_id, state, asked.after, asked.limit + 1)
    bought = leads_by_id([row.lead_id for row in rows])
    return Answer(page_of("sale", asked, lambda *_: rows, lambda row: _show(row, bought[row.lead_id])))


@api.get("/sales/<sale_id>")
@reads("sales:read")
def show_sale(actor: Actor, sale_id: str) -> Answer:
    """Show one sale."""
    row = get_sale(actor.account_id, parse_id("sale", sale_id))
    return Answer(_show(row, get_lead(None, row.lead_id)))


def _show(row: Sale, lead: Lead) -> dict[str, object]:
    """Show a sale; once the lead went back, so did the right to its contact."""
    return shown.sale(row, lead, None if row.state == "returned" else unsealed(lead, desk().vault))
