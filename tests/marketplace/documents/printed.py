"""All documents of a market in all their forms, what is drawn at random in them named by the order in which it appears."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from billing import (
    Document,
    DocumentLine,
    Sheet,
    lines_of_document,
    month_pdf_of,
    month_sheet_of,
    pdf_of,
    sheet_of,
)
from billing.documents.months.sheet import LongSheet
from core.db import db, transaction
from core.ids import show_id
from tests.factories import Member
from tests.marketplace.documents.proofs import ask
from tests.marketplace.documents.quarter import Quarter, id_of

IDS = re.compile(r"(?<![a-z])([a-z]{2,4})_(?:[0-9a-z]{26}|[0-9A-Za-z]{24})\b|…[0-9a-z]{8}|pi_\w+")


class Names:
    """Names for what is drawn at random: the same in two histories that are the same."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def text(self, value: str) -> str:
        """Return a text with each id replaced by its name."""
        return IDS.sub(lambda found: self.known.setdefault(found[0][-8:], f"{len(self.known):08}"), value)

    def within(self, value: Any) -> Any:
        """Return a value with each text in it named."""
        if isinstance(value, dict):
            return {key: self.within(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.within(one) for one in value)
        return self.text(value) if isinstance(value, str) else value


def printed(quarter: Quarter) -> dict[str, bytes]:
    """Return every document as JSON, as it is laid out and, where it has lines, as CSV, by its number and form.

    A print takes a fifth of a second and is made of the layout alone: the longest document of each kind is printed.
    """
    names = Names()
    members = {id_of(one): one for one in (*quarter.publishers, *quarter.buyers)}
    forms: dict[str, bytes] = {}
    with transaction():
        query = "SELECT id FROM billing.documents ORDER BY kind, year, number"
        rows = [db.session.get_one(Document, row.id) for row in ask(query)]
        longest = {row.kind: row for row in sorted(rows, key=lambda one: int(one.content.get("lines", 0)))}
        for row in rows:
            forms[f"{row.shown_number}.layout"] = repr(_laid_out(row, names)).encode()
            if row is longest[row.kind]:
                forms[f"{row.shown_number}.pdf"] = _print(row, names)
        asked = [(row.shown_number, members[row.account_id], list(_paths(row))) for row in rows]
    for number, member, paths in asked:
        for form, path in paths:
            forms[f"{number}.{form}"] = names.text(_saved(member, path)).encode()
    return forms


def _paths(row: Document) -> Iterator[tuple[str, str]]:
    shown, month = show_id("doc", row.id), f"{row.period:%Y-%m}" if row.period else ""
    if row.kind == "statement":
        yield "csv", f"/statements/{month}/csv?currency={row.currency}"
        yield "json", f"/statements/{month}?currency={row.currency}"
    elif row.kind == "invoice":
        yield "csv", f"/invoices/{shown}/csv"
        yield "json", f"/invoices/{shown}"
    else:
        yield "json", f"/documents/{shown}"


def _saved(member: Member, path: str) -> str:
    answer = member.request("GET", path, Accept="*/*")
    assert answer.status_code == 200, answer.text
    return answer.text


def _laid_out(row: Document, names: Names) -> list[Any]:
    sheet = _sheet(row, names)
    parts = [getattr(sheet, one.name) for one in fields(sheet) if one.name not in ("rows", "words")]
    return [*parts, list(sheet.rows) if isinstance(sheet, LongSheet) else []]


def _print(row: Document, names: Names) -> bytes:
    sheet = _sheet(row, names)
    return month_pdf_of(sheet) if isinstance(sheet, LongSheet) else pdf_of(sheet)


def _sheet(row: Document, names: Names) -> Sheet | LongSheet:
    if row.period is None:
        sheet = sheet_of(row)
        return replace(sheet, facts=names.within(sheet.facts))
    columns = [column.name for column in DocumentLine.__table__.columns]
    copies = [DocumentLine(**{name: getattr(one, name) for name in columns}) for one in lines_of_document(row.id)]
    for copy in copies:
        copy.label = names.within(copy.label)
    return month_sheet_of(row, copies)
