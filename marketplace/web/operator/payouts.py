"""The operator's payouts: drafts to look at, what waits and what is on its way, files and their results."""

from contextlib import closing
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from billing import (
    content_of_payout_file,
    counted_payouts,
    get_payout,
    get_payout_file,
    get_payout_results,
    name_of_payout_file,
    owed_by_earners,
    payout_events_of,
    payout_files_lately,
    payout_results_lately,
    payouts_in,
    payouts_of_file,
)
from core.actors import Person, page
from core.errors import Invalid
from core.forms import carry_out
from core.http import business_clock, download
from core.ids import parse_id, show_id
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.payout_acts import again, agree, give_up, hand_on, make_file, masked, take_back, take_results, withdraw
from marketplace.reports.dispute_queue import names_of
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.payout_words import OUTCOMES, RAILS, payout_state, why_word
from marketplace.web.telling import tell

MOST_BYTES = 4_000_000
ENDED = ("paid", "refused", "failed", "reversed", "withdrawn")
FILES = ("sepa", "wise", "paypal")
NONE = "none"  # in place of a file's id, when nothing was left to be paid


class WhyForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Why something is done about a payout; its publisher reads it."""

    reason = StringField()


class FileForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Of which rail and currency a file is made."""

    kind = SelectField(choices=[(kind, RAILS[kind]) for kind in FILES])
    currency = StringField(default="EUR")


class ResultsForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A sheet of results of the files of a rail."""

    kind = SelectField(id="results-kind", choices=[(kind, RAILS[kind]) for kind in FILES])
    file = FileField(validators=[InputRequired(_l("Choose a file."))])


@operator.get("/payouts")
@page("operator")
def payouts(_: Person) -> str:
    """Show what waits for a person, for the balance or a file, what is on its way, and what became of the others."""
    drafted, agreed = payouts_in(("drafted",)), payouts_in(("approved", "ordered", "sent"), 200)
    waiting = [row for row in agreed if row.payout.state == "approved"]
    moving, ended = [row for row in agreed if row not in waiting], payouts_in(ENDED, 30, newest_first=True)
    owing = owed_by_earners(page_time(), 30)
    ids = [row.payout.account_id for row in (*drafted, *waiting, *moving, *ended)] + [one.account_id for one in owing]
    return render_template(
        "marketplace/operator/payouts.html", drafted=drafted, waiting=waiting, moving=moving, ended=ended, owing=owing,
        counted=counted_payouts(), files=payout_files_lately(), results=payout_results_lately(), names=names_of(ids),
        form=FileForm(formdata=None), sheet=ResultsForm(formdata=None), rails=RAILS, payout_state=payout_state,
        why_word=why_word, actor_said=actor_said,
    )  # fmt: skip


@operator.get("/payouts/<payout>")
@page("operator")
def payout(_: Person, payout: str) -> str:
    """Show one payout with each of its steps, and what may be done about it."""
    payout_id = parse_id("pay", payout)
    row = get_payout(payout_id)
    return render_template(
        "marketplace/operator/payout.html", row=row, shown=payout, events=payout_events_of(payout_id), rails=RAILS,
        form=WhyForm(formdata=None), name=names_of([row.payout.account_id])[row.payout.account_id], masked=masked,
        payout_state=payout_state, why_word=why_word, actor_said=actor_said,
    )  # fmt: skip


@operator.post("/payouts/<payout>/<verb>")
@page("operator")
def decide_payout(person: Person, payout: str, verb: str) -> Response:
    """Agree to a payout, withdraw it, try it again, or take it back."""
    form, payout_id = WhyForm(), parse_id("pay", payout)
    shown = carry_out(form, lambda: _decide(person, payout_id, verb, form.reason.data or ""))
    tell(gettext("Done.") if shown else form)
    return redirect(url_for("operator.payout", payout=shown or payout), 303)


@operator.post("/payout-files")
@page("operator")
def make_payouts_file(person: Person) -> Response:
    """Write the file of all approved payouts of a rail and currency."""
    form = FileForm()
    made = carry_out(form, lambda: _make(person, form))
    if made and made != NONE:
        return redirect(url_for("operator.payouts_file", file=made), 303)
    tell(gettext("None of them can be paid any more: they were withdrawn, and say why.") if made else form)
    return redirect(url_for("operator.payouts"), 303)


@operator.get("/payout-files/<file>")
@page("operator")
def payouts_file(_: Person, file: str) -> str:
    """Show a file with its lines and what became of each."""
    found = get_payout_file(parse_id("pfl", file))
    rows = payouts_of_file(found.id)
    return render_template(
        "marketplace/operator/payouts_file.html", file=found, rows=rows, shown=file, rails=RAILS, masked=masked,
        names=names_of([row.payout.account_id for row in rows]), payout_state=payout_state, why_word=why_word,
        actor_said=actor_said,
    )  # fmt: skip


@operator.get("/payout-files/<file>/content")
@page("operator")
def payouts_file_content(_: Person, file: str) -> Response:
    """Save a file, byte for byte as it was made."""
    found = get_payout_file(parse_id("pfl", file))
    kind = "application/xml" if found.kind == "sepa" else "text/csv"
    return download(name_of_payout_file(found), kind, content_of_payout_file(found.id))


@operator.post("/payout-files/<file>/<verb>")
@page("operator")
def end_payouts_file(person: Person, file: str, verb: str) -> Response:
    """Say that a file was handed on, or give it up."""
    act = {"handed-on": hand_on, "given-up": give_up}.get(verb)
    if act is None:
        abort(404)
    form, file_id = FlaskForm(), parse_id("pfl", file)
    done = carry_out(form, lambda: bool(act(file_id, person.name, business_clock().now())))
    tell(gettext("Done.") if done else form)
    return redirect(url_for("operator.payouts_file", file=file), 303)


@operator.post("/payout-results")
@page("operator")
def take_payouts_results(person: Person) -> Response:
    """Take in a sheet of results, and tell what its lines came to."""
    form = ResultsForm()
    told = carry_out(form, lambda: _take(person, form))
    if told:
        flash(told)
    else:
        tell(form)
    return redirect(url_for("operator.payouts"), 303)


@operator.get("/payout-results/<result>")
@page("operator")
def payouts_results(_: Person, result: str) -> str:
    """Show a sheet of results line by line."""
    found = get_payout_results(parse_id("prs", result))
    return render_template("marketplace/operator/payouts_results.html", found=found, outcomes=OUTCOMES, rails=RAILS,
                           actor_said=actor_said, uuid=UUID)  # fmt: skip


def _decide(person: Person, payout_id: UUID, verb: str, why: str) -> str:
    at = business_clock().now()
    if verb == "agree":
        agree(payout_id, person.name, at)
    elif verb == "withdraw":
        withdraw(payout_id, why, person.name, at)
    elif verb == "take-back":
        take_back(payout_id, why, person.name, at)
    elif verb == "again":
        return show_id("pay", again(payout_id, person.name, at).id)
    else:
        abort(404)
    return show_id("pay", payout_id)


def _make(person: Person, form: FileForm) -> str:
    currency = (form.currency.data or "").strip().upper()
    made = make_file(form.kind.data, currency, person.name, business_clock().now())
    return show_id("pfl", made.id) if made else NONE


def _take(person: Person, form: ResultsForm) -> str:
    with closing(form.file.data) as sent:
        raw, name = sent.stream.read(MOST_BYTES + 1), sent.filename or ""
    if len(raw) > MOST_BYTES:
        raise Invalid("bad_results", "Send less than 4 MB at once.")
    at = business_clock().now()
    found, is_new = take_results(raw, form.kind.data, name, person.name, at)
    if not is_new:
        return str(gettext("This sheet was taken in before, and nothing was booked again."))
    refused = sum(one["outcome"] == "refused" for one in found.outcomes)
    says = gettext("%(lines)s lines taken in, of which %(refused)s were refused.", lines=found.lines, refused=refused)
    return str(says)
