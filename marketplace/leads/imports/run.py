"""The import: a file of leads goes row by row through the intake, whatever its size, and a report comes out."""

import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.db import transaction
from core.errors import DomainError, Fault, Invalid, Malformed
from core.ids import new_id
from marketplace.catalog.verticals import Vertical
from marketplace.leads.batch import Posted, Result, post_many
from marketplace.leads.desk import desk
from marketplace.leads.imports.mapped import Mapped
from marketplace.leads.imports.mapping import MappingFile
from marketplace.leads.intake import Sender
from marketplace.leads.reasons import REASONS
from marketplace.leads.refusals import count_refusals
from marketplace.leads.rows import CsvFile, Row, ndjson_rows
from marketplace.leads.submission import Submission

SHOWN_ERRORS = 100
_COUNTED_TOGETHER = 1000  # refusals go to the database in groups, not in one heap at the end
_NDJSON_ENDINGS, _CSV_ENDINGS = (".ndjson", ".jsonl"), (".csv", ".tsv", ".txt")

Error = dict[str, Any]


@dataclass
class Report:
    """What became of a file: rows = accepted + rejected, sold among the accepted, duplicates among the rejected."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    sold: int = 0
    duplicate: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    errors: list[Error] = field(default_factory=list)
    last_line: int = 0

    def add(self, result: Result) -> Error | None:
        """Count one row; of a rejected one return the line, the first reason and what to do."""
        self.rows += 1
        self.last_line = result.line
        error = error_of(result)
        if error is None:
            self.accepted += 1
            self.sold += isinstance(result.said, dict) and result.said["status"] == "sold"
            return None
        self.rejected += 1
        self.duplicate += error["code"] == "duplicate"
        self.reasons[error["code"]] += 1
        if len(self.errors) < SHOWN_ERRORS:
            self.errors.append(error)
        return error

    def as_json(self) -> dict[str, Any]:
        """Show the report; it lists the first hundred rejected rows and says how many more there are."""
        return {
            "rows": self.rows, "accepted": self.accepted, "rejected": self.rejected, "sold": self.sold,
            "duplicate": self.duplicate, "reasons": dict(self.reasons.most_common()), "errors": self.errors,
            "errors_left_out": self.rejected - len(self.errors),
        }  # fmt: skip


class LeadFile:
    """A file of leads, opened and read by a mapping; the rows that cannot be read come with their reason."""

    def __init__(
        self, stream: io.BufferedReader, name: str, mapping: MappingFile, vertical: Vertical, at: datetime | None = None
    ) -> None:
        """Read the header; Malformed when there is none, Invalid when it lacks columns that the mapping reads.

        `at` is when the import began, now if left out.
        """
        self._rows = self._open(stream, name, mapping)
        self.mapped = Mapped(mapping, vertical, at or desk().intake.clock.now())

    def leads(self, from_line: int = 1) -> Iterator[Posted]:
        """Yield the leads of the rows that begin at this line or below."""
        return (Posted(row.line, self.lead(row)) for row in self.rows(from_line))

    def rows(self, from_line: int = 1) -> Iterator[Row]:
        """Yield the rows that begin at this line or below."""
        return (row for row in self._rows if row.line >= from_line)

    def lead(self, row: Row) -> Submission | DomainError:
        """Make a lead of one row, or tell why it is none."""
        columns = row.columns
        if isinstance(columns, Malformed):
            return columns
        try:
            return self.mapped.lead(columns)
        except Malformed as refused:
            return refused

    @staticmethod
    def _open(stream: io.BufferedReader, name: str, mapping: MappingFile) -> Iterator[Row]:
        ending = name[name.rfind(".") :].lower()
        begins_json = stream.peek(64)[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
        if ending in _NDJSON_ENDINGS or (begins_json and ending not in _CSV_ENDINGS):
            return ndjson_rows(stream)
        file = CsvFile(stream, mapping.encoding, mapping.delimiter)
        _check_header(file.header, mapping.columns())
        return file.rows()


def import_leads(
    file: LeadFile, sender: Sender, report: Report, *, dry_run: bool = False, from_line: int = 1,
    watch: Callable[[Error | None], None] = lambda _: None,
) -> None:  # fmt: skip
    """Post every row of a file and fill the report as the work goes on; a dry run judges rows and stores nothing.

    `watch` is called after each row, with what the report says of a rejected one. Refused rows are counted like a
    refused POST. Errors as `post_many`; the report then says how far the work came.
    """
    refused: list[DomainError] = []
    leads = file.leads(from_line)
    for result in judge_many(leads, sender) if dry_run else post_many(leads, sender):
        watch(report.add(result))
        if isinstance(result.said, DomainError):
            refused.append(result.said)
        if len(refused) == _COUNTED_TOGETHER:
            _count(refused, sender, dry_run)
    _count(refused, sender, dry_run)


def _count(refused: list[DomainError], sender: Sender, dry_run: bool) -> None:
    if refused and not dry_run:
        with transaction():
            count_refusals(sender.account_id, refused, desk().intake.clock.now())
    refused.clear()


def judge_many(leads: Iterable[Posted], sender: Sender) -> Iterator[Result]:
    """Judge leads as posting would, and store nothing."""
    for one in leads:
        try:
            if isinstance(one.lead, DomainError):
                raise one.lead
            reasons = desk().intake.prepare(one.lead, sender, new_id()).judged.reasons
        except (Invalid, Malformed) as refused:
            yield Result(one.line, refused)
        else:
            yield Result(one.line, {"status": "rejected" if reasons else "unsold", "reasons": list(reasons)})


def error_of(result: Result) -> Error | None:
    """Tell why a row was rejected: its line, the first reason, the field and what to do; None when it was not."""
    said = result.said
    if isinstance(said, dict):
        if said["status"] != "rejected":
            return None
        code = said["reasons"][0]
        return {"line": result.line, "code": code, "field": None, "message": REASONS[code]}
    if said.faults:
        first = said.faults[0]
        return {"line": result.line, "code": first.code, "field": first.field, "message": first.message}
    return {"line": result.line, "code": said.code, "field": None, "message": said.detail}


def _check_header(header: list[str], columns: list[str]) -> None:
    faults = [
        Fault(f"column {column}", "missing_column", "The file's header has no such column.")
        if column not in header else
        Fault(f"column {column}", "repeated_column", "The file's header has this column twice.")
        for column in columns if header.count(column) != 1
    ]  # fmt: skip
    if faults:
        raise Invalid("wrong_header", "The file does not fit the mapping; nothing was imported.", faults)
