"""The page on which a buyer limits all of his orders together, with what they bought in the present periods."""

from typing import Any

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import FormField, StringField

from core.actors import Person, page
from core.errors import Fault, Invalid, Malformed
from core.forms import carry_out
from core.http import business_clock
from core.money import Money
from core.schemas import convert
from core.words import gettext
from marketplace.orders.buyer_limits import BuyerLimitsBody
from marketplace.orders.limiting import BuyerLimits, buyer_limits, set_buyer_limits
from marketplace.orders.periods import PERIODS
from marketplace.web.buyer.order_form import LimitForm
from marketplace.web.buyer.order_typed import money_of, number_of, text_of
from marketplace.web.buyer.routes import buyer
from marketplace.web.chrome import CURRENCY
from marketplace.web.telling import tell


class BuyerLimitsForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """The most leads and the most money over all orders, by period."""

    timezone = StringField()
    hour, day, week, month, total = (FormField(LimitForm) for _ in PERIODS)

    def limits(self) -> list[tuple[str, Any]]:
        """Return the row of limits of each period."""
        return [(period, self[period]) for period in PERIODS]


@buyer.route("/limits", methods=["GET", "POST"])
@page("buyer")
def limits(person: Person) -> str | Response:
    """Show and change what limits all orders together."""
    at = business_clock().now()
    found = buyer_limits(person.account_id, at)
    form, currency = BuyerLimitsForm(data=_said(found)), found.currency or CURRENCY
    if carry_out(form, lambda: _kept(person, form, currency)):
        tell(gettext("Kept for every lead posted from now on."))
        return redirect(url_for("buyer.limits"), 303)
    return render_template("marketplace/buyer/limits.html", form=form, limits=found, currency=currency,
                           money_of=lambda minor: Money(minor, currency))  # fmt: skip


def _kept(person: Person, form: BuyerLimitsForm, currency: str) -> bool:
    faults, refused = [_no_number(f"caps.{period}") for period, row in form.limits() if _is_unreadable(row)], None
    try:
        set_buyer_limits(person.account_id, _body(form, currency), person.name, business_clock().now())
    except (Invalid, Malformed) as error:
        faults, refused = [*faults, *error.faults], error
    if not faults and refused is None:
        return True
    for fault in faults:
        field = _field_of(form, fault)
        field.errors = [*field.errors, fault.message]
    raise Invalid("invalid_limits", "Nothing was kept: mend the fields that say so below.")


def _body(form: BuyerLimitsForm, currency: str) -> BuyerLimitsBody:
    document = {
        "timezone": text_of(form.timezone) or "UTC",
        "caps": {period: number_of(row.form.cap) for period, row in form.limits()},
        "budget": {period: money_of(row.form.budget, currency) for period, row in form.limits()},
    }
    return convert(document, BuyerLimitsBody)


def _is_unreadable(row: Any) -> bool:
    return bool(text_of(row.form.cap)) and number_of(row.form.cap) is None


def _no_number(field: str) -> Fault:
    return Fault(field, "wrong_type", "Write a whole number, such as 25.")


def _field_of(form: BuyerLimitsForm, fault: Fault) -> Any:
    head, *rest = fault.field.split(".")
    if rest and rest[0] in PERIODS:
        return form[rest[0]].form["cap" if head == "caps" else "budget"]
    return form.timezone


def _said(found: BuyerLimits) -> dict[str, Any]:
    budgets = {period: str(Money(minor, found.currency or CURRENCY)) for period, minor in found.budgets.items()}
    rows = {period: {"cap": str(found.caps.get(period, "")), "budget": budgets.get(period, "")} for period in PERIODS}
    return {"timezone": found.timezone or "Europe/Paris", **rows}
