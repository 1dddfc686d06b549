"""Sources over HTTP: where a publisher registers posts that come in another dialect."""

from datetime import datetime
from typing import Any

from flask import request
from msgspec import Struct

from core.http import Answer, body, business_clock, created, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.paging import page_of
from marketplace.leads.dialects import DIALECTS, META
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.register import change_source, close_source, register_source, sources_of, terms_of
from marketplace.leads.sources.terms import SourceBody, SourcePatch
from marketplace.web.api import api
from marketplace.web.api.described import describe
from marketplace.web.api.shown import instant

META_KEY = "verify_token"


class SourceShown(Struct, frozen=True, kw_only=True):
    """A source: where to post, and the credentials to post with; its secret one is shown once, then null."""

    id: str
    dialect: str
    url: str
    credentials: dict[str, str | None]
    status: str
    name: str
    vertical: str
    region: str
    channel: str | None
    interest: str | None
    consent_text: str | None
    timezone: str
    fields: dict[str, Any]
    created_at: datetime
    changed_at: datetime


@api.post("/sources")
@writes("leads:write")
@describe(SourceShown, takes=SourceBody, status=201)
def post_source(actor: Actor) -> Answer:
    """Register a source; its secret credential is shown in this answer and never again."""
    return created(_shown(*register_source(actor.account_id, body(SourceBody), business_clock().now())))


@api.get("/sources")
@reads("leads:write")
@describe(SourceShown, pages=True)
def list_sources(actor: Actor) -> Answer:
    """Show the publisher's sources, the newest first."""
    asked = page_request("src")
    return Answer(page_of("src", asked, lambda *page: sources_of(actor.account_id, *page), _shown))


@api.patch("/sources/<source_id>")
@writes("leads:write")
@describe(SourceShown, takes=SourcePatch)
def patch_source(actor: Actor, source_id: str) -> Answer:
    """Change a source for every post whose request begins after the answer."""
    patch = body(SourcePatch)
    return Answer(_shown(change_source(actor.account_id, parse_id("src", source_id), patch, business_clock().now())))


@api.delete("/sources/<source_id>")
@writes("leads:write")
@describe(SourceShown)
def delete_source(actor: Actor, source_id: str) -> Answer:
    """Close a source for good."""
    return Answer(_shown(close_source(actor.account_id, parse_id("src", source_id), business_clock().now())))


def _shown(row: LeadSource, key: str | None = None) -> SourceShown:
    source_id, terms = show_id("src", row.id), terms_of(row)
    return SourceShown(
        id=source_id, dialect=row.dialect, url=f"{request.host_url}in/{row.dialect}/{source_id}",
        credentials=_credentials(row, key), status=row.status, name=row.name, vertical=row.vertical,
        region=terms.region, channel=terms.channel, interest=terms.interest, consent_text=terms.consent_text,
        timezone=terms.timezone, fields=terms.fields, created_at=instant(row.created_at),
        changed_at=instant(row.changed_at),
    )  # fmt: skip


def _credentials(row: LeadSource, key: str | None) -> dict[str, str | None]:
    if row.dialect == META:
        return {META_KEY: key}
    dialect = DIALECTS[row.dialect]
    return dict.fromkeys(dialect.numbers, str(row.number)) | {dialect.key: key}
