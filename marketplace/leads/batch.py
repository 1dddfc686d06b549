"""Many leads at once: what nobody buys shares a transaction, what somebody wants is sold in one of its own.

A sale inside a long transaction would hold its buyers' locks; so the sale function answers `alone` in a batch, and
that lead is posted by itself right after. While the database works on a chunk, the next one is read and judged.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import psycopg

from core.db import driver_connection
from core.errors import DomainError, Invalid, Malformed
from core.idempotency import IN_PROGRESS, in_progress
from core.ids import new_id
from core.schemas import decode
from marketplace.leads.columns import Assembler
from marketplace.leads.desk import desk
from marketplace.leads.intake import FIRST_BATCH, Intake, Prepared, Sender
from marketplace.leads.rows import CsvFile, Row, ndjson_lines
from marketplace.leads.submission import Submission

MOST_ROWS = 10_000
CHUNK = 250
POST_LEADS = (
    "SELECT marketplace.post_lead(each.lead, each.offer, each.rules, each.sender)"
    " FROM jsonb_to_recordset(%s::jsonb) AS each(lead marketplace.leads, offer marketplace.offer,"
    " rules marketplace.rules, sender marketplace.sender)"
)
# The sale function's arguments by name, in the order in which `Intake.arguments` gives them.
_PARTS = {
    "lead": ("id", "publisher_id", "vertical_id", "region", "reasons", "contact_class", "temperature", "score", "test",
             "external_id", "source_name", "received_at", "details", "contact", "contact_key"),
    "offer": ("orders", "versions", "buyers", "prices", "shares", "starts", "is_last", "book_version",
              "later", "leases", "ranks", "together", "extras", "deals", "bound"),
    "rules": ("currency", "person_keys", "dedupe_days", "window_hours", "hold_days", "min_payout",
              "grace_minutes", "rule", "contest", "most_buyers", "bands", "min_price"),
    "sender": ("key_id", "account_id", "actor", "now", "route", "idempotency_key", "fingerprint", "answer", "in_batch"),
}  # fmt: skip
_EMPTY = msgspec.Raw(b"{}")
NDJSON = ("application/x-ndjson", "application/jsonl", "application/json", "")
CSV = "text/csv"


class Posted(NamedTuple):
    """A lead to post, or why its row is none, with the line it came from and the key its answer is kept under."""

    line: int
    lead: Submission | DomainError
    key: str | None = None


class Result(NamedTuple):
    """What became of a row: what the sale function said, or why the row is no lead; the latter stores nothing."""

    line: int
    said: dict[str, Any] | DomainError
    replayed: bool = False


def post_rows(raw: bytes, mimetype: str, sender: Sender) -> list[Result]:
    """Take the rows of an NDJSON or CSV body and return one result a row, in their order; one bad row spoils no other.

    Malformed when the body is neither, or has more than 10,000 rows. Under the sender's Idempotency-Key each row has
    a key of its own (its number, then that key), so that a repetition sells nothing twice, posts what an interrupted
    first call left out, and gives the same results.
    """
    leads = list(islice(leads_of(raw, mimetype), MOST_ROWS + 1))
    if len(leads) > MOST_ROWS:
        raise Malformed("too_many_rows", f"Send at most {MOST_ROWS} rows at once.")
    key, fingerprint = sender.idempotency_key, None
    if key is not None:
        fingerprint = hashlib.sha256(raw).digest()
        leads = [one._replace(key=f"{number}:{key}") for number, one in enumerate(leads)]
    return list(post_many(leads, sender, fingerprint))


def leads_of(raw: bytes, mimetype: str) -> Iterator[Posted]:
    """Read the rows of a body whose columns are a lead's own fields; Malformed when it is neither NDJSON nor CSV."""
    if mimetype in NDJSON:
        return (Posted(line, _decoded(text)) for line, text in ndjson_lines(io.BytesIO(raw)))
    if mimetype == CSV:
        return _leads_of_csv(CsvFile(io.BufferedReader(io.BytesIO(raw))))
    raise Malformed("unsupported_media_type", "Send application/x-ndjson or text/csv.")


def _decoded(text: bytes) -> Submission | DomainError:
    try:
        return decode(text, Submission)
    except Malformed as refused:
        return refused


def _leads_of_csv(file: CsvFile) -> Iterator[Posted]:
    """Read rows whose columns are paths (`contact.email`, `attributes.course`, `source.sub.1`); empty is left out."""
    assemblers = {"": Assembler(file.header, None)}
    return (Posted(row.line, _assembled(row, file.header, assemblers)) for row in file.rows())


def _assembled(row: Row, header: list[str], assemblers: dict[str, Assembler]) -> Submission | DomainError:
    if isinstance(row.columns, Malformed):
        return row.columns
    slug = row.columns.get("vertical", "")
    live = desk().intake.books.find(slug) if slug not in assemblers else None
    if live is not None:
        assemblers[slug] = Assembler(header, live.vertical)
    try:
        return assemblers.get(slug, assemblers[""]).submission(row.columns.values())
    except Malformed as refused:
        return refused


# -- posting -----------------------------------------------------------------------------------------------------------


def post_many(leads: Iterable[Posted], sender: Sender, fingerprint: bytes | None = None) -> Iterator[Result]:
    """Take leads in chunks and yield what became of each, in order; memory does not grow with their number.

    NotSignedIn when the key is revoked meanwhile, Unavailable when the database is away: what was yielded before is
    stored, of the chunk in work all, some or nothing is. `fingerprint` tells bodies apart under one Idempotency-Key.
    """
    desk()  # set up here, before two threads ask for it
    post = _ChunkPost(sender, fingerprint)
    waiting, under_way = iter(leads), None
    with ThreadPoolExecutor(1, "post-many") as poster:
        while chunk := list(islice(waiting, CHUNK)):
            following: Future[list[Result]] = poster.submit(
                copy_context().run, post, chunk, prepare_chunk(chunk, sender)
            )
            if under_way is not None:
                yield from under_way.result()
            under_way = following
        if under_way is not None:
            yield from under_way.result()


def prepare_chunk(chunk: list[Posted], sender: Sender) -> list[Prepared | DomainError]:
    """Judge leads without posting them: each as the sale function gets it, or why it is no lead."""
    return [_prepared(one.lead, sender) for one in chunk]


def _prepared(lead: Submission | DomainError, sender: Sender) -> Prepared | DomainError:
    if isinstance(lead, DomainError):
        return lead
    try:
        return desk().intake.prepare(lead, sender, new_id())
    except (Invalid, Malformed) as refused:
        return refused


class _ChunkPost:
    """Posts one chunk after the other for one sender, in a thread and a copy of the caller's context."""

    def __init__(self, sender: Sender, fingerprint: bytes | None) -> None:
        self._sender = sender
        self._fingerprint = fingerprint

    def __call__(self, chunk: list[Posted], prepared: list[Prepared | DomainError]) -> list[Result]:
        """Post what is prepared, together as far as possible, and return a result for each of the chunk."""
        together = self._post_together(chunk, prepared)
        return [self._result(*each) for each in zip(chunk, prepared, together, strict=True)]

    def _result(self, one: Posted, prepared: Prepared | DomainError, said: dict[str, Any] | None) -> Result:
        if isinstance(prepared, DomainError):
            return Result(one.line, prepared)
        if said is not None and said["outcome"] in ("done", "replayed"):
            received = Intake.received(said)
        else:
            assert isinstance(one.lead, Submission)
            try:
                received = desk().intake.take(one.lead, self._sender_of(one), self._fingerprint)
            except (Invalid, Malformed) as refused:
                return Result(one.line, refused)
        return Result(one.line, received.result["answer"] if received.replayed else received.result, received.replayed)

    def _sender_of(self, one: Posted) -> Sender:
        return self._sender if one.key is None else replace(self._sender, idempotency_key=one.key)

    def _post_together(
        self, chunk: list[Posted], prepared: list[Prepared | DomainError]
    ) -> list[dict[str, Any] | None]:
        """Post in one statement and one transaction; what is not done there says so by another outcome than done."""
        pairs = zip(chunk, prepared, strict=True)
        records = [self._record(one, lead) for one, lead in pairs if isinstance(lead, Prepared)]
        try:
            with driver_connection() as connection:
                rows = connection.execute(POST_LEADS, [msgspec.json.encode(records).decode()]).fetchall()
        except psycopg.Error as error:
            if error.sqlstate == IN_PROGRESS:
                raise in_progress() from error
            raise
        said = iter(rows)
        return [msgspec.json.decode(next(said)[0]) if isinstance(lead, Prepared) else None for lead in prepared]

    def _record(self, one: Posted, prepared: Prepared) -> dict[str, dict[str, Any]]:
        """Write the arguments of the sale function as one JSON object: psycopg takes ten times as long for them."""
        sender = self._sender_of(one)
        values = iter(desk().intake.arguments(prepared, sender, self._fingerprint, FIRST_BATCH, in_batch=True))
        record = {part: dict(zip(names, values, strict=False)) for part, names in _PARTS.items()}
        lead, rules, by = record["lead"], record["rules"], record["sender"]
        lead |= {"details": msgspec.Raw(lead["details"].encode()), "contact": _hex(lead["contact"]),
                 "status": "unsold", "decision": _EMPTY}  # fmt: skip
        rules["person_keys"] = [_hex(key) for key in rules["person_keys"]]
        by["fingerprint"] = _hex(by["fingerprint"]) if by["fingerprint"] else None
        return record


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()
