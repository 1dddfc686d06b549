"""What the pages of uploads ask: the list, the first rows as they would be read, and what became of every row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from core.db import db
from core.errors import DomainError, Fault, Malformed
from core.keyset import Asked, Part, part_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.batch import Posted
from marketplace.leads.imports.run import LeadFile, judge_many
from marketplace.leads.intake import Sender
from marketplace.leads.reasons import REASONS
from marketplace.leads.uploads.models import Upload, UploadRow
from marketplace.leads.uploads.posting import REPEATING
from marketplace.leads.uploads.register import open_upload

SHOWN_ROWS = 50
CHECKED_ROWS = 20
_AT_ONCE = 5000  # rows of a sheet that are read together
MOST_SHOWN = 500  # letters of a value: several fields may repeat a long one
SORTS = {"uploaded": Upload.uploaded_at, "rows": Upload.file_rows}
OUTCOMES = ("sold", "unsold", "pending", "rejected", "refused")


class CheckedRow(NamedTuple):
    """A row as it would be read: the text of each field, the faults at fields, and what is wrong with it as a whole."""

    line: int
    texts: Mapping[str, str]
    faults: Mapping[str, Sequence[str]]
    others: Sequence[str]


class DoneRow(NamedTuple):
    """What became of a row, as a sheet tells it."""

    line: int
    outcome: str
    lead_id: UUID | None
    code: str | None
    field: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class RowPart:
    """A part of an upload's rows, and the line after which the next one begins; None at the end."""

    rows: Sequence[UploadRow]
    next_cursor: str | None


def uploads_asked(publisher_id: UUID, asked: Asked) -> Part:
    """List a publisher's uploads."""
    return part_of(select(Upload).where(Upload.publisher_id == publisher_id), asked, SORTS, Upload.id)


def rows_asked(upload: Upload, outcome: str | None, code: str | None, cursor: str | None) -> RowPart:
    """List the rows of an upload that are done, in their order; Malformed for a cursor that no list gave."""
    query = _narrowed(upload, outcome, code)
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
            raise Malformed("bad_page", "This page cannot be shown.", [fault])
        query = query.where(UploadRow.line > int(cursor))
    rows = db.session.scalars(query.limit(SHOWN_ROWS + 1)).all()
    shown = rows[:SHOWN_ROWS]
    return RowPart(shown, str(shown[-1].line) if len(rows) > SHOWN_ROWS else None)


def every_row(upload: Upload) -> Iterator[DoneRow]:
    """Yield every row of an upload that is done, in their order, without holding all of them."""
    query = select(UploadRow.line, UploadRow.outcome, UploadRow.lead_id, UploadRow.code, UploadRow.field,
                   UploadRow.message).where(UploadRow.upload_id == upload.id).order_by(UploadRow.line)  # fmt: skip
    return (DoneRow(*row) for row in db.session.execute(query.execution_options(yield_per=_AT_ONCE)))


def _narrowed(upload: Upload, outcome: str | None, code: str | None) -> Any:
    query = select(UploadRow).where(UploadRow.upload_id == upload.id).order_by(UploadRow.line)
    query = query.where(UploadRow.outcome == outcome) if outcome else query
    return query.where(UploadRow.code == code) if code else query


def reasons_of(upload: Upload) -> list[tuple[str, int]]:
    """Return how many rows were refused for each reason, the most frequent first; they sum up to the refused."""
    query = select(UploadRow.code, func.count()).where(UploadRow.upload_id == upload.id, UploadRow.code.is_not(None))
    rows = db.session.execute(query.group_by(UploadRow.code).order_by(func.count().desc(), UploadRow.code)).all()
    return [(str(row[0]), int(row[1])) for row in rows]


def check_of(upload: Upload, vertical: Vertical, at: datetime) -> tuple[list[str], list[CheckedRow]]:
    """Read the first rows as they would be posted now, and store nothing; return the fields that any of them fills."""
    file = open_upload(upload, vertical, at)
    rows = [_checked(file, row, Sender(upload.publisher_id, None)) for row in islice(file.rows(), CHECKED_ROWS)]
    seen = {path for row in rows for path in (*row.texts, *row.faults)}
    return [path for path in file.mapped.paths if path in seen and path != "source.name"], rows


def _checked(file: LeadFile, row: Any, sender: Sender) -> CheckedRow:
    if isinstance(row.columns, Malformed):
        return CheckedRow(row.line, {}, {}, [row.columns.detail])
    values, unread = file.mapped.values(row.columns)
    texts = {path: str(value)[:MOST_SHOWN] for path, value in values.items() if value is not None}
    said = next(iter(judge_many([Posted(row.line, file.lead(row))], sender))).said
    if not isinstance(said, DomainError):
        return CheckedRow(row.line, texts, {}, [REASONS.get(code, code) for code in said["reasons"]])
    faults: dict[str, list[str]] = {}
    for fault in (*unread, *(one for one in said.faults if one not in unread)):
        faults.setdefault(fault.field, []).append(REPEATING.get(fault.code, fault.message))
    others = [text for path, found in faults.items() if path not in file.mapped.paths for text in found]
    return CheckedRow(row.line, texts, {path: found for path, found in faults.items() if path in file.mapped.paths},
                      others or ([] if faults else [said.detail]))  # fmt: skip
