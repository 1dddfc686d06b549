"""The operator's credit lines: who may draw how much, who owes since when, and granting or changing one."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from billing import NET_DAYS
from core.actors import Person, page
from core.errors import Conflict
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.money import Money
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.credit.granting import Line, grant_line, read_limit, usual_days
from marketplace.reports.credit import LineStory, line_rows, line_story
from marketplace.web.chrome import CURRENCY
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said

MOST_VERSION = 9  # digits of a version that was read


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


class LineForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A line as an operator wants it; a limit of 0 ends it."""

    limit = StringField(filters=[_trimmed])
    days = SelectField(choices=[(str(days), str(days)) for days in NET_DAYS])
    is_above = BooleanField()
    reason = StringField(filters=[_trimmed],
                         validators=[DataRequired(_l("Say why: whoever reads this later wants to know.")),
                                     Length(max=200, message=_l("Write at most 200 characters."))])  # fmt: skip
    seen = HiddenField()
    is_outdated = False  # by a colleague, so that the line is shown as it is now


@operator.get("/credit")
@page("operator")
def credit_lines(_: Person) -> str:
    """Show who has a credit line or owes something, by age."""
    cursor = request.args.get("cursor")
    rows = line_rows(CURRENCY, parse_id("acc", cursor) if cursor else None, page_time())
    return render_template("marketplace/operator/credit_lines.html", lines=rows, currency=CURRENCY, money_of=Money)


@operator.route("/credit/<buyer>", methods=["GET", "POST"])
@page("operator")
def credit_line(person: Person, buyer: str) -> str | Response:
    """Show one buyer's line with what it owes; grant, change or end it."""
    form, buyer_id = LineForm(), parse_id("acc", buyer)
    if carry_out(form, lambda: _grant(buyer_id, form, person)):
        flash(gettext("Kept. What was drawn stays due as it was."))
        return redirect(url_for("operator.credit_line", buyer=buyer), 303)
    story = line_story(buyer_id, CURRENCY, page_time())
    if form.is_outdated or not form.is_submitted():
        _fill(form, story)
    return render_template("marketplace/operator/credit_line.html", story=story, form=form, shown=buyer,
                           currency=CURRENCY, money_of=Money, actor_said=actor_said)  # fmt: skip


def _fill(form: LineForm, story: LineStory) -> None:
    """Show the line as it is; only whoever is shown that may change it, so what was seen is not moved otherwise."""
    form.seen.data, form.is_above.data = str(story.version), False
    newest: Any = story.versions[0] if story.versions else None
    form.limit.data = str(Money(newest.limit_minor if newest else story.usual.minor, CURRENCY))
    form.days.data = str(newest.days if newest else usual_days())


def _grant(buyer_id: UUID, form: LineForm, person: Person) -> bool:
    limit = read_limit((form.limit.data or "").replace(",", "."), CURRENCY)
    seen = form.seen.data or ""
    version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) <= MOST_VERSION else -1
    line = Line(limit, int(form.days.data), form.reason.data, version, form.is_above.data)
    try:
        grant_line(buyer_id, line, person.name, business_clock().now())
    except Conflict:
        form.is_outdated = True
        raise
    return True
