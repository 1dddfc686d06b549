"""The buyer's disputes: the list and the same as a sheet, each as one story, and the files and appeal that it takes."""

from collections.abc import Iterator
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse

from core.actors import Person, page
from core.clock import as_rfc3339
from core.forms import carry_out
from core.http import business_clock, download, filter_of, settings
from core.ids import parse_id, show_id
from core.keyset import read_asked
from core.money import Money
from core.pages import page_time
from marketplace.leads.disputes import REASONS, open_appeal
from marketplace.leads.disputes.evidence import get_file, read_file
from marketplace.leads.stages import MOVES
from marketplace.reports.buyer_disputes import (
    SORTS,
    Narrowed,
    appeals_due,
    disputes_of_buyer,
    every_dispute,
    pending_claims,
)
from marketplace.reports.dispute_sides import dispute_story
from marketplace.reports.publisher_disputes import sales_of_disputes
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.buyer.telling import tell
from marketplace.web.dispute_forms import AppealForm, FileForm, keep_files
from marketplace.web.dispute_words import what_happened
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
    story = dispute_story(person.account_id, parse_id("dsp", dispute), page_time())
    return render_template("marketplace/dispute.html", story=story, reason_of=dispute_reason_of,
                           events=what_happened(story))  # fmt: skip


@buyer.get("/disputes/<dispute>/files/<file>")
@page("buyer")
def dispute_file(person: Person, dispute: str, file: str) -> Response:
    """Save a file of a dispute."""
    found = get_file(person.account_id, parse_id("dsp", dispute), parse_id("file", file))
    return download(found.name, found.media_type, read_file(found, settings().data_folder))


@buyer.route("/disputes/<dispute>/evidence", methods=["GET", "POST"])
@page("buyer")
def show_file(person: Person, dispute: str) -> str | AnyResponse:
    """Show files while a dispute is undecided."""
    form, dispute_id = FileForm(), parse_id("dsp", dispute)
    is_done = carry_out(form, lambda: keep_files(person, dispute_id, form.file.data))
    return _after(form, is_done, person, dispute, "evidence")


@buyer.route("/disputes/<dispute>/appeal", methods=["GET", "POST"])
@page("buyer")
def appeal(person: Person, dispute: str) -> str | AnyResponse:
    """Appeal against a decision."""
    form, dispute_id = AppealForm(), parse_id("dsp", dispute)

    def work() -> bool:
        open_appeal(person.account_id, dispute_id, form.note.data or "", person.name, business_clock().now())
        return True

    return _after(form, carry_out(form, work), person, dispute, "appeal")


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


def _after(form: FlaskForm, is_done: bool | None, person: Person, dispute: str, kind: str) -> str | AnyResponse:
    """Go back to the dispute once something was done, or show the form with it."""
    if is_done:
        tell(gettext("The appeal is made.") if kind == "appeal" else gettext("The files are shown to both sides."))
        return redirect(url_for("buyer.dispute", dispute=dispute))
    story = dispute_story(person.account_id, parse_id("dsp", dispute), page_time())
    return render_template("marketplace/dispute_form.html", form=form, story=story, kind=kind,
                           reason_of=dispute_reason_of)  # fmt: skip
