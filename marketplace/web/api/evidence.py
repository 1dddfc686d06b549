"""Evidence files over HTTP: both sides of a dispute send them, both sides and operators save them."""

from typing import Annotated

import msgspec
from flask import Response

from core.http import FORM_BYTES, Answer, business_clock, created, download, reads, settings, uploaded_file, writes
from core.identity import Actor
from core.ids import parse_id
from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.disputes.evidence import add_file, get_file, read_file
from marketplace.web.api import api
from marketplace.web.api.answers_disputes import FileShown
from marketplace.web.api.described import describe
from marketplace.web.api.shown_disputes import evidence_file

MOST_BYTES = dispute_rules().file_bytes


class EvidenceForm(msgspec.Struct, frozen=True):
    """A multipart form with one file."""

    file: Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]


@api.post("/disputes/<dispute_id>/evidence")
@writes("disputes:write|leads:write", MOST_BYTES + FORM_BYTES)
@describe(FileShown, takes=EvidenceForm, status=201, media_types=("multipart/form-data",))
def post_evidence(actor: Actor, dispute_id: str) -> Answer:
    """Show a file as a side of an undecided dispute: text, mail, PDF, PNG, JPEG, WebP, MP3, WAV or Ogg."""
    dispute = parse_id("dsp", dispute_id)
    name, data = uploaded_file("file", MOST_BYTES)
    folder, at = settings().data_folder, business_clock().now()
    return created(evidence_file(add_file(actor.account_id, dispute, name, data, folder, actor.name, at)))


@api.get("/disputes/<dispute_id>/evidence/<file_id>")
@reads("leads:read|sales:read|operate")
@describe()
def get_evidence(actor: Actor, dispute_id: str, file_id: str) -> Response:
    """Save a file of a dispute."""
    account = None if actor.kind == "operator" else actor.account_id
    file = get_file(account, parse_id("dsp", dispute_id), parse_id("file", file_id))
    return download(file.name, file.media_type, read_file(file, settings().data_folder))
