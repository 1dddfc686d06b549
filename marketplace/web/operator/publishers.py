"""The operator's publishers: each with its figures; one is paused or readmitted where it is read, so is a source."""

from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import DataRequired, Length

from affiliates import get_publisher
from core.actors import Person, page
from core.db import transaction
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.keyset import read_asked
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.publisher_standing import set_publisher_standing
from marketplace.leads.source_breaker import set_standing
from marketplace.reports.parties import DAYS, SORTS, accounts_part, publisher_story, publishers_figures
from marketplace.web.chrome import CURRENCY
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said


class SourceForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Which source of a publisher is paused or readmitted, and why."""

    source = StringField(validators=[DataRequired(_l("Name the source as its leads do.")),
                                     Length(max=100, message=_l("Give at most 100 characters."))])  # fmt: skip
    standing = HiddenField()
    note = StringField(validators=[DataRequired(_l("Say why: the publisher reads it.")),
                                   Length(max=1000, message=_l("Write at most 1000 characters."))])  # fmt: skip


@operator.get("/publishers")
@page("operator")
def publishers(_: Person) -> str:
    """Show the publishers with what they did lately."""
    part = accounts_part("publisher", read_asked(request.args, SORTS, "-opened"))
    figures = publishers_figures([row.id for row in part.rows], CURRENCY, page_time())
    return render_template("marketplace/operator/publishers.html", part=part, figures=figures, days=DAYS,
                           currency=CURRENCY)  # fmt: skip


@operator.route("/publishers/<publisher>", methods=["GET", "POST"])
@page("operator")
def publisher(person: Person, publisher: str) -> str | Response:
    """Show one publisher; pause or readmit one of his sources."""
    publisher_id, form = parse_id("acc", publisher), SourceForm()
    get_publisher(publisher_id)
    if carry_out(form, lambda: _change_source(publisher_id, form, person.name, business_clock().now())):
        flash(gettext("The source was changed. Its publisher was told."))
        return redirect(url_for("operator.publisher", publisher=publisher))
    story = publisher_story(publisher_id, CURRENCY, page_time())
    return render_template("marketplace/operator/publisher.html", story=story, form=form, days=DAYS,
                           shown=publisher, currency=CURRENCY, actor_said=actor_said)  # fmt: skip


@operator.post("/publishers/<publisher>/standing")
@page("operator")
def publisher_standing(person: Person, publisher: str) -> Response:
    """Pause or readmit a publisher, for every lead whose request begins afterwards."""
    with transaction():
        wanted, at = request.form.get("standing", ""), business_clock().now()
        row = set_publisher_standing(parse_id("acc", publisher), wanted, person.name, at)
        is_paused = row.standing == "paused"
    flash(gettext("The publisher is paused.") if is_paused else gettext("The publisher is active."))
    return redirect(url_for("operator.publisher", publisher=publisher))


def _change_source(publisher_id: UUID, form: SourceForm, actor: str, at: datetime) -> bool:
    set_standing(publisher_id, form.source.data, form.standing.data or "", form.note.data, actor, at)
    return True
