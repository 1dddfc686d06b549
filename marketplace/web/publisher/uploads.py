"""Uploads of files of leads: choosing one, saying what its columns mean, the check, the progress, the result."""

from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse

from core.actors import Person, page
from core.db import transaction
from core.errors import Invalid
from core.forms import carry_out
from core.http import business_clock, filter_of
from core.ids import parse_id, show_id
from core.keyset import read_asked
from core.pages import page_time
from marketplace.catalog.shelf import all_verticals, get_vertical
from marketplace.leads.uploads.answers import Answers
from marketplace.leads.uploads.models import Upload
from marketplace.leads.uploads.register import (
    Sent,
    add_upload,
    answers_of,
    cancel_upload,
    get_upload,
    same_before,
    save_answers,
    start_upload,
    table_of_upload,
)
from marketplace.leads.uploads.sniffing import MOST_BYTES, MOST_ROWS
from marketplace.leads.uploads.targets import targets_of
from marketplace.reports.publisher_sources import sources_shown
from marketplace.reports.publisher_uploads import (
    OUTCOMES,
    SORTS,
    check_of,
    every_row,
    reasons_of,
    rows_asked,
    uploads_asked,
)
from marketplace.reports.sheet import sheet_line
from marketplace.web.publisher.routes import publisher
from marketplace.web.publisher.upload_forms import (
    UploadForm,
    answers_in,
    columns_form,
    name_of,
    named_as_here,
    version_in,
)
from marketplace.web.publisher.words import UPLOAD_GROUPS, UPLOAD_OUTCOMES, reason_of, target_word
from marketplace.web.telling import tell
from marketplace.web.vertical_names import name_verticals
from marketplace.web.words import STATES

HEAD = ("line", "outcome", "lead", "reason", "field", "what_to_do")


@publisher.route("/upload", methods=["GET", "POST"])
@page("publisher")
def upload(person: Person) -> str | AnyResponse:
    """Take a file, and list the earlier ones."""
    form, asked = UploadForm(), read_asked(request.args, SORTS, "-uploaded")
    form.vertical.choices = name_verticals(all_verticals())
    made = carry_out(form, lambda: _add(person, form))
    if made:
        return redirect(url_for("publisher.one_upload", upload=made))
    sources = sources_shown(person.account_id)
    names = sorted({*sources.seen, *(row.name for row in sources.registered if row.status != "closed")})
    return render_template(
        "marketplace/publisher/upload.html", form=form, names=names, uploads=uploads_asked(person.account_id, asked),
        most_rows=MOST_ROWS, most_mb=MOST_BYTES // 1_000_000,
    )  # fmt: skip


@publisher.route("/uploads/<upload>", methods=["GET", "POST"])
@page("publisher")
def one_upload(person: Person, upload: str) -> str | AnyResponse:
    """Ask what the columns of a file mean; once its rows are posted, show how far they are and what became of them."""
    row = get_upload(person.account_id, parse_id("upl", upload))
    return _columns(person, row) if row.state == "ready" else _progress(row)


@publisher.get("/uploads/<upload>/check")
@page("publisher")
def check_upload(person: Person, upload: str) -> str | AnyResponse:
    """Show the first rows as they would be posted."""
    row = get_upload(person.account_id, parse_id("upl", upload))
    if row.state != "ready" or row.answers is None:
        return redirect(url_for("publisher.one_upload", upload=upload))
    _, vertical = get_vertical(row.vertical)
    paths, rows = check_of(row, vertical, business_clock().now())
    labels = {one.path: target_word(one) for one in targets_of(vertical)}
    return render_template("marketplace/publisher/upload_check.html", upload=row, paths=paths, rows=rows, labels=labels)


@publisher.post("/uploads/<upload>/run/<int:version>")
@page("publisher")
def run_upload(person: Person, upload: str, version: int) -> AnyResponse:
    """Begin to post the rows by what was seen in the check; once, however often it is asked."""
    form, upload_id, at = FlaskForm(), parse_id("upl", upload), business_clock().now()
    begun = carry_out(form, lambda: start_upload(person.account_id, upload_id, version, person.name, at))
    tell(form)
    return redirect(url_for("publisher.one_upload" if begun else "publisher.check_upload", upload=upload))


@publisher.post("/uploads/<upload>/cancel")
@page("publisher")
def stop_upload(person: Person, upload: str) -> AnyResponse:
    """End an upload early, or give up a file that was not begun."""
    with transaction():
        cancel_upload(person.account_id, parse_id("upl", upload), person.name, business_clock().now())
    return redirect(url_for("publisher.one_upload", upload=upload))


@publisher.get("/uploads/<upload>/rows.csv")
@page("publisher")
def upload_sheet(person: Person, upload: str) -> Response:
    """Save what became of every row, as CSV that no spreadsheet runs."""
    row = get_upload(person.account_id, parse_id("upl", upload))
    response = Response(b"".join(_lines(row)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f"attachment; filename={upload}.csv"
    return response


def _add(person: Person, form: UploadForm) -> str:
    with closing(form.file.data) as sent:
        data = sent.stream.read(MOST_BYTES + 1)
    what = Sent(sent.filename or "", data, form.source.data.strip(), form.vertical.data, form.encoding.data or None)
    return show_id("upl", add_upload(person.account_id, what, person.name, business_clock().now()).id)


def _columns(person: Person, row: Upload) -> str | AnyResponse:
    _, vertical = get_vertical(row.vertical)
    table, targets, upload_id, version = table_of_upload(row), targets_of(vertical), row.id, row.version
    form = columns_form(targets, table.header, answers_of(row, table, vertical), version)

    def work() -> str:
        try:
            return _save(person, upload_id, version_in(form), answers_in(form, targets, table.header))
        except Invalid as refused:
            raise named_as_here(refused, targets) from None

    if saved := carry_out(form, work):
        return redirect(url_for("publisher.check_upload", upload=saved))
    row = get_upload(person.account_id, upload_id)
    return render_template("marketplace/publisher/upload_columns.html", upload=row, table_of=table, form=form,
                           targets=targets, groups=UPLOAD_GROUPS, name_of=name_of, word_of=target_word,
                           same=same_before(row))  # fmt: skip


def _save(person: Person, upload_id: UUID, version: int, answers: Answers) -> str:
    return show_id("upl", save_answers(person.account_id, upload_id, answers, version).id)


def _progress(row: Upload) -> str:
    outcome, codes = filter_of("outcome", OUTCOMES), reasons_of(row)
    code = filter_of("code", [one for one, _ in codes])
    return render_template(
        "marketplace/publisher/upload_rows.html", upload=row, codes=codes, outcome=outcome, code=code,
        part=rows_asked(row, outcome, code, request.args.get("cursor")), reason_of=reason_of,
        outcomes=[(one, UPLOAD_OUTCOMES.get(one) or STATES[one].says) for one in OUTCOMES], at=page_time(),
    )  # fmt: skip


def _lines(row: Upload) -> Iterator[bytes]:
    yield sheet_line(HEAD)
    for one in every_row(row):
        lead = show_id("lead", one.lead_id) if one.lead_id else ""
        yield sheet_line((one.line, one.outcome, lead, one.code or "", one.field or "", one.message or ""))
    if row.not_reached:
        says = f"{row.not_reached} rows from this line on were not reached."
        yield sheet_line((row.next_line, "not_reached", "", row.state, "", says))
