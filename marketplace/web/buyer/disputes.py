"""The buyer's disputes: the list and the same as a sheet, each as one story, and the files and appeal that it takes."""

from collections.abc import Iterator
from uuid import UUID

from flask import Response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from core.actors import Person, page
from core.clock import as_rfc3339
from core.http import filter_of
from core.ids import show_id
from core.keyset import read_asked
from core.money import Money
from marketplace.leads.disputes import REASONS
from marketplace.leads.stages import MOVES
from marketplace.reports.buyer_disputes import (
    SORTS,
    Narrowed,
    appeals_due,
    disputes_of_buyer,
    every_dispute,
    pending_claims,
)
from marketplace.reports.publisher_disputes import sales_of_disputes
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.dispute_room import appealed, dispute_drawn, file_saved, files_shown
from marketplace.web.words import STATES, dispute_reason_of

HEAD = ("id", "sale", "opened_at", "state", "reason", "sub_reason", "decided_at", "price", "credited", "fee",
        "fee_state", "currency")  # fmt: skip


@buyer.get("/disputes")
@page("buyer")
def disputes(person: Person) -> str:
    """List the disputes, the newest first."""
    asked, narrowed = read_asked(request.args, SORTS, "-opened"), _narrowed()
    found = disputes_of_buyer(person.account_id, narrowed, asked)
    return render_template(
        "marketplace/buyer/disputes.html", disputes=found, sales=sales_of_disputes(found.rows), narrowed=narrowed,
        states=[(one, STATES[one].says) for one in MOVES["dispute"]], due=appeals_due(found),
        reasons=[(one, dispute_reason_of(one)) for one in REASONS], reason_of=dispute_reason_of,
        pending=pending_claims(person.account_id),
    )  # fmt: skip


@buyer.get("/disputes.csv")
@page("buyer")
def disputes_sheet(person: Person) -> Response:
    """Save every dispute that the list would show as CSV that no spreadsheet runs."""
    response = Response(b"".join(_lines(person.account_id, _narrowed())), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=disputes.csv"
    return response


@buyer.get("/disputes/<dispute>")
@page("buyer")
def dispute(person: Person, dispute: str) -> str:
    """Show one dispute: the claim and its evidence, the hearing, the decision and the money, and what may be done."""
    return dispute_drawn(person, dispute)


@buyer.get("/disputes/<dispute>/files/<file>")
@page("buyer")
def dispute_file(person: Person, dispute: str, file: str) -> Response:
    """Save a file of a dispute."""
    return file_saved(person, dispute, file)


@buyer.route("/disputes/<dispute>/evidence", methods=["GET", "POST"])
@page("buyer")
def show_file(person: Person, dispute: str) -> str | AnyResponse:
    """Show files while a dispute is undecided."""
    return files_shown(person, dispute)


@buyer.route("/disputes/<dispute>/appeal", methods=["GET", "POST"])
@page("buyer")
def appeal(person: Person, dispute: str) -> str | AnyResponse:
    """Appeal against a decision."""
    return appealed(person, dispute)


def _narrowed() -> Narrowed:
    return Narrowed(filter_of("state", ["", *MOVES["dispute"]]) or None, filter_of("reason", ["", *REASONS]) or None)


def _lines(buyer_id: UUID, narrowed: Narrowed) -> Iterator[bytes]:
    yield sheet_line(HEAD)
    for row, sale in every_dispute(buyer_id, narrowed):
        price, back, fee = (
            Money(minor, sale.currency) for minor in (sale.price_minor, row.credited_minor, row.fee_minor)
        )
        yield sheet_line([
            show_id("dsp", row.id), show_id("sale", sale.id), as_rfc3339(row.opened_at), row.state, row.reason,
            row.sub_reason or "", as_rfc3339(row.decided_at) if row.decided_at else "", price, back, fee,
            row.fee_state or "", sale.currency,
        ])  # fmt: skip
