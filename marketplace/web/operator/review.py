"""The operator's review: what waits for an eye and is no dispute, and readmitting or pausing what stands there."""

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from core.actors import Person, page
from core.db import transaction
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.job_desk import MOST
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.publisher_standing import set_publisher_standing
from marketplace.leads.source_breaker import set_standing
from marketplace.reports.dispute_queue import names_of
from marketplace.reports.waiting import stopped_source, what_waits
from marketplace.web.operator.routes import operator
from marketplace.web.words import Word

STATES = {
    "open": Word("refused", _l("Paused")),
    "half_open": Word("held", _l("Paused until one lead tries it")),
    "probing": Word("held", _l("Being tried")),
    "suspended": Word("refused", _l("Suspended")),
    "gone": Word("refused", _l("It answered that it is gone")),
    "failing": Word("refused", _l("It failed too long")),
    "system:bounces": Word("refused", _l("Mail came back")),
    "system:files": Word("refused", _l("Its file could not be handed over")),
    "system:contact": Word("held", _l("Leads were left alone")),
}


class StoppedForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How a source stands from now on, and why."""

    standing = HiddenField()
    note = StringField(validators=[DataRequired(_l("Say why: the publisher reads it.")),
                                   Length(max=1000, message=_l("Write at most 1000 characters."))])  # fmt: skip


@operator.get("/review")
@page("operator")
def review(_: Person) -> str:
    """Show what stands still and waits for an operator's eye."""
    return render_template("marketplace/operator/review.html", waits=what_waits(page_time()), rules=rules_in_force(),
                           state_here=state_here, most_jobs=MOST)  # fmt: skip


@operator.route("/review/source", methods=["GET", "POST"])
@page("operator")
def stopped(person: Person) -> str | Response:
    """Ask whether a source is readmitted or paused, and do it."""
    publisher_id, name = parse_id("acc", request.args.get("publisher", "")), request.args.get("source", "")
    form, _ = StoppedForm(), stopped_source(publisher_id, name)
    if carry_out(form, lambda: _change(publisher_id, name, form, person.name, business_clock().now())):
        flash(gettext("The source was changed. Its publisher was told."))
        return redirect(url_for("operator.review"))
    return render_template("marketplace/operator/stopped.html", form=form,
                           row=stopped_source(publisher_id, name),
                           publisher=names_of([publisher_id])[publisher_id])  # fmt: skip


@operator.post("/review/publishers/<publisher>")
@page("operator")
def readmit(person: Person, publisher: str) -> Response:
    """Readmit a paused publisher from the review; pausing him again takes it back."""
    with transaction():
        set_publisher_standing(parse_id("acc", publisher), "active", person.name, business_clock().now())
    flash(gettext("The publisher is active."))
    return redirect(url_for("operator.review"))


def state_here(code: str) -> Word:
    """Return how a state is shown that stands in the review alone."""
    return STATES.get(code) or Word("neutral", code)


def _change(publisher_id: UUID, name: str, form: StoppedForm, actor: str, at: datetime) -> bool:
    set_standing(publisher_id, name, form.standing.data or "", form.note.data, actor, at)
    return True
