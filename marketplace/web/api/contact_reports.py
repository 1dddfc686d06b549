"""Reports on speed to contact: how fast a buyer reaches for leads, and how many of a publisher's are reached."""

from core.http import Answer, business_clock, filter_of, reads
from core.identity import Actor
from marketplace.leads.contact_reports import COLUMN_OF, rate_of, speed_of
from marketplace.web.api import api, shown_contact
from marketplace.web.api.answers_contact import ContactRate, ContactSpeed
from marketplace.web.api.described import Query, describe
from marketplace.web.api.instants import PERIOD, period_asked


@api.get("/reports/contact-speed")
@reads("sales:read")
@describe(
    ContactSpeed, is_list=True, query=(*PERIOD, Query("by", "By order, or by hour of delivery.", tuple(COLUMN_OF)))
)
def show_contact_speed(actor: Actor) -> Answer:
    """Show how fast the buyer tried what was delivered in a period, by order or by hour of the order's day."""
    by, (since, until) = filter_of("by", COLUMN_OF) or "order", period_asked()
    lines = speed_of(actor.account_id, by, since, until, business_clock().now())
    return Answer({"items": [shown_contact.speed(line) for line in lines], "next_cursor": None})


@api.get("/reports/contact-rate")
@reads("leads:read")
@describe(ContactRate, is_list=True, query=PERIOD)
def show_contact_rate(actor: Actor) -> Answer:
    """Show how many of the publisher's sales were tried and reached, by source; never a single sale."""
    lines = rate_of(actor.account_id, *period_asked())
    return Answer({"items": [shown_contact.rate(line) for line in lines], "next_cursor": None})
