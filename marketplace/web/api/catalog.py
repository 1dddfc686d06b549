"""The catalogue over HTTP: what can be traded, and where."""

from typing import Any

from flask import request

from core.errors import Fault, Invalid, Malformed
from core.http import Answer, body, business_clock, created, reads, writes
from core.identity import Actor
from marketplace.catalog.contact_rules import get_contact_rules
from marketplace.catalog.definition import VerticalDefinition
from marketplace.catalog.regions import country_of, is_region, regions_in
from marketplace.catalog.shelf import add_vertical, all_verticals, apply_vertical, get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe

COUNTRY = Query("country", "An ISO 3166-1 code, such as FR.", required=True)
ANYBODY = "leads:read|orders:read|operate|leads:write|orders:write"


@api.get("/verticals")
@reads(ANYBODY)
@describe(answers.VerticalSummary, is_list=True)
def list_verticals(_actor: Actor) -> Answer:
    """Show the verticals that can be traded."""
    return Answer({"items": [_summary(vertical) for vertical in all_verticals()], "next_cursor": None})


@api.get("/verticals/<slug>")
@reads(ANYBODY)
@describe(answers.VerticalShown)
def show_vertical(_actor: Actor, slug: str) -> Answer:
    """Show a vertical with its schema and a complete body that is accepted as it is."""
    return Answer(_shown(get_vertical(slug)[1]))


@api.post("/verticals")
@writes("operate")
@describe(answers.VerticalShown, takes=VerticalDefinition, status=201)
def post_vertical(actor: Actor) -> Answer:
    """Add a vertical, traded from the answer on."""
    vertical = Vertical.judged(body(VerticalDefinition))
    add_vertical(vertical, business_clock().now(), actor.name)
    return created(_shown(vertical))


@api.put("/verticals/<slug>")
@writes("operate")
@describe(answers.VerticalShown, takes=VerticalDefinition)
def put_vertical(actor: Actor, slug: str) -> Answer:
    """Change a vertical, for every lead whose request begins after the answer.

    The version must be higher than the one that stands; leads that were judged before keep theirs.
    """
    get_vertical(slug)
    vertical = Vertical.judged(body(VerticalDefinition))
    _check_slug(vertical, slug)
    apply_vertical(vertical, business_clock().now(), actor.name)
    return Answer(_shown(vertical))


@api.get("/regions")
@reads(ANYBODY)
@describe(answers.RegionShown, is_list=True, query=(COUNTRY,))
def list_regions(_actor: Actor) -> Answer:
    """Show a country's subdivisions."""
    country = request.args.get("country", "")
    if not is_region(country) or country_of(country) != country:
        fault = Fault("country", "unknown_region", "Send an ISO 3166-1 country code, such as FR.")
        raise Malformed("bad_filter", "These regions cannot be shown.", [fault])
    items = [{"code": r.code, "name": r.name, "type": r.type, "parent": r.parent} for r in regions_in(country)]
    return Answer({"items": items, "next_cursor": None})


@api.get("/contact-rules/<country>")
@reads(ANYBODY)
@describe(answers.ContactRulesShown)
def show_contact_rules(_actor: Actor, country: str) -> Answer:
    """Show who may be contacted for marketing in a country, when and how often, with the source of each rule.

    A rule that is not `confirmed` is a cautious guess which the operator has to confirm. Unknown countries are 404.
    """
    return Answer({"country": country} | shown.plain(get_contact_rules(country)))


def _check_slug(vertical: Vertical, slug: str) -> None:
    if vertical.slug != slug:
        fault = Fault("slug", "cannot_change", f"Send {slug}, or add another vertical.")
        raise Invalid("invalid_vertical", "The vertical cannot change so.", [fault])


def _shown(vertical: Vertical) -> dict[str, Any]:
    detail = {"schema": vertical.json_schema(), "example": vertical.example(business_clock().now())}
    return _summary(vertical) | detail


def _summary(vertical: Vertical) -> dict[str, Any]:
    return {
        "slug": vertical.slug, "version": vertical.version, "names": vertical.names, "currency": vertical.currency,
        "min_price": vertical.min_price.as_json(), "window_hours": vertical.window_hours,
        "dedupe_days": vertical.dedupe_days, "consent": shown.plain(vertical.consent),
        "share": shown.plain(vertical.share), "contact_required": list(vertical.contact_required),
        "verification": vertical.definition.verification, "prices": shown.plain(vertical.definition.prices),
        "min_prices": shown.plain(vertical.definition.min_prices), "margin": shown.plain(vertical.definition.margin),
        "distribution": shown.plain(vertical.distribution),
    }  # fmt: skip
