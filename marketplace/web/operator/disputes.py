"""The operator's disputes: those that wait, the oldest first, and each as one file that is decided where it is read."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from core.actors import Person, page
from core.errors import Conflict
from core.forms import carry_out
from core.http import business_clock, download, filter_of, settings
from core.ids import parse_id
from core.keyset import read_asked
from core.pages import page_time
from core.schemas import Amount
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.catalog.shelf import all_verticals
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes import REASONS, Decision, resolve_dispute
from marketplace.leads.disputes.decision import lock_dispute
from marketplace.leads.disputes.evidence import get_file, read_file
from marketplace.leads.disputes.rulings import DECISIONS
from marketplace.reports.dispute_queue import SORTS, STATES, WAITING, Narrowed, about_disputes, names_of, queue_of
from marketplace.reports.dispute_story import Story, story_of
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import DISPUTE_STATES, actor_said, dispute_state, move_said

WORDS = {
    "uphold": _l("Uphold: the whole price goes back"),
    "reject": _l("Reject: the sale stands"),
    "partial": _l("Uphold in part: an amount goes back"),
    "reprice": _l("Re-price: the lead costs less"),
}
CHOICES = {"state": [(one, DISPUTE_STATES[one].says) for one in STATES], "reason": [(one, one) for one in REASONS]}


class DecisionForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How a dispute is decided; `seen` is the state in which it was read."""

    decision = RadioField(validators=[InputRequired(_l("Choose how to decide."))], choices=list(WORDS.items()))
    amount = StringField(filters=[lambda text: (text or "").strip()])
    note = TextAreaField(validators=[DataRequired(_l("Say why: both sides read it.")),
                                     Length(max=4000, message=_l("Write at most 4000 characters."))])  # fmt: skip
    seen = HiddenField()


@operator.get("/disputes")
@page("operator")
def disputes(_: Person) -> str:
    """Show the disputes that wait for a decision, or others."""
    asked, narrowed = read_asked(request.args, SORTS, "opened"), _narrowed()
    part = queue_of(asked, narrowed)
    chosen = [one for one in (narrowed.buyer_id, narrowed.publisher_id) if one]
    return render_template(
        "marketplace/operator/disputes.html", part=part, about=about_disputes(part.rows), narrowed=narrowed,
        choices=CHOICES, dispute_state=dispute_state,
        verticals=[(one.slug, one.slug) for one in all_verticals()], names=names_of(chosen) if chosen else {},
    )  # fmt: skip


@operator.route("/disputes/<dispute>", methods=["GET", "POST"])
@page("operator")
def dispute(person: Person, dispute: str) -> str | AnyResponse:
    """Show one dispute as one file, and decide it."""
    dispute_id, form = parse_id("dsp", dispute), DecisionForm()
    if carry_out(form, lambda: _decide(dispute_id, form, person.name), {"amount.amount": "amount"}):
        flash(gettext("Decided. Both sides were told."))
        return redirect(url_for("operator.dispute", dispute=dispute))
    story = story_of(dispute_id, page_time())
    form.seen.data = story.dispute.state
    return _drawn(story, form)


@operator.get("/disputes/<dispute>/evidence/<file>")
@page("operator")
def dispute_evidence(_: Person, dispute: str, file: str) -> Response:
    """Save a file that one side showed."""
    row = get_file(None, parse_id("dsp", dispute), parse_id("file", file))
    return download(row.name, row.media_type, read_file(row, settings().data_folder))


def _narrowed() -> Narrowed:
    buyer, publisher = request.args.get("buyer"), request.args.get("publisher")
    return Narrowed(
        filter_of("state", STATES) or WAITING, filter_of("reason", ("", *REASONS)) or None,
        request.args.get("vertical") or None, parse_id("acc", buyer) if buyer else None,
        parse_id("acc", publisher) if publisher else None,
    )  # fmt: skip


def _decide(dispute_id: UUID, form: DecisionForm, actor: str) -> Dispute:
    """Decide what was read; Conflict when somebody else decided otherwise meanwhile."""
    sale, row = lock_dispute(dispute_id)
    chosen = form.decision.data
    if row.state not in (form.seen.data, DECISIONS[chosen]):
        raise Conflict("not_now", f"Somebody decided meanwhile: the dispute is {row.state}. Read it again below.")
    amount = Amount(amount=form.amount.data, currency=sale.currency) if form.amount.data else None
    said = Decision(chosen, form.note.data, amount)
    return resolve_dispute(dispute_id, said, said.note, actor, business_clock().now())


def _drawn(story: Story, form: DecisionForm) -> str:
    allowed = [one for one in WORDS.items() if one[0] != "reprice" or story.dispute.reason == "out_of_criteria"]
    form.decision.choices = allowed
    return render_template(
        "marketplace/operator/dispute.html", story=story, form=form, dispute_state=dispute_state,
        rule=story.rule, rules=rules_in_force(), actor_said=actor_said,
        events=[{"move": move_said(one), "at": one.at, "actor": actor_said(one.actor), "why": one.why}
                for one in story.events],
    )  # fmt: skip
