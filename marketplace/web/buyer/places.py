"""Deleting where leads went by mail or by HTTP, once more asked."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from core.actors import Person, page
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.words import gettext
from marketplace.leads.delivery.forgetting import forget_address, forget_endpoint, get_endpoint
from marketplace.web.buyer.routes import buyer
from marketplace.web.telling import tell


@buyer.route("/addresses/delete", methods=["GET", "POST"])
@page("buyer")
def end_address(person: Person) -> str | Response:
    """Delete an address for leads by mail."""
    address, at = request.args.get("address", "")[:254], business_clock().now()
    return _asked(address, lambda: forget_address(person.account_id, address, person.name, at), "buyer.lists")


@buyer.route("/endpoints/<place>/delete", methods=["GET", "POST"])
@page("buyer")
def end_endpoint(person: Person, place: str) -> str | Response:
    """Delete an endpoint that no order sends to any more."""
    endpoint_id, at = parse_id("enp", place), business_clock().now()
    address = get_endpoint(person.account_id, endpoint_id).address
    return _asked(address, lambda: forget_endpoint(person.account_id, endpoint_id, person.name, at), "buyer.deliveries")


def _asked(place: str, delete: Callable[[], str], back: str) -> str | Response:
    form = FlaskForm()
    if carry_out(form, delete) is None:
        return render_template("marketplace/buyer/place_delete.html", form=form, place=place, back=url_for(back))
    tell(gettext("%(place)s is deleted. What was sent there stays in the log.", place=place))
    return redirect(url_for(back))
