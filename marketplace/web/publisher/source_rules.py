"""What a publisher wants for the leads of one of his sources, on a page: one buyer, fewer buyers, a least price."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import InputRequired

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.money import Money
from core.schemas import Amount
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.shelf import all_verticals, get_vertical
from marketplace.leads.sources.rules import SourceRuleBody, set_source_rule, source_rules_of
from marketplace.web.publisher.routes import publisher
from marketplace.web.vertical_names import name_verticals

PLACES = {"min_price.amount": "min_price", "min_price.currency": "min_price"}


class SourceRuleForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What holds for a source's leads of a vertical; all left empty lifts it."""

    source = StringField(validators=[InputRequired(_l("Name the source as its leads do."))])
    vertical = SelectField()
    exclusive_only = BooleanField()
    most_buyers = StringField()
    min_price = StringField()
    offered_again = BooleanField(default=True)
    waits = BooleanField(default=True)
    aged_min_price = StringField()


@publisher.route("/sources/rules", methods=["GET", "POST"])
@page("publisher")
def source_rules(person: Person) -> str | Response:
    """Show what holds for the publisher's sources; say it anew for one."""
    begun, at = _begun(person, request.args.get("source", ""), request.args.get("vertical")), business_clock().now()
    form = SourceRuleForm(data=begun)
    form.vertical.choices = name_verticals(all_verticals())
    if carry_out(form, lambda: set_source_rule(person.account_id, _asked(form), person.name, at) or True, PLACES):
        flash(gettext("Kept. It holds for every lead posted from now on."))
        return redirect(url_for("publisher.source_rules"), 303)
    rules = source_rules_of(person.account_id)
    return render_template("marketplace/publisher/source_rules.html", form=form, rules=rules)


def _begun(person: Person, source: str, slug: str | None) -> dict[str, Any]:
    """Return what the form begins with: what holds for that source there already, so that a change keeps the rest."""
    begun: dict[str, Any] = {"source": source, "vertical": slug}
    for row, vertical in source_rules_of(person.account_id):
        if (row.source_name, vertical.slug) == (source, slug):
            least = Money(row.min_price_minor, vertical.currency) if row.min_price_minor else ""
            begun |= {"exclusive_only": row.exclusive_only, "most_buyers": str(row.most_buyers or ""),
                      "min_price": str(least)}  # fmt: skip
    return begun


def _asked(form: SourceRuleForm) -> SourceRuleBody:
    """Read the form; Invalid with every field that cannot be read."""
    faults, currency = [], get_vertical(form.vertical.data)[1].currency
    most = (form.most_buyers.data or "").strip()
    if most and not (most.isascii() and most.isdigit() and len(most) < 4):
        faults.append(Fault("most_buyers", "wrong_type", "Write a whole number."))
    amounts = {name: _amount(form, name, currency, faults) for name in ("min_price", "aged_min_price")}
    if faults:
        raise Invalid("invalid_source_rule", "The source stays as it is; each fault is named.", faults)
    return SourceRuleBody(source=form.source.data, vertical=form.vertical.data, exclusive_only=form.exclusive_only.data,
                          most_buyers=int(most) if most else None, offered_again=form.offered_again.data,
                          waits=form.waits.data, **amounts)  # fmt: skip


def _amount(form: SourceRuleForm, name: str, currency: str, faults: list[Fault]) -> Amount | None:
    typed = (form[name].data or "").strip().replace(",", ".")
    try:
        return Amount(amount=str(Money.parse(typed, currency)), currency=currency) if typed else None
    except ValueError:
        faults.append(Fault(name, "invalid_amount", "Write an amount such as 5 or 5.50."))
        return None
