"""Placing an order, changing it, and trying its delivery: one form, in two tabs at once if need be."""

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.actors import Person, page
from core.errors import Conflict
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.words import gettext
from marketplace.catalog.shelf import all_verticals
from marketplace.catalog.verticals import Vertical
from marketplace.leads.delivery.offered import judge_delivery
from marketplace.leads.delivery.reach import keep_reach
from marketplace.leads.desk import desk
from marketplace.orders.models import Order
from marketplace.orders.standing import change_order, get_order, place_order
from marketplace.orders.terms import OrderTerms, decode_terms
from marketplace.reports.buyer_orders import Change, changes_since
from marketplace.web.buyer.order_body import delivery_document, order_body, order_patch
from marketplace.web.buyer.order_faults import with_faults_placed
from marketplace.web.buyer.order_filling import for_new, for_terms, offered, paths_here
from marketplace.web.buyer.order_form import OrderForm
from marketplace.web.buyer.order_suggestion import advice_for
from marketplace.web.buyer.order_templates import TEMPLATES, from_template
from marketplace.web.buyer.order_trial import TRY, try_delivery
from marketplace.web.buyer.order_typed import number_of
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell


@buyer.route("/orders/new", methods=["GET", "POST"])
@page("buyer")
def new_order(person: Person) -> str | Response:
    """Place an order: it begins with the defaults, or with what another of one's orders says."""
    shelf = {one.slug: one for one in all_verticals()}
    form = OrderForm(data=_begun(person, shelf))
    name = None if TRY in request.form else carry_out(form, lambda: _placed(person, form, shelf))
    if name:
        tell(gettext("Order %(name)s is placed and buys from now on, within its hours and limits.", name=name))
        return redirect(url_for("buyer.orders"))
    return _shown(person, form, shelf)


@buyer.route("/orders/<order>", methods=["GET", "POST"])
@page("buyer")
def order(person: Person, order: str) -> str | Response:
    """Show an order and change it, unless somebody else has changed it meanwhile: then say what, and ask again."""
    row = get_order(person.account_id, parse_id("ord", order))
    terms, version, resumes_at = decode_terms(row.terms), row.version, row.resumes_at
    form, shelf = OrderForm(data=for_terms(terms, version)), {one.slug: one for one in all_verticals()}
    name = None if TRY in request.form else carry_out(form, lambda: _changed(person, form, order, terms.currency))
    if name:
        tell(gettext("Order %(name)s is changed for every lead posted from now on.", name=name))
        return redirect(url_for("buyer.orders"))
    return _shown(person, form, shelf, order, terms, version, resumes_at)


def _begun(person: Person, shelf: dict[str, Vertical]) -> dict[str, Any]:
    """Return what a new order begins with; `like` names one of the person's own orders, `vertical` a vertical,
    `template` a ready beginning.
    """
    like = request.args.get("like")
    if like:
        terms = decode_terms(get_order(person.account_id, parse_id("ord", like)).terms)
        begun = for_terms(terms, None)
        return begun | {"name": gettext("%(name)s, again", name=terms.name)}
    begun = for_new(shelf.get(request.args.get("vertical", "")))
    return begun | from_template(request.args.get("template", ""))


def _placed(person: Person, form: OrderForm, shelf: dict[str, Vertical]) -> str:
    def place() -> str:
        vertical = shelf.get(form.vertical.data or "")
        body = order_body(form, vertical.currency if vertical else "EUR")
        row = place_order(person.account_id, body, person.name, business_clock().now(), judge_delivery)
        keep_reach(row, body.delivery, desk().vault)
        return _name_of(row)

    return with_faults_placed(form, place)


def _changed(person: Person, form: OrderForm, order: str, currency: str) -> str:
    def change() -> str:
        patch, seen = order_patch(form, currency), number_of(form.version)
        if seen is None:
            raise Conflict("version_changed", "Look at the order as it is now and change it again.")
        row = change_order(person.account_id, parse_id("ord", order), patch, person.name,
                           business_clock().now(), seen, judge_delivery)  # fmt: skip
        keep_reach(row, delivery_document(form), desk().vault)
        return _name_of(row)

    return with_faults_placed(form, change)


def _name_of(row: Order) -> str:
    name: str = row.terms["name"]
    return name


def _shown(
    person: Person, form: OrderForm, shelf: dict[str, Vertical], order: str = "", terms: OrderTerms | None = None,
    version: int = 0, resumes_at: datetime | None = None,
) -> str:  # fmt: skip
    """Draw the form, with the trial that was asked for and with what somebody else changed since it was opened."""
    order_id = parse_id("ord", order) if order else None
    trial = try_delivery(person, form, order_id) if TRY in request.form else None
    changes: list[Change] = []
    seen = number_of(form.version)
    if order_id and seen not in (None, version) and TRY not in request.form:
        changes = changes_since(person.account_id, order_id, max(0, min(seen, version)))
        form.version.raw_data, form.version.data = None, str(version)
    form.vertical.choices = offered(shelf)
    form.add_spare_rows()
    vertical = shelf.get(terms.vertical if terms else form.vertical.data or "")
    return render_template("marketplace/buyer/order.html", form=form, order=order, terms=terms, vertical=vertical,
                           trial=trial, changes=changes, paths=paths_here(vertical), templates=TEMPLATES,
                           resumes_at=resumes_at, advice=advice_for(form, vertical))  # fmt: skip
