"""A verdict on a whole source: what it would decide and what that costs is shown before anything is decided."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateTimeLocalField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from core.actors import Person, page
from core.errors import Conflict, Fault, Invalid, NotFound
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.disputes import REASONS, Cluster, Preview, decide_group, preview_group
from marketplace.reports.dispute_queue import names_of
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import OBSTACLES

SHOWN = 50  # sales of a preview
FIRST_DAYS = 30  # what the form's period begins with
NAMES = {"from": "since", "to": "until"}
LOCAL = "%Y-%m-%dT%H:%M"  # as browsers write it
DECISIONS = (("uphold", _l("Uphold: the prices go back")), ("reject", _l("Reject: the sales stand")))


class GroupForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Which sales are decided and how; `seen` marks the preview that was looked at."""

    publisher = StringField(validators=[DataRequired(_l("Give the publisher's id, acc_…."))],
                            filters=[lambda text: (text or "").strip()])  # fmt: skip
    by = SelectField(choices=[("source", _l("Source")), ("sub_id", _l("Sub id")), ("network", _l("Network"))])
    value = StringField(validators=[DataRequired(_l("Name the source, sub id or network.")),
                                    Length(max=200, message=_l("Give at most 200 characters."))])  # fmt: skip
    since = DateTimeLocalField(format=LOCAL, validators=[InputRequired(_l("Say from when on sales count."))])
    until = DateTimeLocalField(format=LOCAL, validators=[InputRequired(_l("Say until when sales count."))])
    decision = RadioField(choices=DECISIONS,
                          validators=[InputRequired(_l("Choose how to decide."))])  # fmt: skip
    reason = SelectField(choices=[(one, one) for one in REASONS])
    note = TextAreaField(validators=[DataRequired(_l("Say why: both sides read it.")),
                                     Length(max=4000, message=_l("Write at most 4000 characters."))])  # fmt: skip
    seen = HiddenField()


@dataclass(frozen=True, slots=True)
class Done:
    """What a posted form led to: a preview to look at, or so many sales decided."""

    preview: Preview
    decided: int | None = None


@operator.route("/dispute-groups", methods=["GET", "POST"])
@page("operator")
def dispute_group(person: Person) -> str | Response:
    """Ask for a verdict on a source, sub id or network; show what it would do; give it."""
    form = GroupForm(formdata=request.form if request.method == "POST" else None, data=_prefilled())
    done = carry_out(form, lambda: _work(form, person.name), NAMES)
    if done and done.decided is not None:
        flash(gettext("%(count)s sales were decided.", count=done.decided))
        return redirect(url_for("operator.disputes", state="waiting"))
    form.seen.data = done.preview.mark if done else ""
    reached = done.preview.reached[:SHOWN] if done else ()
    return render_template("marketplace/operator/dispute_group.html", form=form, done=done, reached=reached,
                           obstacles=OBSTACLES, names=names_of(one.buyer_id for one in reached))  # fmt: skip


def _prefilled() -> dict[str, object]:
    now = page_time().astimezone(UTC).replace(tzinfo=None, second=0, microsecond=0)
    asked = {name: request.args.get(name) for name in ("publisher", "by", "value", "reason")}
    return {"since": now - timedelta(days=FIRST_DAYS), "until": now} | {k: v for k, v in asked.items() if v}


def _work(form: GroupForm, actor: str) -> Done:
    """Give the verdict when its preview was seen and still says the same; otherwise make the preview."""
    at = business_clock().now()
    cluster = _cluster(form)
    preview = preview_group(cluster, at)
    if "decide" not in request.form:
        return Done(preview)
    if form.seen.data != preview.mark and preview.given_at is None:
        raise Conflict("not_now", "What the verdict reaches is not what the preview showed. Look at it again first.")
    return Done(preview, decide_group(cluster, actor, at).report["decided"])


def _cluster(form: GroupForm) -> Cluster:
    said = {name: form[name].data for name in ("by", "value", "decision", "reason", "note")}
    return Cluster(publisher_id=_publisher(form.publisher.data), since=form.since.data.replace(tzinfo=UTC),
                   until=form.until.data.replace(tzinfo=UTC), **said)  # fmt: skip


def _publisher(text: str) -> UUID:
    try:
        return parse_id("acc", text)
    except NotFound:
        fault = Fault("publisher", "not_allowed_value", "Give the publisher's id as it is shown: acc_ and 26 letters.")
        raise Invalid("invalid_group", "The group cannot be decided.", [fault]) from None
