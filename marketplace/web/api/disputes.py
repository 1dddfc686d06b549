"""Disputes over HTTP: the buyer opens, the publisher is heard, an operator decides, the losing side appeals once."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from core.http import Answer, body, business_clock, created, filter_of, page_request, reads, settings, writes
from core.identity import Actor
from core.ids import parse_id
from core.paging import page_of
from core.schemas import Amount
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes import (
    Claim,
    Cluster,
    Decision,
    answer_dispute,
    decide_group,
    open_appeal,
    open_claim,
    open_dispute,
    resolve_dispute,
)
from marketplace.leads.disputes.evidence import add_file, bytes_of
from marketplace.leads.queries import disputes_of
from marketplace.leads.stages import MOVES
from marketplace.web.api import api
from marketplace.web.api.answers_disputes import DisputeShown, GroupShown, StandingShown
from marketplace.web.api.described import Query, describe
from marketplace.web.api.shown_disputes import group, one, presenter, standing

MOST_TEXT = (dispute_rules().file_bytes + 2) // 3 * 4  # of a file in Base64
MOST_BODY = MOST_TEXT + 200_000
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Note = Annotated[str, msgspec.Meta(max_length=4000)]


class FileBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file within a claim, its bytes in Base64."""

    name: Annotated[str, msgspec.Meta(max_length=300)]
    base64: Annotated[str, msgspec.Meta(max_length=MOST_TEXT)]


class DisputeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a buyer disputes a sale; one file may come with it, more are sent to the dispute once it is open."""

    reason: str
    note: Note = ""
    evidence: Annotated[list[Any], msgspec.Meta(max_length=20)] = []
    sub_reason: str | None = None
    file: FileBody | None = None


class ClaimBody(DisputeBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim that an operator opens for a buyer, by a reason that shows late."""

    sale: str


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the publisher says: to accept upholds the claim at once."""

    accept: bool
    note: Note = ""


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an operator decides: uphold, reject, partial or reprice.

    `amount` is what goes back for partial (or `share_bp` of the price), and the new price for reprice.
    """

    decision: str
    note: Note = ""
    amount: Amount | None = None
    share_bp: Annotated[int, msgspec.Meta(ge=1, le=9999)] | None = None


class AppealBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the losing side appeals."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class GroupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """Which sales of a publisher an operator decides at once: all of a source, sub id or network in a period."""

    by: Literal["source", "sub_id", "network"]
    publisher: str
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    since: Instant
    until: Instant
    decision: Literal["uphold", "reject"]
    reason: str
    note: Note = ""


@api.post("/sales/<sale_id>/disputes")
@writes("disputes:write", MOST_BODY)
@describe(DisputeShown, takes=DisputeBody, status=201)
def post_dispute(actor: Actor, sale_id: str) -> Answer:
    """Open the dispute of a sale."""
    said, sale, at = body(DisputeBody, MOST_BODY), parse_id("sale", sale_id), business_clock().now()
    opened = open_dispute(actor.account_id, sale, _claim(said), actor.name, at)
    return created(one(_with_file(opened, said.file, actor.name, at)))


@api.post("/disputes/claims")
@writes("operate", MOST_BODY)
@describe(DisputeShown, takes=ClaimBody, status=201)
def post_claim(actor: Actor) -> Answer:
    """Open the dispute of a sale for its buyer, also of one that is settled: by a reason that shows late."""
    said, at = body(ClaimBody, MOST_BODY), business_clock().now()
    opened = open_claim(parse_id("sale", said.sale), _claim(said), actor.name, at)
    return created(one(_with_file(opened, said.file, actor.name, at)))


@api.get("/disputes/standing")
@reads("disputes:write")
@describe(StandingShown)
def show_claimant(actor: Actor) -> Answer:
    """Show how the buyer stands before the next claim: the cap on returns, whether it needs a file, what it costs."""
    return Answer(standing(business_clock().now(), actor.account_id))


def _claim(said: DisputeBody) -> Claim:
    return Claim(said.reason, said.note, said.evidence, said.sub_reason, said.file is not None)


def _with_file(opened: Dispute, file: FileBody | None, actor: str, at: datetime) -> Dispute:
    """Keep the file that came with a claim as the buyer's; nothing is opened when it is refused."""
    if file is not None:
        data = bytes_of(file.base64)
        add_file(opened.buyer_id, opened.id, file.name, data, settings().data_folder, actor, at)
    return opened


@api.get("/disputes")
@reads("leads:read|sales:read|operate")
@describe(DisputeShown, pages=True, query=(Query("state", "Only disputes in this state.", tuple(MOVES["dispute"])),))
def list_disputes(actor: Actor) -> Answer:
    """Show the disputes that concern the account, all of them to an operator."""
    state = filter_of("state", MOVES["dispute"])
    account = None if actor.kind == "operator" else actor.account_id
    asked = page_request("dsp")
    rows = disputes_of(account, state, asked.after, asked.limit + 1)
    return Answer(page_of("dsp", asked, lambda *_: rows, presenter(rows)))


@api.post("/disputes/<dispute_id>/answer")
@writes("leads:write")
@describe(DisputeShown, takes=AnswerBody)
def post_answer(actor: Actor, dispute_id: str) -> Answer:
    """Answer a dispute as its publisher, until the hearing is over."""
    said, dispute = body(AnswerBody), parse_id("dsp", dispute_id)
    at = business_clock().now()
    return Answer(one(answer_dispute(actor.account_id, dispute, said.accept, said.note, actor.name, at)))


@api.post("/disputes/<dispute_id>/appeal")
@writes("disputes:write|leads:write")
@describe(DisputeShown, takes=AppealBody)
def post_appeal(actor: Actor, dispute_id: str) -> Answer:
    """Appeal against the decision of a dispute, once, as the side that lost by it."""
    said, dispute = body(AppealBody), parse_id("dsp", dispute_id)
    return Answer(one(open_appeal(actor.account_id, dispute, said.note, actor.name, business_clock().now())))


@api.post("/disputes/<dispute_id>/resolve")
@writes("operate")
@describe(DisputeShown, takes=DecisionBody)
def post_decision(actor: Actor, dispute_id: str) -> Answer:
    """Decide a dispute, or its appeal."""
    said, dispute = body(DecisionBody), parse_id("dsp", dispute_id)
    decision = Decision(said.decision, said.note, said.amount, said.share_bp)
    return Answer(one(resolve_dispute(dispute, decision, said.note, actor.name, business_clock().now())))


@api.post("/disputes/groups")
@writes("operate")
@describe(GroupShown, takes=GroupBody)
def post_group(actor: Actor) -> Answer:
    """Decide the sales of a source, sub id or network at once; asking the same again decides nothing twice."""
    said = body(GroupBody)
    cluster = Cluster(said.by, parse_id("acc", said.publisher), said.value, said.since, said.until,
                      said.decision, said.reason, said.note)  # fmt: skip
    return Answer(group(decide_group(cluster, actor.name, business_clock().now())))
