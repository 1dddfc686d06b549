"""What a buyer bought, with the contact data that he paid for."""

from core.http import Answer, filter_of, page_request, reads
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import get_lead, get_sale, leads_by_id, sales_of, unsealed
from marketplace.leads.stages import MOVES
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe


@api.get("/sales")
@reads("sales:read")
@describe(answers.SaleShown, pages=True, query=(Query("state", "Only sales in this state.", tuple(MOVES["sale"])),))
def list_sales(actor: Actor) -> Answer:
    """Show what the buyer bought, the newest first."""
    state, asked = filter_of("state", MOVES["sale"]), page_request("sale")
    rows = sales_of(actor.account_id, state, asked.after, asked.limit + 1)
    bought = leads_by_id([row.lead_id for row in rows])
    return Answer(page_of("sale", asked, lambda *_: rows, lambda row: _show(row, bought[row.lead_id])))


@api.get("/sales/<sale_id>")
@reads("sales:read")
@describe(answers.SaleShown)
def show_sale(actor: Actor, sale_id: str) -> Answer:
    """Show one sale."""
    row = get_sale(actor.account_id, parse_id("sale", sale_id))
    return Answer(_show(row, get_lead(None, row.lead_id)))


def _show(row: Sale, lead: Lead) -> answers.SaleShown:
    """Show a sale; once the lead went back, so did the right to its contact."""
    return shown.sale(row, lead, None if row.state == "returned" else unsealed(lead, desk().vault))
