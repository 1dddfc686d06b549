"""What a buyer bought, with the contact data that he paid for."""

from collections.abc import Callable

from core.http import Answer, business_clock, filter_of, page_request, reads
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.leads.again.told import aged_of
from marketplace.leads.contact_clock import contacts_of
from marketplace.leads.desk import desk
from marketplace.leads.dispositions import follow_ups_of
from marketplace.leads.models import Sale
from marketplace.leads.queries import THEIRS, get_sale, leads_by_id, sales_of, unsealed
from marketplace.leads.stages import MOVES
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe
from marketplace.web.api.instants import instant_asked


@api.get("/sales")
@reads("sales:read")
@describe(answers.SaleShown, pages=True, query=(Query("state", "Only sales in this state.", tuple(MOVES["sale"])),))
def list_sales(actor: Actor) -> Answer:
    """Show what the buyer bought, the newest first."""
    state, asked = filter_of("state", MOVES["sale"]), page_request("sale")
    rows = sales_of(actor.account_id, state, asked.after, asked.limit + 1)
    return Answer(page_of("sale", asked, lambda *_: rows, _show_each(rows)))


@api.get("/follow-ups")
@reads("sales:read")
@describe(answers.SaleShown, pages=True, query=(Query("due", "Only what is due by this RFC 3339 instant."),))
def list_follow_ups(actor: Actor) -> Answer:
    """Show the sales for which the buyer agreed a follow-up, the newest sale first."""
    due, asked = instant_asked("due"), page_request("sale")
    rows = follow_ups_of(actor.account_id, due, asked.after, asked.limit + 1)
    return Answer(page_of("sale", asked, lambda *_: rows, _show_each(rows)))


@api.get("/sales/<sale_id>")
@reads("sales:read")
@describe(answers.SaleShown)
def show_sale(actor: Actor, sale_id: str) -> Answer:
    """Show one sale."""
    row = get_sale(actor.account_id, parse_id("sale", sale_id))
    return Answer(_show_each([row])(row))


def _show_each(rows: list[Sale]) -> Callable[[Sale], answers.SaleShown]:
    """Read what belongs to these sales and return how to show one; the contact is theirs until the lead goes back."""
    bought, at = leads_by_id([row.lead_id for row in rows]), business_clock().now()
    contacts, aged = contacts_of(rows, bought), aged_of(row.id for row in rows)

    def show(row: Sale) -> answers.SaleShown:
        lead = bought[row.lead_id]
        private = unsealed(lead, desk().vault) if row.state in THEIRS else None
        return shown.sale(row, lead, private, contacts.get(row.id), at, aged.get(row.id))

    return show
