"""How sources stand over HTTP: a publisher sees his own that were warned or paused, an operator changes any."""

from typing import Annotated

import msgspec

from affiliates import get_publisher
from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.ids import parse_id
from marketplace.leads.source_breaker import set_standing, standings_of
from marketplace.web.api import api
from marketplace.web.api.answers_disputes import SourceStandingShown
from marketplace.web.api.described import describe
from marketplace.web.api.shown_disputes import source_standing


class StandingBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which source of which publisher is paused or readmitted, and why."""

    publisher: str
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    standing: str
    note: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@api.get("/source-standings")
@reads("leads:read|operate")
@describe(SourceStandingShown, is_list=True)
def list_source_standings(actor: Actor) -> Answer:
    """Show the sources that were ever warned or paused, all publishers' to an operator."""
    rows = standings_of(None if actor.kind == "operator" else actor.account_id)
    return Answer({"items": [source_standing(row) for row in rows], "next_cursor": None})


@api.post("/source-standings")
@writes("operate")
@describe(SourceStandingShown, takes=StandingBody)
def post_source_standing(actor: Actor) -> Answer:
    """Pause or readmit a publisher's source, for every lead whose request begins after the answer."""
    said, at = body(StandingBody), business_clock().now()
    publisher = get_publisher(parse_id("acc", said.publisher)).account_id
    return Answer(source_standing(set_standing(publisher, said.source, said.standing, said.note, actor.name, at)))
