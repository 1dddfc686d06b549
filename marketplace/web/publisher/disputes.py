"""Disputes about the publisher's leads: the list, one with its evidence, and the answer, files and appeal."""

from flask import Response, render_template, request
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, TextAreaField
from wtforms.validators import InputRequired, Length

from core.actors import Person, page
from core.http import business_clock, filter_of
from core.ids import parse_id
from core.keyset import read_asked
from core.pages import page_time
from marketplace.leads.disputes import answer_dispute
from marketplace.leads.stages import MOVES
from marketplace.reports.publisher_disputes import SORTS, disputes_asked, sales_of_disputes, waiting_for
from marketplace.web.dispute_forms import MOST_NOTE, TOO_LONG, keep_files
from marketplace.web.dispute_room import answered, appealed, dispute_drawn, file_saved, files_shown
from marketplace.web.publisher.routes import publisher
from marketplace.web.words import STATES, dispute_reason_of


class AnswerForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """What the publisher says to a claim, with files that show it."""

    accept = RadioField(choices=[("no", ""), ("yes", "")], validators=[InputRequired("Choose one of the two.")])
    note = TextAreaField(validators=[Length(max=MOST_NOTE, message=TOO_LONG)])
    file = MultipleFileField()


@publisher.get("/disputes")
@page("publisher")
def disputes(person: Person) -> str:
    """List the disputes, the newest first."""
    asked, state = read_asked(request.args, SORTS, "-opened"), filter_of("state", MOVES["dispute"])
    found = disputes_asked(person.account_id, state, asked)
    return render_template(
        "marketplace/publisher/disputes.html", disputes=found, sales=sales_of_disputes(found.rows), state_now=state,
        states=[(one, STATES[one].says) for one in MOVES["dispute"]], reason_of=dispute_reason_of,
        waiting=waiting_for(person.account_id, page_time()),
    )  # fmt: skip


@publisher.get("/disputes/<dispute>")
@page("publisher")
def dispute(person: Person, dispute: str) -> str:
    """Show one dispute: the claim and its evidence, the answer, the decision, and what may still be done."""
    return dispute_drawn(person, dispute)


@publisher.get("/disputes/<dispute>/files/<file>")
@page("publisher")
def dispute_file(person: Person, dispute: str, file: str) -> Response:
    """Save a file of a dispute."""
    return file_saved(person, dispute, file)


@publisher.route("/disputes/<dispute>/answer", methods=["GET", "POST"])
@page("publisher")
def answer(person: Person, dispute: str) -> str | AnyResponse:
    """Answer a dispute, with files if there are any; nothing is kept when either is refused."""
    form, dispute_id = AnswerForm(), parse_id("dsp", dispute)

    def work() -> bool:
        keep_files(person, dispute_id, form.file.data)
        at = business_clock().now()
        answer_dispute(person.account_id, dispute_id, form.accept.data == "yes", form.note.data or "", person.name, at)
        return True

    return answered(person, dispute, "answer", form, work)


@publisher.route("/disputes/<dispute>/evidence", methods=["GET", "POST"])
@page("publisher")
def show_file(person: Person, dispute: str) -> str | AnyResponse:
    """Show files while a dispute is undecided."""
    return files_shown(person, dispute)


@publisher.route("/disputes/<dispute>/appeal", methods=["GET", "POST"])
@page("publisher")
def appeal(person: Person, dispute: str) -> str | AnyResponse:
    """Appeal against a decision."""
    return appealed(person, dispute)
