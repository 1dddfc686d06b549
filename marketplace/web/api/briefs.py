"""Briefs and deals over HTTP: a buyer asks, publishers promise, and either side ends what was agreed."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from core.http import Answer, body, business_clock, created, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.paging import page_of
from marketplace.deals.accepting import accept_brief, bought_of, cancel_deal, deals_of, get_deal
from marketplace.deals.briefs import BriefBody, briefs_for, briefs_of, cancel_brief, post_brief
from marketplace.deals.models import Brief, Deal
from marketplace.reports.dispute_queue import names_of
from marketplace.web.api import api, shown
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import describe


class BriefShown(Struct, frozen=True, kw_only=True):
    """What a buyer wants made for him; `left` of the volume is still to be promised.

    `order` is what each deal becomes; `publishers` says who may accept, to the buyer alone, an empty list for all.
    """

    id: str
    buyer: str
    buyer_name: str
    state: Annotated[str, one_of(("open", "full", "ended", "cancelled"))]
    order: dict[str, Any]
    volume: int
    left: int
    starts_at: datetime
    ends_at: datetime
    publishers: list[str] | None


class DealShown(Struct, frozen=True, kw_only=True):
    """What a publisher promised for a brief: `bought` of its `leads` so far, by the order that buys from him alone."""

    id: str
    brief: str
    order: str
    publisher: str
    buyer: str
    state: Annotated[str, one_of(("active", "full", "ended", "cancelled"))]
    leads: int
    bought: int
    starts_at: datetime
    ends_at: datetime
    accepted_at: datetime
    ended_at: datetime | None


class AcceptBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many leads of the brief are promised; without a number, all that is left."""

    leads: int | None = None


class CancelBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the deal is cancelled, for the other side."""

    why: Annotated[str, Meta(max_length=400)] = ""


@api.post("/briefs")
@writes("orders:write")
@describe(BriefShown, takes=BriefBody, status=201)
def post_briefs(actor: Actor) -> Answer:
    """Post a brief that publishers may accept from the answer on."""
    return created(_brief(post_brief(actor.account_id, body(BriefBody), actor.name, business_clock().now()), actor))


@api.get("/briefs")
@reads("orders:read|leads:read")
@describe(BriefShown, pages=True)
def list_briefs(actor: Actor) -> Answer:
    """Show a buyer's own briefs, and a publisher those that he may accept now, the newest first."""
    asked, at = page_request("brf"), business_clock().now()
    if actor.kind == "buyer":
        rows = briefs_of(actor.account_id, asked.after, asked.limit + 1)
    else:
        rows = briefs_for(actor.account_id, at, asked.after, asked.limit + 1)
    return Answer(page_of("brf", asked, lambda *_: rows, lambda row: _brief(row, actor)))


@api.post("/briefs/<brief_id>/cancel")
@writes("orders:write")
@describe(BriefShown)
def post_brief_cancel(actor: Actor, brief_id: str) -> Answer:
    """Let nobody accept the brief any more; deals that were made of it run on."""
    row = cancel_brief(actor.account_id, parse_id("brf", brief_id), actor.name, business_clock().now())
    return Answer(_brief(row, actor))


@api.post("/briefs/<brief_id>/accept")
@writes("leads:write")
@describe(DealShown, takes=AcceptBody, status=201)
def post_brief_accept(actor: Actor, brief_id: str) -> Answer:
    """Promise leads of a brief; from the answer on they are offered to its buyer before the open market."""
    asked, at = body(AcceptBody), business_clock().now()
    return created(_deal(accept_brief(actor.account_id, parse_id("brf", brief_id), asked.leads, actor.name, at)))


@api.get("/deals")
@reads("orders:read|leads:read")
@describe(DealShown, pages=True)
def list_deals(actor: Actor) -> Answer:
    """Show the deals of which the account is one side, the newest first."""
    asked = page_request("deal")
    rows = deals_of(actor.account_id, asked.after, asked.limit + 1)
    bought = bought_of(rows)
    return Answer(page_of("deal", asked, lambda *_: rows, lambda row: _deal(row, bought[row.id])))


@api.get("/deals/<deal_id>")
@reads("orders:read|leads:read")
@describe(DealShown)
def show_deal(actor: Actor, deal_id: str) -> Answer:
    """Show one deal."""
    return Answer(_deal(get_deal(actor.account_id, parse_id("deal", deal_id))))


@api.post("/deals/<deal_id>/cancel")
@writes("orders:write|leads:write")
@describe(DealShown, takes=CancelBody)
def post_deal_cancel(actor: Actor, deal_id: str) -> Answer:
    """End a deal, by either side, for every lead posted after the answer; what was bought stays sold."""
    asked, at = body(CancelBody), business_clock().now()
    return Answer(_deal(cancel_deal(actor.account_id, parse_id("deal", deal_id), actor.name, at, asked.why)))


def _brief(row: Brief, viewer: Actor) -> BriefShown:
    is_own, buyer_id = row.buyer_id == viewer.account_id, row.buyer_id
    return BriefShown(
        id=show_id("brf", row.id), buyer=show_id("acc", buyer_id), buyer_name=names_of([buyer_id])[buyer_id],
        state=row.state, order=row.body, volume=row.volume, left=row.volume - row.taken,
        starts_at=shown.instant(row.starts_at), ends_at=shown.instant(row.ends_at),
        publishers=[show_id("acc", each) for each in row.publishers] if is_own else None,
    )  # fmt: skip


def _deal(row: Deal, bought: int | None = None) -> DealShown:
    return DealShown(
        id=show_id("deal", row.id), brief=show_id("brf", row.brief_id), order=show_id("ord", row.order_id),
        publisher=show_id("acc", row.publisher_id), buyer=show_id("acc", row.buyer_id), state=row.state,
        leads=row.volume, bought=bought_of([row])[row.id] if bought is None else bought,
        starts_at=shown.instant(row.starts_at), ends_at=shown.instant(row.ends_at),
        accepted_at=shown.instant(row.accepted_at), ended_at=shown.instant_or_none(row.ended_at),
    )  # fmt: skip
