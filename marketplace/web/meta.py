"""The address for Meta's events, /in/meta/{source}: its verification, and the leads that it announces."""

from flask import Blueprint, Response, request

from core.db import transaction
from core.errors import NotAllowed
from core.http import Answer, business_clock, public, raw_body, respond
from core.ids import parse_id
from core.jobs import enqueue
from marketplace.leads.dialects import META
from marketplace.leads.dialects.meta import announced, check_signature
from marketplace.leads.sources.announced import note_leads
from marketplace.leads.sources.register import access_of, find_source, is_key_of

meta = Blueprint("meta", __name__, url_prefix="/in/meta")


@meta.get("/<source_id>")
@public
def verify_subscription(source_id: str) -> Response:
    """Give the challenge back to who knows the source's verify token."""
    with transaction():
        source = find_source(META, parse_id("src", source_id))
    said = request.args
    if said.get("hub.mode") != "subscribe" or not is_key_of(source, said.get("hub.verify_token", "")):
        raise NotAllowed("wrong_verify_token", "Subscribe with the verify_token that the source showed once.")
    return Response(said.get("hub.challenge", ""), mimetype="text/plain")


@meta.post("/<source_id>")
@public
def post_event(source_id: str) -> Response:
    """Note the leads that a signed event announces, each once; they are fetched right after."""
    raw = raw_body()
    with transaction():
        source = find_source(META, parse_id("src", source_id))
    check_signature(access_of(source).app_secret, raw, request.headers.get("X-Hub-Signature-256", ""))
    lead_ids = announced(raw)
    with transaction():
        noted = note_leads(source.id, lead_ids, business_clock().now())
        enqueue("market.meta_leads", once=True)
    return respond(Answer({"announced": len(lead_ids), "new": noted}))
