"""The bank's statements over HTTP, for operators: a file imported, and what became of its entries."""

import io
from datetime import datetime
from typing import Annotated

import msgspec
from flask import request
from msgspec import Struct

from billing import (
    BankImport,
    Sent,
    get_import,
    imports,
    lines_of_import,
    outcomes_of,
    statements_of,
    take_in,
    wake_bank,
)
from core.db import transaction
from core.http import Answer, business_clock, calls_out, created, raw_body, reads, require_media_type
from core.identity import Actor
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.bank_files import MOST_BYTES, sheet_of
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import Query, describe
from marketplace.web.api.shown import amount, instant, instant_or_none

PART, MOST_REFUSED = 50, 1000
MEDIA_TYPES = ("application/xml", "text/csv")
QUERY = (
    Query("name", "The file's name, as it stands among the files."),
    Query("account", "Of a CSV: the IBAN that it is of."),
    Query("currency", "Of a CSV: the account's currency; EUR without it."),
    Query("columns", "Of a CSV: which column means what where their names do not say it, as date=Tag;amount=Wert."),
)
STATES, FORMS = ("read", "asked", "done", "refused"), ("camt.053", "csv")


class StatementSent(Struct, frozen=True, kw_only=True):
    """A statement as the bank made it: CAMT.053, or a CSV of which one line has these columns, under whatever names.

    An amount has a sign, or a side beside it; or it stands in one of the columns debit and credit.
    """

    date: str
    amount: str | None = None
    side: str | None = None
    debit: str | None = None
    credit: str | None = None
    currency: str | None = None
    text: str | None = None
    counterparty: str | None = None
    id: str | None = None


class UnreadLineShown(Struct, frozen=True, kw_only=True):
    """A line that was not booked because it cannot be read, or because nobody agreed to it."""

    line: int
    code: str
    message: str


class GapShown(Struct, frozen=True, kw_only=True):
    """A statement that does not begin where one before it ended: one between them may be missing."""

    statement: str
    amount: Amount


class StatementImportShown(Struct, frozen=True, kw_only=True):
    """A bank's file: `read` while it is being booked, `asked` while a second operator has to agree, then `done`.

    `refused` means that nothing of it was booked, `why` says it. `outcomes` counts its lines by what became of them;
    `unread` shows the first thousand that could not be booked, and `gaps` what may be missing, when one is asked for.
    """

    id: str
    state: Annotated[str, one_of(STATES)]
    form: Annotated[str, one_of(FORMS)]
    file_name: str
    lines: int
    why: str | None
    sent_at: datetime
    ended_at: datetime | None
    outcomes: dict[str, int]
    unread: list[UnreadLineShown]
    gaps: list[GapShown]


@api.post("/bank/statements")
@calls_out("operate", MOST_BYTES)
@describe(StatementImportShown, takes=StatementSent, status=201, media_types=MEDIA_TYPES, query=QUERY)
def post_statement(actor: Actor) -> Answer:
    """Import a bank's file, up to 8 MB; each entry is booked once, however often it is sent."""
    require_media_type(*MEDIA_TYPES)
    file, said = io.BytesIO(raw_body(MOST_BYTES)), request.args
    sheet = None
    if request.mimetype == "text/csv":
        sheet = sheet_of(said.get("account", ""), said.get("currency", "EUR"), said.get("columns", "").split(";"))
    import_id = take_in(Sent(file, said.get("name", ""), sheet), actor.name, business_clock().now())
    with transaction():
        wake_bank()
        return created(_shown(get_import(import_id)))


@api.get("/bank/statements")
@reads("operate")
@describe(StatementImportShown, is_list=True)
def list_statements(_: Actor) -> Answer:
    """List the files that were imported or refused, the newest first."""
    cursor = request.args.get("cursor")
    rows = imports(parse_id("imp", cursor) if cursor else None, PART + 1)
    more = show_id("imp", rows[PART - 1].id) if len(rows) > PART else None
    return Answer({"items": [_shown(row) for row in rows[:PART]], "next_cursor": more})


@api.get("/bank/statements/<import_id>")
@reads("operate")
@describe(StatementImportShown)
def show_statement(_: Actor, import_id: str) -> Answer:
    """Show how far a file is, with its lines that could not be booked."""
    row = get_import(parse_id("imp", import_id))
    unread = [UnreadLineShown(line=one.line, code=one.code, message=one.says)
              for one in lines_of_import(row.id, "refused", 0, MOST_REFUSED)]  # fmt: skip
    gaps = [GapShown(statement=one.name, amount=amount(one.gap_minor, one.currency))
            for one in statements_of(row.id) if one.gap_minor]  # fmt: skip
    return Answer(msgspec.structs.replace(_shown(row), unread=unread, gaps=gaps))


def _shown(row: BankImport) -> StatementImportShown:
    return StatementImportShown(
        id=show_id("imp", row.id), state=row.state, form=row.form, file_name=row.file_name, lines=row.lines,
        why=row.why, sent_at=instant(row.sent_at), ended_at=instant_or_none(row.ended_at),
        outcomes=outcomes_of(row.id), unread=[], gaps=[],
    )  # fmt: skip
