"""Posting the rows of an upload, chunk by chunk, through the intake of POST /leads; no row is posted twice.

Each row is posted under a key of its own (its upload and line), and a chunk is recorded once, by who finds the upload
where the chunk began. Who dies between posting and recording leaves a chunk that is posted again, and replayed.
A step opens the file once for many chunks: each opening reads all rows above again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select

from core.db import db, transaction
from core.errors import DomainError, Invalid
from core.identity import get_account
from core.ids import show_id
from core.jobs import enqueue
from marketplace.catalog.shelf import get_vertical
from marketplace.leads.batch import Posted, Result, post_many
from marketplace.leads.desk import desk
from marketplace.leads.imports.run import LeadFile, error_of
from marketplace.leads.intake import Sender
from marketplace.leads.refusals import count_refusals
from marketplace.leads.uploads.models import Upload, UploadRow
from marketplace.leads.uploads.register import JOB, end_upload, open_upload, why_paused

CHUNK_ROWS = 1000
CHUNKS_A_STEP = 5  # a quarter of a minute: other work waits for a step
QUIET = timedelta(minutes=2)  # after which a running upload's next chunk counts as lost
ACTOR = "system:uploads"
# Codes whose sentence repeats what the row said: kept rows say no more than where it was.
REPEATING = {
    "unlisted_value": "The file's columns give no meaning to this text: add it under the field's other words.",
    "unknown_country": "Write the country's English name or its ISO 3166-1 code.",
    "unknown_region": "Write a country or a region by its English name or its ISO 3166 code.",
    "bad_date": "This is no date as the field's dates are said to be written.",
}


class _Step(NamedTuple):
    """What one step posts: of which upload, for whom, from which line of its open file on."""

    upload_id: UUID
    from_line: int
    sender: Sender
    fingerprint: bytes
    file: LeadFile


class _Chunk(NamedTuple):
    """Rows that are recorded together: from which line on, and whether the file or the step ends with them."""

    upload_id: UUID
    from_line: int
    leads: list[Posted]
    is_last: bool
    ends_step: bool


def post_chunks(upload_id: UUID, at: datetime) -> None:
    """Post and record the next rows of a running upload and queue the step after it; safe to run again, and at once."""
    with transaction():
        step = _next_step(upload_id, at)
    if step is None:
        return
    for chunk in _chunks_of(step):
        results = list(post_many(chunk.leads, step.sender, step.fingerprint))
        with transaction():
            goes_on = _record(chunk, results, at)
        if not goes_on:
            return


def wake_uploads(now: datetime) -> int:
    """Queue the next step of uploads of which nothing was heard for a while, by real time, and return how many."""
    query = select(Upload).where(Upload.state == "running", Upload.beat_at < now - QUIET)
    quiet = db.session.scalars(query.with_for_update(skip_locked=True)).all()
    for upload in quiet:
        upload.beat_at = now
        enqueue(JOB, upload=str(upload.id))
    return len(quiet)


def _next_step(upload_id: UUID, at: datetime) -> _Step | None:
    upload = db.session.get(Upload, upload_id, with_for_update=True)
    if upload is None or upload.state != "running" or _has_ended(upload, at):
        return None
    assert upload.started_at is not None
    try:
        file = open_upload(upload, get_vertical(upload.vertical)[1], upload.started_at)
    except Invalid as refused:
        end_upload(upload, "stopped", ACTOR, at, refused.faults[0].message if refused.faults else refused.detail)
        return None
    name = show_id("upl", upload.id)
    sender = Sender(upload.publisher_id, None, f"upload {name}", by=f"upload:{name}")
    return _Step(upload.id, upload.next_line, sender, upload.sha256, file)


def _has_ended(upload: Upload, at: datetime) -> bool:
    """End an upload that was cancelled meanwhile, or whose leads are not taken any more."""
    if upload.cancel_asked:
        end_upload(upload, "cancelled", ACTOR, at, None)
    elif get_account(upload.publisher_id).standing != "active":
        end_upload(upload, "stopped", ACTOR, at, "The account is suspended: ask an operator.")
    elif why := why_paused(upload.publisher_id, upload.source_name):
        end_upload(upload, "stopped", ACTOR, at, why)
    return upload.state != "running"


def _chunks_of(step: _Step) -> Iterator[_Chunk]:
    rows, from_line = step.file.rows(step.from_line), step.from_line
    following = list(islice(rows, CHUNK_ROWS))
    for number in range(1, CHUNKS_A_STEP + 1):
        here, following = following, list(islice(rows, CHUNK_ROWS))
        leads = [Posted(row.line, step.file.lead(row), str(row.line)) for row in here]
        yield _Chunk(step.upload_id, from_line, leads, not following, number == CHUNKS_A_STEP)
        if not following:
            return
        from_line = here[-1].line + 1


def _record(chunk: _Chunk, results: Sequence[Result], at: datetime) -> bool:
    """Write down what became of a chunk, unless somebody else has; tell whether the step goes on."""
    upload = db.session.get(Upload, chunk.upload_id, with_for_update=True)
    assert upload is not None
    if upload.state != "running" or upload.next_line != chunk.from_line:
        return False
    rows = [_row_of(upload.id, result) for result in results]
    if rows:
        db.session.execute(insert(UploadRow), rows)
    _count(upload, rows)
    no_leads = [result.said for result in results if isinstance(result.said, DomainError)]
    count_refusals(upload.publisher_id, no_leads, desk().intake.clock.now())
    upload.next_line, upload.beat_at = results[-1].line + 1 if results else upload.next_line, datetime.now(UTC)
    if chunk.is_last:
        end_upload(upload, "done", ACTOR, at, None)
    elif not _has_ended(upload, at) and chunk.ends_step:
        enqueue(JOB, upload=str(upload.id))
    return upload.state == "running"


def _count(upload: Upload, rows: Iterable[dict[str, object]]) -> None:
    outcomes = [row["outcome"] for row in rows]
    upload.sold += outcomes.count("sold")
    upload.accepted += sum(outcome in ("sold", "unsold", "pending") for outcome in outcomes)
    upload.refused += sum(outcome in ("rejected", "refused") for outcome in outcomes)


def _row_of(upload_id: UUID, result: Result) -> dict[str, object]:
    """Return what is kept of a row: the lead, a rejected one too, or why it is none."""
    error = error_of(result) or {"code": None, "field": None, "message": None}
    lead = result.said if isinstance(result.said, dict) else {"id": None, "status": "refused"}
    return {
        "upload_id": upload_id, "line": result.line, "outcome": lead["status"],
        "lead_id": UUID(lead["id"]) if lead["id"] else None, "code": error["code"], "field": error["field"],
        "message": REPEATING.get(str(error["code"]), error["message"]),
    }  # fmt: skip
