"""The catalogue over HTTP: what can be traded, and where."""

from typing import Any

from flask import request

from core.errors import Fault, Malformed
from core.http import Answer, business_clock, reads
from core.identity import Actor
from marketplace.catalog.regions import country_of, is_region, regions_in
from marketplace.catalog.shelf import all_verticals, get_vertical
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
    _, vertical = get_vertical(slug)
    detail = {"schema": vertical.json_schema(), "example": vertical.example(business_clock().now())}
    return Answer(_summary(vertical) | detail)


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


def _summary(vertical: Vertical) -> dict[str, Any]:
    return {
        "slug": vertical.slug, "version": vertical.version, "names": vertical.names, "currency": vertical.currency,
        "min_price": vertical.min_price.as_json(), "window_hours": vertical.window_hours,
        "dedupe_days": vertical.dedupe_days, "consent": shown.plain(vertical.consent),
        "share": shown.plain(vertical.share),
    }  # fmt: skip
