"""The ledger's journal for operators: every transaction, narrowed, each with its entries, and the same as a sheet."""

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from billing import KINDS, Posted
from core.actors import Person, page
from core.clock import as_rfc3339
from core.errors import Fault, Malformed, NotFound
from core.http import filter_of
from core.ids import parse_id, show_id
from core.money import Money
from marketplace.reports.books import MOST_SAVED, SALES, Sought, every_posting, journal_part, posting_story
from marketplace.reports.sheet import sheet_line
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.words import MOVEMENTS

THINGS = ("lead", "ord", "sale")
HEAD = ("transaction", "occurred_at", "posted_at", "kind", "amount", "currency", "key", "source", "actor", "reason")
CUT = f"Not the whole: at most {MOST_SAVED} transactions, and of an order its newest {SALES} sales. Narrow by day."


@operator.get("/journal")
@page("operator")
def journal(_: Person) -> str:
    """List the transactions, the newest first."""
    sought, cursor = _sought(), request.args.get("cursor")
    part = journal_part(sought, parse_id("txn", cursor) if cursor else None)
    kinds = [(kind, MOVEMENTS.get(kind, kind)) for kind in KINDS]
    return render_template("marketplace/operator/journal.html", part=part, sought=sought, kinds=kinds, sales=SALES,
                           actor_said=actor_said)  # fmt: skip


@operator.get("/journal.csv")
@page("operator")
def journal_sheet(_: Person) -> Response:
    """Save what the list would show as CSV that no spreadsheet runs."""
    response = Response(b"".join(_lines(_sought())), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=journal.csv"
    return response


@operator.get("/journal/<posting>")
@page("operator")
def posting(_: Person, posting: str) -> str:
    """Tell one transaction with its entries."""
    story = posting_story(parse_id("txn", posting))
    return render_template("marketplace/operator/posting.html", story=story, actor_said=actor_said)


def _sought() -> Sought:
    faults: list[Fault] = []
    account = _id("account", ("acc",), faults)
    thing, on = _id("of", THINGS, faults), _day(faults)
    if faults:
        raise Malformed("bad_filter", "This list cannot be shown.", faults)
    kind = filter_of("kind", ("", *KINDS)) or None
    of = ({"ord": "order"}.get(thing[0], thing[0]), thing[1]) if thing else None
    return Sought(kind, account[1] if account else None, on, of)


def _id(name: str, prefixes: Sequence[str], faults: list[Fault]) -> tuple[str, UUID] | None:
    text = request.args.get(name, "").strip()
    prefix = text.partition("_")[0]
    if not text:
        return None
    try:
        if prefix in prefixes:
            return prefix, parse_id(prefix, text)
    except NotFound:
        pass
    shown = " or ".join(f"{one}_" for one in prefixes)
    faults.append(Fault(name, "not_allowed_value", f"Give an id as it is shown: {shown} and 26 letters."))
    return None


def _day(faults: list[Fault]) -> date | None:
    text = request.args.get("on", "").strip()
    try:
        on = date.fromisoformat(text) if text else None
        if on != date.max:  # it has no day after it, before which its transactions are
            return on
    except ValueError:
        pass
    faults.append(Fault("on", "not_a_date", "Write a day as 2026-01-31."))
    return None


def _lines(sought: Sought) -> Iterator[bytes]:
    yield sheet_line(HEAD)
    for one in every_posting(sought):
        yield sheet_line(_cells(one) if one else [CUT])


def _cells(one: Posted) -> list[str]:
    row = one.transaction
    return [show_id("txn", row.id), as_rfc3339(row.occurred_at), as_rfc3339(row.posted_at), row.kind,
            str(Money(one.turnover_minor, row.currency)), row.currency, row.key, row.source or "", row.actor,
            row.reason or ""]  # fmt: skip
