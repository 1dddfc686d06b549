"""The market over HTTP: for everybody after a delay and without a key, for accounts at once."""

from flask import Response, request

from core.db import transaction
from core.http import Answer, business_clock, filter_of, public, reads, respond
from core.identity import Actor
from marketplace.catalog.shelf import get_vertical
from marketplace.market.reading import read_market
from marketplace.market.scores import qualities_in
from marketplace.market.suggesting import suggested
from marketplace.orders.terms import EXCLUSIVITIES
from marketplace.web.api import answers_market as shapes
from marketplace.web.api import api, shown_market
from marketplace.web.api.catalog import ANYBODY
from marketplace.web.api.described import Query, describe
from marketplace.web.open_reads import count_open_read
from marketplace.web.wishes import wish_asked

VERTICAL = Query("vertical", "The slug of a vertical, such as education.", required=True)
REGION = Query("region", "An ISO 3166 code, such as FR or FR-IDF; everywhere without it.")
KEPT_SECONDS = 300


@api.get("/market")
@public
@describe(shapes.MarketShown, query=(VERTICAL, REGION), limited=True)
def show_open_market() -> Response:
    """Show the market of a vertical as everybody may read it, after the exchange's delay.

    Needs no key. The answer may be kept for five minutes and carries an ETag.
    """
    with transaction():
        count_open_read()
        found = read_market(_vertical(), request.args.get("region", ""), business_clock().now(), delayed=True)
        return _kept(Answer(shown_market.market(found)))


@api.get("/market/sources")
@public
@describe(shapes.QualityShown, query=(Query("vertical", "Only sources that sold in this one."),), is_list=True,
          limited=True)  # fmt: skip
def list_open_sources() -> Response:
    """Show the quality of sources under their public codes, the best first.

    Those of which too little is known are left out. Needs no key. The answer may be kept for five minutes and
    carries an ETag.
    """
    with transaction():
        count_open_read()
        vertical_id = get_vertical(_vertical())[0] if _vertical() else None
        items = [shown_market.quality(one) for one in qualities_in(vertical_id)]
        return _kept(Answer({"items": items, "next_cursor": None}))


@api.get("/market/now")
@reads(ANYBODY)
@describe(shapes.MarketShown, query=(VERTICAL, REGION))
def show_market(_: Actor) -> Answer:
    """Show the market of a vertical as it was last counted, within the hour."""
    found = read_market(_vertical(), request.args.get("region", ""), business_clock().now(), delayed=False)
    return Answer(shown_market.market(found))


@api.get("/market/suggestion")
@reads("orders:read")
@describe(shapes.SuggestionShown, query=(
    VERTICAL, REGION, Query("exclusivity", "Whether the order buys alone or shares.", EXCLUSIVITIES),
    Query("leads_a_day", "How many leads a day are wanted; half of those offered without it.", kind="integer"),
    Query("temperatures", "Those that the order takes, with commas; all without it."),
    Query("contact_classes", "Those that the order takes, with commas; all without it."),
    Query("price", "What the order would bid, to be told what that wins."),
))  # fmt: skip
def suggest_price(_: Actor) -> Answer:
    """Suggest a price for an order, with the factors that make it and what it would have won."""
    exclusive = (filter_of("exclusivity", EXCLUSIVITIES) or "exclusive") == "exclusive"
    region = request.args.get("region", "")
    currency = get_vertical(_vertical())[1].currency
    vertical, found = suggested(_vertical(), region, wish_asked(request.args, currency), business_clock().now(),
                                exclusive=exclusive)  # fmt: skip
    return Answer(shown_market.suggestion(vertical, region, found))


def _vertical() -> str:
    return request.args.get("vertical", "")


def _kept(answer: Answer) -> Response:
    """Let whoever reads keep the answer for a while, and ask by its ETag whether it changed."""
    response = respond(answer)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response
