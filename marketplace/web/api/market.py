"""The market over HTTP: for everybody after a delay and without a key, for accounts at once."""

from flask import Response, request

from core.db import transaction
from core.http import Answer, business_clock, public, reads, respond
from core.identity import Actor
from marketplace.catalog.shelf import get_vertical
from marketplace.market.reading import read_market
from marketplace.market.scores import qualities_in
from marketplace.web.api import answers_market as shapes
from marketplace.web.api import api, shown_market
from marketplace.web.api.catalog import ANYBODY
from marketplace.web.api.described import Query, describe
from marketplace.web.open_reads import count_open_read

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


def _vertical() -> str:
    return request.args.get("vertical", "")


def _kept(answer: Answer) -> Response:
    """Let whoever reads keep the answer for a while, and ask by its ETag whether it changed."""
    response = respond(answer)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response
