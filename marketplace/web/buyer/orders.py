"""The buyer's orders: what each buys and bought today, and pausing or resuming one."""

from flask import redirect, render_template, request, url_for
from flask_babel import ngettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import AnyOf

from billing import is_low
from core.actors import Person, page
from core.forms import carry_out
from core.http import business_clock, filter_of
from core.ids import parse_id
from core.keyset import read_asked
from core.pages import page_time
from core.words import gettext
from marketplace.leads.delivery.offered import judge_delivery
from marketplace.leads.delivery.reach import ask_again
from marketplace.leads.rests import rest
from marketplace.orders.models import Order
from marketplace.orders.standing import change_order
from marketplace.orders.terms import STATUSES, OrderPatch
from marketplace.reports.buyer_orders import SORTS, count_orders, order_lines
from marketplace.web.buyer.order_many import ManyForm, change_ticked
from marketplace.web.buyer.routes import buyer
from marketplace.web.chrome import CURRENCY, standing_here
from marketplace.web.telling import tell
from marketplace.web.words import STATES

REST, REST_MINUTES = "rest", 120  # the button that pauses for two hours


class StatusForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Whether an order buys."""

    status = StringField(validators=[AnyOf((*STATUSES, REST))])


@buyer.route("/orders", methods=["GET", "POST"])
@page("buyer")
def orders(person: Person) -> str | Response:
    """Show the standing orders, the newest first, with what each bought today; change those that are ticked alike."""
    many = ManyForm()
    done = carry_out(many, lambda: change_ticked(person, many))
    if done is not None:
        tell(ngettext("%(num)s order is changed.", "%(num)s orders are changed.", len(done)))
        return redirect(url_for("buyer.orders"))
    return _shown(person, many)


def _shown(person: Person, many: ManyForm) -> str:
    faults = dict.fromkeys(str(fault) for fault in (*many.deed.errors, *many.value.errors, *many.form_errors))
    asked, status = read_asked(request.args, SORTS, "-created"), filter_of("status", STATUSES)
    lines = order_lines(person.account_id, asked, status, page_time())
    return render_template(
        "marketplace/buyer/orders.html", lines=lines, status=status, count=count_orders(person.account_id),
        wallet=standing_here(person).balance,
        statuses=[(one, STATES[one].says) for one in STATUSES], currency=CURRENCY,
        is_low=is_low(person.account_id, CURRENCY), many=many,
        ticked=request.form.getlist("orders"), faults=list(faults),
    )  # fmt: skip


@buyer.post("/orders/<order>/status")
@page("buyer")
def order_status(person: Person, order: str) -> Response:
    """Pause an order or let it buy again, for every lead whose request begins afterwards."""
    form = StatusForm()
    name = carry_out(form, lambda: _changed(person, order, form.status.data))
    if name is None:
        tell(form)
    elif form.status.data == REST:
        tell(gettext("Order %(name)s rests for two hours and then buys again by itself.", name=name))
    elif form.status.data == "paused":
        tell(gettext("Order %(name)s is paused. Leads posted from now on pass it by.", name=name))
    else:
        tell(gettext("Order %(name)s buys again, within its hours and limits.", name=name))
    return redirect(url_for("buyer.orders"))


def _changed(person: Person, order: str, status: str) -> str:
    if status == REST:
        rested = rest(person.account_id, parse_id("ord", order), REST_MINUTES, person.name, business_clock().now())
        return str(rested.terms["name"])
    row: Order = change_order(person.account_id, parse_id("ord", order), OrderPatch(status=status), person.name,
                              business_clock().now(), judge_delivery=judge_delivery)  # fmt: skip
    ask_again(row)
    name: str = row.terms["name"]
    return name
