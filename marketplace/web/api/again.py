"""Leads that are offered again: what came of each offer, and whether their publisher lets them be."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from core.errors import NotFound
from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from marketplace.catalog.shelf import verticals_by_id
from marketplace.leads.again.switching import switch_lead
from marketplace.leads.again.told import OfferTold, Standing, lead_with_offers
from marketplace.leads.decisions import tried_in
from marketplace.leads.models import Lead
from marketplace.web.api import api, shown
from marketplace.web.api.answers_again import FurtherOfferShown, OfferingShown
from marketplace.web.api.described import describe


class OfferingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a lead may be offered again."""

    offered: bool


@api.get("/leads/<lead_id>/offers")
@reads("leads:read|operate")
@describe(FurtherOfferShown, is_list=True)
def list_further_offers(actor: Actor, lead_id: str) -> Answer:
    """Show each time that a lead was offered again, in order; the first decision is the lead's own."""
    lead, _, offers = _read(actor, lead_id)
    currency = verticals_by_id()[lead.vertical_id].currency
    return Answer({"items": [_shown(one, lead.id, currency) for one in offers], "next_cursor": None})


@api.get("/leads/<lead_id>/offering")
@reads("leads:read|operate")
@describe(OfferingShown)
def show_offering(actor: Actor, lead_id: str) -> Answer:
    """Show whether a lead is offered again, and until when."""
    return Answer(_offering(_read(actor, lead_id)[1]))


@api.put("/leads/<lead_id>/offering")
@writes("leads:write")
@describe(OfferingShown, takes=OfferingBody)
def put_offering(actor: Actor, lead_id: str) -> Answer:
    """Let a lead be offered again, or not, from the answer on."""
    at: datetime = business_clock().now()
    switch_lead(actor.account_id, parse_id("lead", lead_id), body(OfferingBody).offered, actor.name, at)
    return Answer(_offering(_read(actor, lead_id)[1]))


def _read(actor: Actor, lead_id: str) -> tuple[Lead, Standing | None, list[OfferTold]]:
    mine: UUID | None = None if actor.kind == "operator" else actor.account_id
    return lead_with_offers(mine, parse_id("lead", lead_id), business_clock().now())


def _offering(standing: Standing | None) -> OfferingShown:
    if standing is None:
        raise NotFound(detail="This lead is not offered again: it was refused, is a test, or is sold for good.")
    return OfferingShown(state=standing.state, why=standing.why, until=shown.instant_or_none(standing.until),
                         waiting_until=shown.instant_or_none(standing.waiting_until))  # fmt: skip


def _shown(row: OfferTold, lead_id: UUID, currency: str) -> FurtherOfferShown:
    return FurtherOfferShown(
        number=row.number, at=shown.instant(row.at), kind=row.kind, age_minutes=row.age_minutes, price_bp=row.bp,
        ceiling=None if row.ceiling_minor is None else shown.amount(row.ceiling_minor, currency),
        least=shown.amount(row.least_minor, currency), returned=row.returned, outcome=row.decision["outcome"],
        orders_tried=len(tried_in(row.decision)), sales=row.sales,
        why=f"/api/v1/leads/{show_id('lead', lead_id)}/why?offer={row.number}",
    )  # fmt: skip
