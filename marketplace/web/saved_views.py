"""Filters kept under names on pages: the chips beside a list, and keeping and deleting them."""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from core.actors import Person, page, present_person
from core.db import transaction
from core.errors import NotFound
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id
from core.saved_views import SavedView, delete_view, keep_view, views_of
from core.words import gettext

views = Blueprint("views", __name__)

# The lists whose filters may be kept; each is one kind of account's, which its name begins with.
LISTS = frozenset({
    "buyer.leads", "buyer.orders", "buyer.deliveries", "buyer.disputes", "publisher.today", "publisher.leads",
    "publisher.disputes", "operator.disputes", "operator.audit_log", "operator.journal",
})  # fmt: skip
PLACE = "cursor"  # where somebody is in a list is no filter


class ViewForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """The name of the filters, and which they are of which list."""

    list = HiddenField()
    query = HiddenField()
    name = StringField()


@views.route("/views/new", methods=["GET", "POST"])
@page()
def keep(person: Person) -> str | Response:
    """Keep a list's filters under a name."""
    form = ViewForm(formdata=request.values)
    of_list = _own(person, form.list.data or "")
    query = form.query.data = filters_of(parse_qsl(form.query.data or ""))
    if carry_out(form, lambda: _kept(person, of_list, form)):
        return redirect(address(of_list, query))
    return render_template("marketplace/view.html", form=form, back=address(of_list, query))


@views.post("/views/<view>/delete")
@page()
def delete(person: Person, view: str) -> Response:
    """Delete filters that were kept, and show the list as it was."""
    with transaction():
        of_list = delete_view(_user(person), parse_id("view", view))
    flash(gettext("The filters are not kept any more."))
    return redirect(address(of_list, filters_of(parse_qsl(request.form.get("query", "")))))


def views_here() -> list[SavedView]:
    """Return what the person who looks keeps of this page's list."""
    person = present_person()
    return views_of(_user(person), request.endpoint or "") if person and request.endpoint in LISTS else []


def filters_here() -> str:
    """Return how this page's list is narrowed and sorted, as a query string; empty when it is not."""
    return filters_of(request.args.items(multi=True))


def filters_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Write filters in one order, so that the same ones are the same text."""
    return urlencode(sorted((name, text) for name, text in pairs if name != PLACE and text))


def address(of_list: str, query: str) -> str:
    """Return where a list is read so narrowed."""
    return url_for(of_list) + (f"?{query}" if query else "")


def _user(person: Person) -> UUID:
    return person.user.user_id


def _own(person: Person, of_list: str) -> str:
    """Return a list of the person's own kind of account; NotFound for any other."""
    if of_list not in LISTS or of_list.partition(".")[0] != person.kind:
        raise NotFound(detail="There is no list of this name.")
    return of_list


def _kept(person: Person, of_list: str, form: ViewForm) -> SavedView:
    return keep_view(_user(person), of_list, form.name.data or "", form.query.data, business_clock().now())
