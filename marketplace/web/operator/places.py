"""Who is considered first in a vertical: what its rule is, and where the operator places each order."""

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import FieldList, Form, FormField, HiddenField, StringField

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import show_id
from core.words import gettext
from marketplace.catalog.shelf import get_vertical
from marketplace.orders.models import Order
from marketplace.orders.places import Place, orders_placed, set_places
from marketplace.orders.terms import decode_terms
from marketplace.reports.dispute_queue import names_of
from marketplace.web.operator.routes import operator
from marketplace.web.operator.vertical_form import CONTESTS, RULES

MOST_DIGITS = 7


class PlaceForm(Form):  # type: ignore[misc]  # it ships no types
    """Where one order stands; an empty number is none."""

    order = HiddenField()
    priority = StringField()
    target_share = StringField()


class PlacesForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Where the orders of a vertical stand."""

    orders = FieldList(FormField(PlaceForm))


@operator.route("/verticals/<slug>/distribution", methods=["GET", "POST"])
@page("operator")
def distribution(person: Person, slug: str) -> str | Response:
    """Show where the orders of a vertical stand; place them anew."""
    form = PlacesForm(data={"orders": [_filled(row) for row in orders_placed(slug)]})
    if carry_out(form, lambda: set_places(slug, _places(form), person.name, business_clock().now()) or True):
        flash(gettext("Kept. It holds for every lead posted from now on."))
        return redirect(url_for("operator.distribution", slug=slug), 303)
    rows = orders_placed(slug)
    shown = {show_id("ord", row.id): (row, decode_terms(row.terms)) for row in rows}
    return render_template("marketplace/operator/distribution.html", vertical=get_vertical(slug)[1], form=form,
                           orders=shown, owners=names_of({row.buyer_id for row in rows}), rules=RULES,
                           contests=CONTESTS)  # fmt: skip


def _filled(row: Order) -> dict[str, str]:
    terms = decode_terms(row.terms)
    return {"order": show_id("ord", row.id), "priority": str(terms.priority or ""),
            "target_share": str(terms.target_share or "")}  # fmt: skip


def _places(form: PlacesForm) -> list[Place]:
    """Read what was typed; Invalid with every field that is no number."""
    faults, places = [], []
    for number, row in enumerate(form.orders):
        said: dict[str, int | None] = {}
        for name in ("priority", "target_share"):
            typed = (row.form[name].data or "").strip()
            said[name] = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= MOST_DIGITS else None
            if typed and said[name] is None:
                faults.append(Fault(f"orders.{number}.{name}", "wrong_type", f"Row {number + 1}: write whole numbers."))
        places.append(Place(order=row.form.order.data or "", **said))
    if faults:
        raise Invalid("invalid_places", "Nothing was kept; each fault is named.", faults)
    return places
