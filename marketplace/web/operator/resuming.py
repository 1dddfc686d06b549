"""Setting going again, from the review, what the system stopped for somebody: asked first, with a reason."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from core.actors import Person, page
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.resuming import Stopped, find_stopped, resume
from marketplace.reports.dispute_queue import names_of
from marketplace.web.operator.routes import operator

PREFIXES = {"order": "ord", "endpoint": "enp", "webhook": "whk"}
WORDS = {
    "order": {
        "title": _l("Resume an order"), "thing": _l("Order"), "button": _l("Resume order"),
        "asks": _l("It buys again from now on, by the terms that its buyer gave it."),
    },
    "endpoint": {
        "title": _l("Try an endpoint"), "thing": _l("Endpoint"), "button": _l("Try it now"),
        "asks": _l("The next lead is sent there; when it is answered, the others follow."),
    },
    "webhook": {
        "title": _l("Enable a webhook"), "thing": _l("Webhook"), "button": _l("Enable webhook"),
        "asks": _l("News from now on is sent there; its owner replays what was dropped meanwhile."),
    },
}  # fmt: skip


class ResumeForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Why it is set going again."""

    note = StringField(filters=[lambda text: (text or "").strip()],
                       validators=[DataRequired(_l("Say why: it stands in the log.")),
                                   Length(max=1000, message=_l("Write at most 1000 characters."))])  # fmt: skip


def _resumed(kind: str, row_id: UUID, form: ResumeForm, person: Person) -> bool:
    resume(kind, row_id, form.note.data, person.name, business_clock().now())
    return True


def _owner_of(found: Stopped) -> str:
    return names_of([found.owner_id]).get(found.owner_id, "")


@operator.route("/review/<any(order, endpoint, webhook):kind>/<thing>", methods=["GET", "POST"])
@page("operator")
def resume_stopped(person: Person, kind: str, thing: str) -> str | Response:
    """Ask whether something is set going again, and do it."""
    form, row_id = ResumeForm(), parse_id(PREFIXES[kind], thing)
    if carry_out(form, lambda: _resumed(kind, row_id, form, person)):
        flash(gettext("It goes again. The reason stands in the log."))
        return redirect(url_for("operator.review"))
    found = find_stopped(kind, row_id)
    return render_template("marketplace/operator/resume.html", form=form, found=found, words=WORDS[kind],
                           owner=_owner_of(found))  # fmt: skip
