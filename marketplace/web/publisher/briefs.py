"""Briefs that a publisher may accept, and his deals, on one page."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.pages import page_time
from core.words import gettext
from marketplace.deals.accepting import accept_brief, cancel_deal
from marketplace.deals.briefs import briefs_for
from marketplace.reports.briefs import MOST, brief_lines, deal_lines
from marketplace.web.publisher.routes import publisher
from marketplace.web.telling import tell


class AcceptForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How many leads of which brief are promised; empty for all that is left."""

    brief = HiddenField()
    leads = StringField()


@publisher.route("/briefs", methods=["GET", "POST"])
@page("publisher")
def briefs(person: Person) -> str | Response:
    """Show the briefs to accept and the deals; promise leads of one."""
    form = AcceptForm()
    if carry_out(form, lambda: _accept(person, form)):
        flash(gettext("Agreed. Your leads are offered to this buyer first from now on."))
        return redirect(url_for("publisher.briefs"), 303)
    lines = brief_lines(briefs_for(person.account_id, page_time(), None, MOST))
    return render_template("marketplace/publisher/briefs.html", briefs=lines, deals=deal_lines(person.account_id),
                           form=form)  # fmt: skip


@publisher.post("/deals/<deal>/cancel")
@page("publisher")
def end_deal(person: Person, deal: str) -> Response:
    """End a deal for every lead posted from now on."""
    form, deal_id = FlaskForm(), parse_id("deal", deal)
    at = business_clock().now()
    if carry_out(form, lambda: cancel_deal(person.account_id, deal_id, person.name, at, "")):
        flash(gettext("The deal is cancelled. What was bought stays sold."))
    else:
        tell(form)
    return redirect(url_for("publisher.briefs"), 303)


def _accept(person: Person, form: AcceptForm) -> Any:
    typed = (form.leads.data or "").strip()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 8):
        raise Invalid("invalid_deal", "Nothing was agreed.", [Fault("leads", "wrong_type", "Write a whole number.")])
    brief_id = parse_id("brf", form.brief.data or "")
    return accept_brief(person.account_id, brief_id, int(typed) if typed else None, person.name, business_clock().now())
