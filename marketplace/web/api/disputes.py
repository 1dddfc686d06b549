"""Disputes over HTTP: the buyer opens, both sides read, an operator decides."""

from typing import Annotated, Any

import msgspec

from core.http import Answer, body, business_clock, created, filter_of, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.leads.disputes import open_dispute, resolve_dispute
from marketplace.leads.queries import disputes_of
from marketplace.leads.stages import MOVES
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe

Note = Annotated[str, msgspec.Meta(max_length=4000)]


class DisputeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a buyer disputes a sale."""

    reason: str
    note: Note = ""
    evidence: Annotated[list[Any], msgspec.Meta(max_length=20)] = []


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an operator decides."""

    decision: str
    note: Note = ""


@api.post("/sales/<sale_id>/disputes")
@writes("disputes:write")
@describe(answers.DisputeShown, takes=DisputeBody, status=201)
def post_dispute(actor: Actor, sale_id: str) -> Answer:
    """Open the dispute of a sale."""
    said = body(DisputeBody)
    row = open_dispute(actor.account_id, parse_id("sale", sale_id), said.reason, said.note, said.evidence, actor.name,
                       business_clock().now())  # fmt: skip
    return created(shown.dispute(row))


@api.get("/disputes")
@reads("leads:read|sales:read|operate")
@describe(
    answers.DisputeShown, pages=True, query=(Query("state", "Only disputes in this state.", tuple(MOVES["dispute"])),)
)
def list_disputes(actor: Actor) -> Answer:
    """Show the disputes that concern the account, all of them to an operator."""
    state = filter_of("state", MOVES["dispute"])
    account = None if actor.kind == "operator" else actor.account_id
    asked = page_request("dsp")
    return Answer(page_of("dsp", asked, lambda *page: disputes_of(account, state, *page), shown.dispute))


@api.post("/disputes/<dispute_id>/resolve")
@writes("operate")
@describe(answers.DisputeShown, takes=DecisionBody)
def post_decision(actor: Actor, dispute_id: str) -> Answer:
    """Decide a dispute."""
    said = body(DecisionBody)
    row = resolve_dispute(parse_id("dsp", dispute_id), said.decision, said.note, actor.name, business_clock().now())
    return Answer(shown.dispute(row))
