"""What a period would have brought otherwise: asked for by operators, run by a job, shown beside what happened."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, TextAreaField

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id, show_id
from core.pages import page_time
from core.words import gettext
from marketplace.web.charts import Chart, Series, line_chart
from marketplace.web.operator.routes import operator
from marketplace.what_if.runs import WhatIfRun, ask_run, run_of, runs_lately


class WhatIfForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Which days to run again, and what would have been otherwise."""

    since = DateField()
    until = DateField()
    change = TextAreaField()


@operator.route("/what-if", methods=["GET", "POST"])
@page("operator")
def what_if(person: Person) -> str | Response:
    """Show what was run again lately; have a period run again under a change."""
    today = page_time().date()
    form = WhatIfForm(data={"since": today - timedelta(days=7), "until": today})
    asked = carry_out(form, lambda: show_id("run", _ask(form, person).id))
    if asked:
        return redirect(url_for("operator.what_if_run", run_id=asked), 303)
    return render_template("marketplace/operator/what_if.html", form=form, runs=runs_lately())


@operator.get("/what-if/<run_id>")
@page("operator")
def what_if_run(_: Person, run_id: str) -> str:
    """Show a run: what happened, what would have, and the difference."""
    run = run_of(parse_id("run", run_id))
    return render_template("marketplace/operator/what_if_run.html", run=run, drawn=_drawn(run.report))


def _ask(form: WhatIfForm, person: Person) -> WhatIfRun:
    faults = [Fault(name, "missing", "Say a day.") for name in ("since", "until") if form[name].data is None]
    if faults:
        raise Invalid("invalid_period", "Nothing was run.", faults)
    since, until = (datetime.combine(form[name].data, time(), UTC) for name in ("since", "until"))
    try:
        return ask_run(since, until, form.change.data or "", person.name, business_clock().now())
    except Invalid as refused:
        raise Invalid(refused.code, refused.detail, map(_beside_its_field, refused.faults)) from None


def _beside_its_field(fault: Fault) -> Fault:
    """Return a fault as the form has it: what is wrong inside the change stands at the change, with its place in it."""
    own = {"since": "since", "until": "until", "to": "until", "change": "change"}.get(fault.field)
    return Fault(own or "change", fault.code, fault.message if own else f"{fault.field}: {fault.message}")


def _drawn(report: dict[str, Any] | None) -> Chart | None:
    if report is None or len(report["days"]) < 2:
        return None
    sides = ((gettext("What if"), "what_if"), (gettext("Happened"), "happened"))
    series = [Series(word, [day[side] for day in report["days"]]) for word, side in sides]
    return line_chart(series, [day["day"] for day in report["days"]], lambda value: f"{value:.0f}")
