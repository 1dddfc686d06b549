"""Suppression lists over HTTP: a buyer uploads whom he knows already; nothing of it is kept but keyed hashes."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from typing import Annotated

import msgspec
from flask import Response, request

from core import idempotency
from core.clock import from_rfc3339
from core.db import transaction
from core.errors import Fault, Malformed
from core.http import (
    Answer,
    business_clock,
    created,
    guarded_inside,
    once,
    page_request,
    reads,
    require_media_type,
    respond,
    signed_in,
    stream_body,
    writes,
)
from core.identity import Actor
from core.ids import parse_id, show_id
from core.paging import page_of
from marketplace.leads.desk import desk
from marketplace.leads.suppression import SuppressionList, Upload, Use, delete_list, get_list, lists_of, store_list
from marketplace.leads.suppression.keeping_away import count_kept_away
from marketplace.web.api import api
from marketplace.web.api.described import Query, describe
from marketplace.web.api.shown import instant, instant_or_none

MOST_BYTES = 200_000_000
FORMATS = {"text/plain": "text", "text/csv": "csv", "application/x-ndjson": "ndjson", "application/jsonl": "ndjson"}
NAME = Query("name", "What the list is called, up to 100 letters.")
COUNTRY = Query("country", "An ISO 3166-1 code: numbers without a prefix are dialled there.")

SUPPRESS = Query("suppress", "true: leads of these persons are kept away from your orders, too.")
FROM = Query("valid_from", "From when on leads are kept away, RFC 3339; from the upload on without it.")
UNTIL = Query("valid_until", "Until when, RFC 3339; for good without it.")


class SuppressionLine(msgspec.Struct, frozen=True):
    """One person: an e-mail address, a phone number, or the SHA-256 of one (of `sha256` the kind is not known).

    Addresses are hashed in small letters, numbers in E.164 with their plus sign.
    """

    email: str | None = None
    phone: str | None = None
    email_sha256: str | None = None
    phone_sha256: str | None = None
    sha256: str | None = None


class BadLineShown(msgspec.Struct, frozen=True, kw_only=True):
    """A line that says nobody: its number, a stable code, and what to do."""

    line: int
    code: str
    message: str


class SuppressionListShown(msgspec.Struct, frozen=True, kw_only=True):
    """A list: it proves what the buyer knew from `uploaded_at` on.

    `entries` are its different identities, `duplicates` those that it named again, `bad` its lines that say nobody, of
    which `faults` shows the first thousand, when one list is asked for. One that `suppresses` keeps leads of its
    persons away while it is valid; `kept_away` counts them in full tens, when one list is asked for.
    """

    id: str
    name: str
    lines: int
    entries: int
    duplicates: int
    bad: int
    faults: Annotated[list[BadLineShown], msgspec.Meta(max_length=1000)]
    uploaded_at: datetime
    suppresses: bool
    valid_from: datetime | None
    valid_until: datetime | None
    kept_away: int | None


@api.post("/suppression-lists")
@guarded_inside("orders:write")
@describe(
    SuppressionListShown,
    takes=SuppressionLine,
    status=201,
    media_types=tuple(FORMATS),
    query=(NAME, COUNTRY, SUPPRESS, FROM, UNTIL),
)
def post_suppression_list() -> Response:
    """Upload a list of up to 1,000,000 lines: plain lines, CSV with a header, or NDJSON."""
    with transaction():
        actor = signed_in("orders:write")
    require_media_type(*FORMATS)
    name, country, use = _asked()
    key = idempotency.key_of(request.headers.get("Idempotency-Key"))
    with closing(Upload(FORMATS.get(request.mimetype, "text"), country, desk().intake.key_of_hash)) as upload:  # type: ignore[arg-type]  # a Format
        upload.read(stream_body(MOST_BYTES))  # before the transaction, which no slow sender may hold open
        with transaction():
            return _once(actor, key, upload, lambda: _store(actor, name, upload, use))


@api.get("/suppression-lists")
@reads("orders:read")
@describe(SuppressionListShown, pages=True)
def list_suppression_lists(actor: Actor) -> Answer:
    """Show the buyer's lists, the newest first."""
    asked = page_request("sup")
    return Answer(page_of("sup", asked, lambda *page: lists_of(actor.account_id, *page), _shown))


@api.get("/suppression-lists/<list_id>")
@reads("orders:read")
@describe(SuppressionListShown)
def show_suppression_list(actor: Actor, list_id: str) -> Answer:
    """Show one list with its bad lines."""
    return Answer(_shown(get_list(actor.account_id, parse_id("sup", list_id)), in_full=True))


@api.delete("/suppression-lists/<list_id>")
@writes("orders:write")
@describe(SuppressionListShown)
def delete_suppression_list(actor: Actor, list_id: str) -> Answer:
    """Delete a list and its entries; from now on it proves nothing."""
    return Answer(_shown(delete_list(actor.account_id, parse_id("sup", list_id), business_clock().now())))


def _asked() -> tuple[str, str, Use]:
    name, country = request.args.get("name", "list").strip(), request.args.get("country", "ZZ")
    faults = []
    if not (0 < len(name) <= 100 and name.isprintable()):
        faults.append(Fault("name", "invalid_name", "Send a name of 1 to 100 printable characters."))
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        faults.append(Fault("country", "unknown_region", "Send an ISO 3166-1 code in capitals, such as FR."))
    suppress = request.args.get("suppress", "false")
    if suppress not in ("true", "false"):
        faults.append(Fault("suppress", "bad_format", "Send true or false."))
    instants = {}
    for field in ("valid_from", "valid_until"):
        instants[field], fault = _instant(field)
        faults += [fault] if fault else []
    if faults:
        raise Malformed("bad_filter", "The list cannot be kept.", faults)
    return name, country, Use(suppress == "true", **instants)


def _instant(field: str) -> tuple[datetime | None, Fault | None]:
    said = request.args.get(field)
    try:
        return (from_rfc3339(said) if said else None), None
    except ValueError:
        return None, Fault(field, "not_an_instant", "Send an RFC 3339 instant with its offset.")


def _once(actor: Actor, key: str | None, upload: Upload, make: Callable[[], Response]) -> Response:
    """Answer under the Idempotency-Key, by the digest of the body, which is not kept whole anywhere."""
    if key is None:
        return make()
    return once(actor.account_id, key, upload.digest.digest() + request.query_string, make)


def _store(actor: Actor, name: str, upload: Upload, use: Use) -> Response:
    row = store_list(actor.account_id, name, upload, actor.name, business_clock().now(), use)
    return respond(created(_shown(row, in_full=True)))


def _shown(row: SuppressionList, in_full: bool = False) -> SuppressionListShown:
    return SuppressionListShown(
        id=show_id("sup", row.id), name=row.name, lines=row.lines, entries=row.entries, duplicates=row.duplicates,
        bad=row.bad, faults=[BadLineShown(**fault) for fault in row.faults] if in_full else [],
        uploaded_at=instant(row.uploaded_at), suppresses=row.suppresses, valid_from=instant_or_none(row.valid_from),
        valid_until=instant_or_none(row.valid_until), kept_away=count_kept_away(row) if in_full else None,
    )  # fmt: skip
