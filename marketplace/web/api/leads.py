"""Leads over HTTP: a publisher posts them and sees what became of them and why."""

from dataclasses import replace
from functools import partial
from uuid import UUID

import msgspec
from flask import Response, request

from core import idempotency
from core.db import transaction
from core.errors import DomainError, Fault, Invalid, Malformed, NotFound, NotSignedIn
from core.http import (
    Answer,
    bearer,
    filter_of,
    guarded_inside,
    keep,
    once,
    page_request,
    permit,
    problem_of,
    raw_body,
    reads,
    replayed,
    require_media_type,
    respond,
    settings,
    signed_in,
)
from core.identity import Actor, forget_actor, recall_actor
from core.ids import parse_id
from core.paging import page_of
from marketplace.catalog.shelf import verticals_by_id
from marketplace.leads.again.told import further
from marketplace.leads.batch import Result, post_rows
from marketplace.leads.delivery.awaited import answered, redirects_of
from marketplace.leads.desk import desk
from marketplace.leads.intake import Sender
from marketplace.leads.models import Lead
from marketplace.leads.queries import get_lead, leads_of, sales_with_credit, unsealed
from marketplace.leads.refusals import count_refusal, count_refusals, refusals_of
from marketplace.leads.submission import Submission
from marketplace.leads.why import show_reason, why
from marketplace.web.api import answers, api, shown
from marketplace.web.api.described import Query, describe
from marketplace.web.api.handed_on import raise_again

ROW_TYPES = ("application/x-ndjson", "application/jsonl", "application/json", "text/csv")
FILTERS = (
    Query("status", "Only leads with this status.", answers.LEAD_STATUSES),
    Query("test", "true for test leads; without it the list shows real ones.", ("true", "false")),
)
WHY_LIMIT = 200


@api.post("/leads")
@guarded_inside("leads:write")
@describe(answers.LeadAnswer, takes=Submission, status=201)
def post_lead() -> Response:
    """Take one lead: 201 with what became of it, 4xx when it is no lead at all."""
    sender = _sender()
    require_media_type("application/json")
    raw = raw_body()
    try:
        raise_again(request.environ)
        received = answered(desk().intake.post(raw, sender), sender)
    except (Invalid, Malformed) as refused:
        return _refuse(refused, raw, sender)
    except NotSignedIn:
        forget_actor(bearer())
        raise
    if received.replayed:
        return _replay(idempotency.kept_of(received.result["status"], received.result["answer"]))
    return respond(Answer(shown.lead_answer(received.result), 201))


@api.post("/leads/batch")
@guarded_inside("leads:write")
@describe(answers.RowTaken, answers.RowRefused, takes=Submission, is_list=True, media_types=ROW_TYPES)
def post_leads() -> Response:
    """Take up to 10,000 leads as NDJSON or CSV, one result a row; one bad row spoils no other."""
    sender = replace(_sender(), awaits=False)
    require_media_type(*ROW_TYPES)
    raw, key = raw_body(settings().max_batch_bytes), sender.idempotency_key
    with transaction():
        signed_in("leads:write")  # the memory of keys may be older than a revocation
    if key is not None:
        with transaction():
            rows = partial(post_rows, raw, request.mimetype, sender)
            return once(sender.account_id, key, raw, lambda: _show_rows(rows(), sender))
    results = post_rows(raw, request.mimetype, sender)
    with transaction():
        return _show_rows(results, sender)


def _show_rows(results: list[Result], sender: Sender) -> Response:
    refused = [one.said for one in results if isinstance(one.said, DomainError)]
    count_refusals(sender.account_id, refused, desk().intake.clock.now())
    return respond(Answer({"items": [_row_result(one) for one in results], "next_cursor": None}))


def _sender() -> Sender:
    actor = recall_actor(bearer())
    if actor is None:
        raise NotSignedIn("unknown_key", "This API key is unknown or revoked.")
    permit(actor, "leads:write")
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    return Sender(actor.account_id, actor.key_id, f"{request.method} {request.path}", key, awaits=True)


def _refuse(refused: DomainError, raw: bytes, sender: Sender) -> Response:
    """Count what was no lead, and keep a 422 under its Idempotency-Key like any other answer."""
    key = sender.idempotency_key
    fingerprint = idempotency.fingerprint_of(raw)
    with transaction():
        signed_in("leads:write")  # the memory of keys may be older than a revocation
        if key:
            kept = idempotency.claim(sender.account_id, sender.route, key, fingerprint)
            if kept is not None:
                return _replay(kept)
        count_refusal(sender.account_id, refused, desk().intake.clock.now())
        response = problem_of(refused)
        if key and isinstance(refused, Invalid):
            keep(sender.account_id, sender.route, key, fingerprint, response)
    return response


def _replay(kept: idempotency.Kept) -> Response:
    if not kept.body:
        body = msgspec.json.encode(shown.lead_answer(kept.stored))
        kept = idempotency.Kept(kept.status, body, "application/json")
    return replayed(kept)


def _row_result(one: Result) -> answers.RowTaken | answers.RowRefused:
    if isinstance(one.said, DomainError):
        return shown.row_refused(one.line, one.said)
    return shown.row_taken(one.line, one.said)


@api.get("/leads")
@reads("leads:read")
@describe(answers.LeadShown, pages=True, query=FILTERS)
def list_leads(actor: Actor) -> Answer:
    """Show the publisher's leads, the newest first; test leads by themselves."""
    status, test = filter_of("status", answers.LEAD_STATUSES), filter_of("test", ("true", "false")) == "true"
    currencies = {key: vertical.currency for key, vertical in verticals_by_id().items()}
    asked = page_request("lead")
    rows = leads_of(actor.account_id, status, test, asked.after, asked.limit + 1)
    ids = [row.id for row in rows]
    (sales, drawn, returnable), redirects = sales_with_credit(ids), redirects_of(ids)

    def show(row: Lead) -> answers.LeadShown:
        return shown.lead(row, sales[row.id], drawn, returnable, currencies[row.vertical_id], redirects.get(row.id))

    return Answer(page_of("lead", asked, lambda *_: rows, show))


@api.get("/leads/<lead_id>")
@reads("leads:read|operate")
@describe(answers.LeadShown)
def show_lead(actor: Actor, lead_id: str) -> Answer:
    """Show one lead as it was sent, and its sales as they stand."""
    row = get_lead(_publisher(actor), parse_id("lead", lead_id))
    currency = verticals_by_id()[row.vertical_id].currency
    redirect, private = redirects_of([row.id]).get(row.id), unsealed(row, desk().vault)
    sales, drawn, returnable = sales_with_credit([row.id])
    return Answer(shown.lead(row, sales[row.id], drawn, returnable, currency, redirect, private))


@api.get("/leads/<lead_id>/why")
@reads("leads:read|orders:read|operate")
@describe(answers.ReasonShown, pages=True, query=(Query("offer", "Of which further offer; without it, the first."),))
def show_why(actor: Actor, lead_id: str) -> Answer:
    """Show what became of every order of the vertical for this lead, as far as the asker may know.

    With `offer` it tells of that further offer of the lead, by its number.
    """
    row = get_lead(_publisher(actor) if actor.kind != "buyer" else None, parse_id("lead", lead_id))
    number = request.args.get("offer")
    reasons = why(row, desk().vault, further=None if number is None else further(row.id, _number(number, "offer")))
    if actor.kind == "buyer":
        reasons = [reason for reason in reasons if reason.buyer_id == actor.account_id]
        if not reasons:
            raise NotFound(detail="There is no lead with this id.")
    viewer = None if actor.kind == "operator" else actor.account_id
    start = _offset()
    items = [show_reason(reason, row.id, viewer) for reason in reasons[start : start + WHY_LIMIT]]
    more = start + WHY_LIMIT < len(reasons)
    return Answer({"items": items, "next_cursor": str(start + WHY_LIMIT) if more else None})


@api.get("/refusals")
@reads("leads:read")
@describe(answers.RefusalCount, is_list=True)
def list_refusals(actor: Actor) -> Answer:
    """Show how many of the publisher's posts were no leads, by day, field and code."""
    rows = refusals_of(actor.account_id)
    items = [{"day": row.day.isoformat(), "field": row.field, "code": row.code, "refused": row.refused} for row in rows]
    return Answer({"items": items, "next_cursor": None})


def _publisher(actor: Actor) -> UUID | None:
    return None if actor.kind == "operator" else actor.account_id


def _offset() -> int:
    text = request.args.get("cursor", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed("bad_page", "Send a cursor that this list gave as next_cursor.")
    return int(text)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed("bad_filter", "This cannot be shown.", [Fault(name, "wrong_type", "Send a whole number.")])
    return int(text)
