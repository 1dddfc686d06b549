"""Many leads at once: what nobody buys shares a transaction, what somebody wants is sold in one of its own.

A sale inside a long transaction would hold its buyers' locks; so the sale function answers `alone` in a batch, and
that lead is posted by itself right after.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
import psycopg

from core.db import driver_connection
from core.errors import DomainError, Invalid, Malformed
from core.ids import new_id
from core.schemas import convert, decode
from marketplace.leads.desk import desk
from marketplace.leads.intake import FIRST_BATCH, POST_LEAD, Prepared, Sender
from marketplace.leads.submission import Submission

MOST_ROWS = 10_000
CHUNK = 200

Result = dict[str, Any] | DomainError


def post_rows(raw: bytes, mimetype: str, sender: Sender) -> list[Result]:
    """Take the rows of an NDJSON or CSV body and return one result a row, in their order; one bad row spoils no other.

    Malformed when the body is neither, or has more than 10,000 rows.
    """
    rows = list(islice(_rows(raw, mimetype), MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise Malformed("too_many_rows", f"Send at most {MOST_ROWS} rows at once.")
    return list(post_many(rows, sender))


def post_many(rows: Iterable[Submission | DomainError], sender: Sender) -> Iterator[Result]:
    """Take leads in chunks and yield what became of each, in order; memory does not grow with their number."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        yield from _post_chunk(chunk, sender)


def _post_chunk(chunk: list[Submission | DomainError], sender: Sender) -> list[Result]:
    results: list[Result | None] = [None] * len(chunk)
    prepared: dict[int, Prepared] = {}
    for place, row in enumerate(chunk):
        try:
            if isinstance(row, DomainError):
                raise row
            prepared[place] = desk().intake.prepare(row, sender, new_id())
        except (Invalid, Malformed) as refused:
            results[place] = refused
    results_together = _call_together(prepared, sender)
    for place, row in enumerate(chunk):
        if place in prepared and isinstance(row, Submission):
            result = results_together.get(place)
            done = result is not None and result["outcome"] == "done"
            results[place] = result if done else desk().intake.take(row, sender).result
    return [result for result in results if result is not None]


def _call_together(prepared: dict[int, Prepared], sender: Sender) -> dict[int, dict[str, Any]]:
    """Post leads in one transaction, without waiting for each answer; what is not done there is left out."""
    intake, cursors = desk().intake, dict[int, psycopg.Cursor[Any]]()
    with driver_connection() as connection, connection.transaction(), connection.pipeline():
        for place, one in prepared.items():
            values = intake.arguments(one, sender, None, FIRST_BATCH, in_batch=True)
            cursors[place] = connection.cursor().execute(POST_LEAD, values)
        connection.execute("SELECT 1")
        answers = {place: cursor.fetchone() for place, cursor in cursors.items()}
    return {place: msgspec.json.decode(answer[0]) for place, answer in answers.items() if answer is not None}


def _rows(raw: bytes, mimetype: str) -> Iterator[Submission | DomainError]:
    if mimetype in ("application/x-ndjson", "application/jsonl", "application/json", ""):
        return (_one(line) for line in raw.split(b"\n") if line.strip())
    if mimetype == "text/csv":
        return _csv_rows(raw)
    raise Malformed("unsupported_media_type", "Send application/x-ndjson or text/csv.")


def _one(line: bytes) -> Submission | DomainError:
    try:
        return decode(line, Submission)
    except Malformed as refused:
        return refused


def _csv_rows(raw: bytes) -> Iterator[Submission | DomainError]:
    """Read rows whose columns are paths (`contact.email`, `attributes.course`, `source.sub.1`); empty means left out."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Malformed("not_utf8", "Send the CSV in UTF-8.") from wrong
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            yield _from_columns(row)
    except csv.Error as wrong:
        yield Malformed("bad_csv", f"Line {reader.line_num}: {wrong}. The rows after it were not read.")


def _from_columns(row: dict[str, Any]) -> Submission | DomainError:
    document: dict[str, Any] = {}
    if None in row or None in row.values():
        return Malformed("wrong_columns", "This row has more or fewer values than the header has columns.")
    for path, value in row.items():
        if value != "":
            *parents, name = path.split(".")
            inner = document
            for parent in parents:
                inner = inner.setdefault(parent, {})
                if not isinstance(inner, dict):
                    return Malformed("wrong_columns", f"The column {path} contradicts another one.")
            inner[name] = value
    try:
        return convert(document, Submission)
    except Malformed as refused:
        return refused
