"""Who is considered first, over HTTP: the operator's places of orders, and what publishers want for their sources."""

from datetime import datetime

from msgspec import Struct

from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.ids import show_id
from core.schemas import Amount
from marketplace.catalog.verticals import Vertical
from marketplace.leads.sources.models import SourceRule
from marketplace.leads.sources.rules import SourceRuleBody, set_source_rule, source_rules_of
from marketplace.orders.models import Order
from marketplace.orders.places import Place, orders_placed, set_places
from marketplace.orders.terms import decode_terms
from marketplace.web.api import api, shown
from marketplace.web.api.described import describe


class PlacesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where some orders of the vertical stand; those that are left out stay where they are."""

    orders: list[Place]


class PlaceShown(Struct, frozen=True, kw_only=True):
    """Where an order stands in its vertical's distribution, with what it pays."""

    order: str
    buyer: str
    name: str
    status: str
    price: Amount
    exclusive: bool
    priority: int | None
    target_share: int | None


class SourceRuleShown(Struct, frozen=True, kw_only=True):
    """What holds for a source's leads of a vertical beyond what the vertical says."""

    source: str
    vertical: str
    exclusive_only: bool
    most_buyers: int | None
    min_price: Amount | None
    offered_again: bool
    waits: bool
    aged_min_price: Amount | None
    changed_at: datetime | None


@api.get("/verticals/<slug>/places")
@reads("operate")
@describe(PlaceShown, is_list=True)
def list_places(_: Actor, slug: str) -> Answer:
    """Show where each open order of a vertical stands."""
    return Answer({"items": [_place(row) for row in orders_placed(slug)], "next_cursor": None})


@api.put("/verticals/<slug>/places")
@writes("operate")
@describe(PlaceShown, is_list=True, takes=PlacesBody)
def put_places(actor: Actor, slug: str) -> Answer:
    """Say where some orders of a vertical stand, for every lead posted after the answer."""
    rows = set_places(slug, body(PlacesBody).orders, actor.name, business_clock().now())
    return Answer({"items": [_place(row) for row in rows], "next_cursor": None})


@api.get("/source-rules")
@reads("leads:read")
@describe(SourceRuleShown, is_list=True)
def list_source_rules(actor: Actor) -> Answer:
    """Show what holds for each of the publisher's sources."""
    rules = [_rule(row, vertical) for row, vertical in source_rules_of(actor.account_id)]
    return Answer({"items": rules, "next_cursor": None})


@api.put("/source-rules")
@writes("leads:write")
@describe(SourceRuleShown, takes=SourceRuleBody)
def put_source_rule(actor: Actor) -> Answer:
    """Say what holds for a source's leads of a vertical posted after the answer; what is left out is lifted."""
    asked = body(SourceRuleBody)
    row = set_source_rule(actor.account_id, asked, actor.name, business_clock().now())
    at = shown.instant(row.changed_at) if row else None
    return Answer(SourceRuleShown(
        source=asked.source.strip(), vertical=asked.vertical, exclusive_only=asked.exclusive_only,
        most_buyers=asked.most_buyers, min_price=asked.min_price, offered_again=asked.offered_again, waits=asked.waits,
        aged_min_price=asked.aged_min_price, changed_at=at,
    ))  # fmt: skip


def _place(row: Order) -> PlaceShown:
    terms = decode_terms(row.terms)
    return PlaceShown(
        order=show_id("ord", row.id), buyer=show_id("acc", row.buyer_id), name=terms.name, status=row.status,
        price=shown.amount(terms.price_minor, terms.currency), exclusive=terms.exclusive,
        priority=terms.priority or None, target_share=terms.target_share or None,
    )  # fmt: skip


def _rule(row: SourceRule, vertical: Vertical) -> SourceRuleShown:
    least, aged = row.min_price_minor, row.aged_min_price_minor
    return SourceRuleShown(
        source=row.source_name, vertical=vertical.slug, exclusive_only=row.exclusive_only, most_buyers=row.most_buyers,
        min_price=None if least is None else shown.amount(least, vertical.currency),
        offered_again=row.offered_again, waits=row.waits,
        aged_min_price=None if aged is None else shown.amount(aged, vertical.currency),
        changed_at=shown.instant(row.changed_at),
    )  # fmt: skip
