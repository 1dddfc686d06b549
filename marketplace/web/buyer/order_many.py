"""Many orders at once: those that were ticked changed alike, all saved as a sheet, and a sheet read back."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response as Answer
from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired

from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.schemas import convert
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.leads.delivery.offered import judge_delivery
from marketplace.leads.delivery.reach import ask_again, keep_reach
from marketplace.leads.desk import desk
from marketplace.orders.many import MOST_ORDERS, ManyBody, carry_out_wishes, change_alike
from marketplace.orders.models import Order
from marketplace.orders.standing import orders_of
from marketplace.orders.terms import decode_terms
from marketplace.web.buyer.order_sheet import sheet_of_orders, wishes_in
from marketplace.web.buyer.order_typed import number_of, text_of
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell

DEEDS = ("price", "day_cap", "paused", "active")


class ManyForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """What is done with the ticked orders."""

    deed = StringField(validators=[AnyOf(DEEDS)])
    value = StringField()


class SheetForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A sheet of orders."""

    file = FileField(validators=[InputRequired(_l("Choose a file."))])


@buyer.get("/orders/sheet")
@page("buyer")
def orders_sheet(person: Person) -> Response:
    """Save the orders that are not closed as a sheet that can be read back."""
    rows = [row for row in orders_of(person.account_id, None, MOST_ORDERS) if row.status != "closed"]
    sheet = sheet_of_orders((row.id, row.version, decode_terms(row.terms), row.resumes_at is not None) for row in rows)
    name = "attachment; filename=orders.csv"
    return Response(sheet, mimetype="text/csv", headers={"Content-Disposition": name})


@buyer.route("/orders/sheet/read", methods=["GET", "POST"])
@page("buyer")
def read_sheet(person: Person) -> str | Answer:
    """Read a sheet back: orders are changed and placed, all of them or none and every reason."""
    form = SheetForm()
    done = carry_out(form, lambda: _read(person, form))
    if done is None:
        return render_template("marketplace/buyer/order_sheet.html", form=form)
    tell(ngettext("%(num)s order stands as its line says.", "%(num)s orders stand as their lines say.", len(done)))
    return redirect(url_for("buyer.orders"))


def change_ticked(person: Person, form: ManyForm) -> list[Order]:
    """Change the ticked orders alike from the commit on and return them: all of them, or none and every reason."""
    ids = [parse_id("ord", one) for one in request.form.getlist("orders")]
    body, at = _body_of(form), business_clock().now()
    rows = change_alike(person.account_id, ids, body, person.name, at)
    for row in rows:
        ask_again(row)
    return rows


def _body_of(form: ManyForm) -> ManyBody:
    """Return the change that a form describes; a day's cap that is left empty is lifted."""
    deed, number = form.deed.data, number_of(form.value)
    if number is None and (deed == "price" or (deed == "day_cap" and text_of(form.value))):
        fault = Fault("price_percent", "wrong_type", gettext("Write a whole number, such as 25."))
        raise Invalid("invalid_order", "Nothing was changed.", [fault])
    deeds: dict[str, dict[str, Any]] = {"price": {"price_percent": number}, "day_cap": {"caps": {"day": number}}}
    said = deeds.get(deed, {"status": deed})
    return convert({"orders": [], **said}, ManyBody)


def _read(person: Person, form: SheetForm) -> list[Order]:
    wishes, at = wishes_in(form.file.data.read()), business_clock().now()
    rows = carry_out_wishes(person.account_id, wishes, person.name, at, judge_delivery)
    for wish, row in zip(wishes, rows, strict=True):
        document = wish.asked.delivery
        if isinstance(document, dict):
            keep_reach(row, document, desk().vault)
        ask_again(row)
    return rows
