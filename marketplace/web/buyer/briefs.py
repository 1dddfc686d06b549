"""A buyer's briefs and deals on pages: asked for, cancelled, and what came of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from msgspec import UNSET
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.validators import InputRequired

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.shelf import all_verticals, get_vertical
from marketplace.deals.accepting import cancel_deal
from marketplace.deals.briefs import BriefBody, briefs_of, cancel_brief, post_brief
from marketplace.deals.models import Brief
from marketplace.orders.checks import MAX_REGIONS
from marketplace.orders.said import MoneyBody
from marketplace.orders.terms import CapsBody, OrderBody
from marketplace.reports.briefs import MOST, brief_lines, deal_lines
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell
from marketplace.web.vertical_names import name_verticals

PLACES = {"order.name": "name", "order.price.amount": "price", "order.caps.day": "day_cap", "order.price": "price",
          "ends_at": "ends_on", **{f"order.regions.{place}": "regions" for place in range(MAX_REGIONS)},
          "order.regions": "regions"}  # fmt: skip


class BriefForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What a buyer wants made for him; more criteria can be said over the HTTP interface."""

    name = StringField(validators=[InputRequired(_l("Name the brief: publishers read it."))])
    vertical = SelectField()
    price = StringField(validators=[InputRequired(_l("Say what one lead is worth."))])
    volume = StringField(validators=[InputRequired(_l("Say how many leads you want."))])
    ends_on = DateField(validators=[InputRequired(_l("Say until when."))])
    regions = StringField()
    day_cap = StringField()


@buyer.get("/briefs")
@page("buyer")
def briefs(person: Person) -> str:
    """Show the buyer's briefs and deals."""
    lines = brief_lines(briefs_of(person.account_id, None, MOST))
    return render_template("marketplace/buyer/briefs.html", briefs=lines, deals=deal_lines(person.account_id))


@buyer.route("/briefs/new", methods=["GET", "POST"])
@page("buyer")
def new_brief(person: Person) -> str | Response:
    """Post a brief."""
    form = BriefForm()
    form.vertical.choices = name_verticals(all_verticals())
    if carry_out(form, lambda: _posted(person, form, business_clock().now()), PLACES):
        flash(gettext("Posted. Publishers may accept it from now on."))
        return redirect(url_for("buyer.briefs"), 303)
    return render_template("marketplace/buyer/brief.html", form=form)


@buyer.post("/briefs/<brief>/cancel")
@page("buyer")
def end_brief(person: Person, brief: str) -> Response:
    """Let nobody accept a brief any more."""
    form, brief_id = FlaskForm(), parse_id("brf", brief)
    if carry_out(form, lambda: cancel_brief(person.account_id, brief_id, person.name, business_clock().now())):
        flash(gettext("Nobody can accept this brief any more. Deals that were made run on."))
    else:
        tell(form)
    return redirect(url_for("buyer.briefs"), 303)


@buyer.post("/deals/<deal>/cancel")
@page("buyer")
def end_deal(person: Person, deal: str) -> Response:
    """End a deal for every lead posted from now on."""
    form, deal_id = FlaskForm(), parse_id("deal", deal)
    at = business_clock().now()
    if carry_out(form, lambda: cancel_deal(person.account_id, deal_id, person.name, at, "")):
        flash(gettext("The deal is cancelled. What was bought stays sold."))
    else:
        tell(form)
    return redirect(url_for("buyer.briefs"), 303)


def _posted(person: Person, form: BriefForm, at: datetime) -> Brief:
    """Post the brief of a form; Invalid with all that cannot be read and all that cannot be."""
    typed = _unreadable(form)
    try:
        row = post_brief(person.account_id, _asked(form), person.name, at)
    except Invalid as refused:
        raise Invalid(refused.code, refused.detail, [*typed, *refused.faults]) from None
    if typed:  # the transaction around it keeps nothing then
        raise Invalid("invalid_brief", "The brief cannot be posted as it is; each fault is named.", typed)
    return row


def _unreadable(form: BriefForm) -> list[Fault]:
    faults = [
        Fault(name, "wrong_type", "Write a whole number.") for name in ("volume", "day_cap")
        if (form[name].data or "").strip() and _count(form[name]) is None
    ]  # fmt: skip
    if form.ends_on.data == date.max:
        faults.append(Fault("ends_on", "out_of_range", "Write an earlier day: there is none after this one."))
    return faults


def _count(field: StringField) -> int | None:
    """Return a whole number that was typed, None for nothing and for anything else."""
    typed = (field.data or "").strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 8 else None


def _asked(form: BriefForm) -> BriefBody:
    """Read the form; in the place of what cannot be read stands what nobody refuses."""
    currency, day_cap, volume = get_vertical(form.vertical.data)[1].currency, _count(form.day_cap), _count(form.volume)
    order = OrderBody(
        name=form.name.data, vertical=form.vertical.data, regions=_regions(form.regions.data),
        price=MoneyBody((form.price.data or "").strip().replace(",", "."), currency),
        caps=CapsBody(day=UNSET if day_cap is None else day_cap),
    )  # fmt: skip
    last = min(form.ends_on.data, date.max - timedelta(days=1))
    end: Any = datetime.combine(last + timedelta(days=1), time(), UTC)
    return BriefBody(order=order, volume=1 if volume is None else volume, ends_at=end)


def _regions(typed: str | None) -> list[str] | None:
    return [one.strip().upper() for one in (typed or "").split(",") if one.strip()] or None
