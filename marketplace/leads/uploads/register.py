"""An upload and its publisher: keeping the file sealed, saying what its columns mean, beginning, ending early."""

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.identity import Account
from core.ids import new_id
from core.jobs import enqueue
from core.overrides import overrides
from core.schemas import convert
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.desk import desk
from marketplace.leads.events import move
from marketplace.leads.imports.mapping import MappingFile
from marketplace.leads.imports.run import LeadFile
from marketplace.leads.source_breaker import PAUSED
from marketplace.leads.sources.models import LeadSource, SourceStanding
from marketplace.leads.uploads.answers import Answers, first_answers, mapping_of_answers, stored
from marketplace.leads.uploads.models import Upload, UploadFile
from marketplace.leads.uploads.sniffing import Table, open_table, samples_of, table_of

JOB = "market.upload"
KEPT_DAYS = 30  # as long as a question about a row may still come
KEPT, RUNNING = "uploads.kept", "uploads.running"  # settings: files of one publisher at a time
ERASED_AT_ONCE = 20
RETENTION = "system:retention"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a publisher sends: the file, and which source and vertical it is for."""

    name: str
    data: bytes
    source_name: str
    vertical: str
    encoding: str | None = None


def add_upload(publisher_id: UUID, sent: Sent, actor: str, at: datetime) -> Upload:
    """Keep a file sealed until its retention is over; Invalid `unusable_file` with every fault that can be told.

    Conflict `too_many_uploads` while as many files of the publisher are kept as may be.
    """
    faults = list(_faults_of(publisher_id, sent))
    try:
        table: Table | None = table_of(sent.data, sent.encoding)
    except Invalid as unusable:
        table, faults = None, [*unusable.faults, *faults]
    if table is None or faults:
        raise Invalid("unusable_file", "The file cannot be used.", faults)
    _refuse_more_kept(publisher_id)
    upload = Upload(
        id=new_id(), publisher_id=publisher_id, source_name=sent.source_name, vertical=sent.vertical,
        file_name=_clean(sent.name), size_bytes=len(sent.data), sha256=hashlib.sha256(sent.data).digest(),
        encoding=table.encoding, delimiter=table.delimiter, file_rows=table.rows, uploaded_by=actor, uploaded_at=at,
        erase_at=at + timedelta(days=KEPT_DAYS),
    )  # fmt: skip
    db.session.add(upload)
    db.session.flush()
    vault = desk().vault
    sealed = vault.seal(sent.data, upload.id)
    db.session.add(
        UploadFile(upload_id=upload.id, sealed=sealed, sealed_key=vault.generation, erase_at=upload.erase_at)
    )
    db.session.flush()
    return upload


def _refuse_more_kept(publisher_id: UUID) -> None:
    most = _most(publisher_id, KEPT)
    kept = select(func.count()).select_from(UploadFile).join(Upload, Upload.id == UploadFile.upload_id)
    if (db.session.scalar(kept.where(Upload.publisher_id == publisher_id)) or 0) >= most:
        advice = "Give up one whose rows are not posted, or wait until one is erased."
        raise Conflict("too_many_uploads", f"At most {most} files are kept. {advice}")


def _refuse_more_running(publisher_id: UUID) -> None:
    most = _most(publisher_id, RUNNING)
    running = select(func.count()).where(Upload.publisher_id == publisher_id, Upload.state == "running")
    if (db.session.scalar(running) or 0) >= most:
        raise Conflict("uploads_running", f"The rows of {most} files are posted already. Wait until one has ended.")


def _most(publisher_id: UUID, key: str) -> int:
    """Read a limit; who asks at the same moment waits, so that two do not both find the last place free."""
    db.session.execute(select(Account.id).where(Account.id == publisher_id).with_for_update(key_share=True))
    return overrides().setting(key)


def _faults_of(publisher_id: UUID, sent: Sent) -> Iterable[Fault]:
    name = sent.source_name
    if not name or len(name) > 100 or not name.isprintable():
        yield Fault("source", "invalid_name", "Name the source in at most 100 printable letters.")
    elif why := why_paused(publisher_id, name):
        yield Fault("source", "source_paused", why)


def why_paused(publisher_id: UUID, source_name: str) -> str:
    """Tell why no leads of a source are taken now, empty when they are."""
    standing = db.session.get(SourceStanding, (publisher_id, source_name))
    if standing is not None and standing.standing == PAUSED:
        return "This source is paused, as too much of it was sent back: ask an operator to readmit it."
    states = select(LeadSource.status).where(LeadSource.publisher_id == publisher_id, LeadSource.name == source_name)
    known = set(db.session.scalars(states)) - {"closed"}
    return "You paused this source: resume it under Sources." if known == {"paused"} else ""


def _clean(name: str) -> str:
    """Return a file's name without its folder and what no name holds."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in bare if letter.isprintable())[-200:].strip() or "file.csv"


def get_upload(publisher_id: UUID, upload_id: UUID, *, lock: bool = False) -> Upload:
    """Return an upload of this publisher; NotFound for anybody else's."""
    upload = db.session.get(Upload, upload_id, with_for_update=lock)
    if upload is None or upload.publisher_id != publisher_id:
        raise NotFound(detail="There is no upload with this id.")
    return upload


def bytes_of_upload(upload: Upload) -> bytes:
    """Return the bytes of an upload; Conflict `not_now` when they are erased."""
    file = db.session.get(UploadFile, upload.id)
    if file is None:
        raise Conflict("not_now", "The file was erased: upload it again.")
    return desk().vault.open(file.sealed, file.sealed_key, upload.id)


def table_of_upload(upload: Upload) -> Table:
    """Read the columns of an upload's file again, and their first values."""
    file = open_table(bytes_of_upload(upload), upload.encoding, upload.delimiter)
    return Table(upload.encoding, upload.delimiter, file.header, upload.file_rows, samples_of(file)[1])


def answers_of(upload: Upload, table: Table, vertical: Vertical) -> Answers:
    """Return what was said of an upload's columns, or what is likely: the last of its source counts more than names."""
    if upload.answers is not None:
        return answers_kept(upload)
    query = select(Upload.answers).where(
        Upload.publisher_id == upload.publisher_id, Upload.source_name == upload.source_name,
        Upload.vertical == upload.vertical, Upload.answers.is_not(None), Upload.id < upload.id,
    )  # fmt: skip
    before = db.session.scalar(query.order_by(Upload.id.desc()).limit(1))
    return first_answers(vertical, table.header, table.samples, convert(before, Answers) if before else None)


def answers_kept(upload: Upload) -> Answers:
    """Return what was said of an upload's columns."""
    return convert(upload.answers, Answers)


def mapping_of_upload(upload: Upload, vertical: Vertical) -> MappingFile:
    """Return the mapping of an upload whose columns were said; Invalid when the vertical has changed since."""
    answers = answers_kept(upload)
    return mapping_of_answers(answers, vertical, upload.source_name, upload.encoding, upload.delimiter)


def open_upload(upload: Upload, vertical: Vertical, at: datetime) -> LeadFile:
    """Open an upload's file as the import reads one."""
    stream = io.BytesIO(bytes_of_upload(upload))
    return LeadFile(io.BufferedReader(stream), "upload.csv", mapping_of_upload(upload, vertical), vertical, at)


def save_answers(publisher_id: UUID, upload_id: UUID, answers: Answers, version: int) -> Upload:
    """Keep what is said of a file's columns; Invalid `invalid_mapping` as the import says it.

    Conflict `version_changed` when somebody said something else meanwhile, `not_now` once its rows are posted.
    """
    upload = _ready(publisher_id, upload_id, version)
    _, vertical = get_vertical(upload.vertical)
    mapping_of_answers(answers, vertical, upload.source_name, upload.encoding, upload.delimiter)
    upload.answers, upload.version = stored(answers), upload.version + 1
    db.session.flush()
    return upload


def start_upload(publisher_id: UUID, upload_id: UUID, version: int, actor: str, at: datetime) -> Upload:
    """Begin to post the rows of an upload by what was said of its columns; one that has begun stays as it is.

    Conflict as `save_answers`, or `uploads_running` while as many are posted as may be at a time; Invalid
    `unusable_file` while its source is paused.
    """
    upload = get_upload(publisher_id, upload_id, lock=True)
    if upload.started_at is not None:
        return upload
    _ready(publisher_id, upload_id, version)
    if upload.answers is None:
        raise Conflict("not_now", "Say what the columns mean first.")
    if why := why_paused(publisher_id, upload.source_name):
        raise Invalid("unusable_file", "The file cannot be used.", [Fault("source", "source_paused", why)])
    _refuse_more_running(publisher_id)
    upload.started_at, upload.beat_at = at, datetime.now(UTC)
    move(upload, "running", actor, at)
    enqueue(JOB, upload=str(upload.id))
    return upload


def cancel_upload(publisher_id: UUID, upload_id: UUID, actor: str, at: datetime) -> Upload:
    """End an upload early: after the chunk in work, or at once when it has not begun; one that has ended stays so."""
    upload = get_upload(publisher_id, upload_id, lock=True)
    if upload.state == "ready":
        end_upload(upload, "cancelled", actor, at, None)
        db.session.execute(delete(UploadFile).where(UploadFile.upload_id == upload.id))
    elif upload.state == "running":
        upload.cancel_asked = True
    db.session.flush()
    return upload


def end_upload(upload: Upload, state: str, actor: str, at: datetime, why: str | None) -> None:
    """End an upload whose row is locked."""
    upload.ended_at, upload.why = at, why
    move(upload, state, actor, at, why)


def _ready(publisher_id: UUID, upload_id: UUID, version: int) -> Upload:
    upload = get_upload(publisher_id, upload_id, lock=True)
    if upload.state != "ready":
        raise Conflict("not_now", "Its rows are posted already, or it was given up.")
    if upload.version != version:
        raise Conflict("version_changed", "Somebody changed what the columns mean meanwhile: look at the file again.")
    return upload


def erase_files(as_of: datetime) -> int:
    """Erase files whose retention is over, and expire uploads that were never begun; return how many."""
    query = select(Upload).join(UploadFile, UploadFile.upload_id == Upload.id)
    query = query.where(UploadFile.erase_at <= as_of, Upload.state != "running").order_by(UploadFile.erase_at)
    due = db.session.scalars(query.limit(ERASED_AT_ONCE).with_for_update(of=Upload, skip_locked=True)).all()
    for upload in due:
        if upload.state == "ready":
            end_upload(upload, "expired", RETENTION, as_of, None)
    db.session.execute(delete(UploadFile).where(UploadFile.upload_id.in_([upload.id for upload in due])))
    return len(due)


def same_before(upload: Upload) -> Upload | None:
    """Find the latest upload of the same file that was begun before this one."""
    query = select(Upload).where(Upload.publisher_id == upload.publisher_id, Upload.sha256 == upload.sha256)
    query = query.where(Upload.id < upload.id, Upload.started_at.is_not(None))
    found: Any = db.session.scalar(query.order_by(Upload.id.desc()).limit(1))
    return found  # type: ignore[no-any-return]
