"""Money in and out by card: ask for a payment page, see what became of it, send unused money back."""

from flask import abort, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField

from billing import (
    Payer,
    TopUp,
    documents_about,
    find_session,
    get_top_up,
    recharge_of,
    start_give_back,
    start_top_up,
    top_ups_of,
)
from core.actors import Person, page
from core.db import transaction
from core.errors import Conflict, Fault, Invalid, TooMany
from core.forms import carry_out, show_faults
from core.http import business_clock
from core.identity import get_account
from core.ids import parse_id, show_id
from core.money import Money
from core.words import gettext
from marketplace.web.buyer.card_currency import asked_currency
from marketplace.web.buyer.routes import buyer
from marketplace.web.card_ways import ways_back
from marketplace.web.chrome import CURRENCY, standing_here
from marketplace.web.telling import tell

OFFERS = ("100", "500", "2000")
AT_FIELD = {"amount.amount": "amount", "amount.currency": "amount"}


class AmountForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How much."""

    amount = StringField()


class TopUpForm(AmountForm):
    """How much, and whether the card that pays is saved."""

    save = BooleanField()


@buyer.route("/wallet/top-up", methods=["GET", "POST"])
@page("buyer")
def new_top_up(person: Person) -> str | Response:
    """Ask for a payment page."""
    currency = asked_currency()
    form = TopUpForm(data={"amount": request.args.get("amount", ""), "save": "save" in request.args})
    top_up = _open_page(person, form, currency) if form.validate_on_submit() else None
    if top_up is not None:
        return redirect(url_for("buyer.top_up", top_up=show_id("top", top_up.id)), 303)
    return render_template("marketplace/buyer/new_top_up.html", form=form, offers=OFFERS, currency=currency)


@buyer.get("/wallet/paid")
@page("buyer")
def paid(person: Person) -> Response:
    """Come back from the payment page: go on to the top-up that it was for."""
    top_up = find_session(person.account_id, request.args.get("session", ""))
    if top_up is None:
        abort(404)
    return redirect(url_for("buyer.top_up", top_up=show_id("top", top_up.id), paid=1))


@buyer.get("/wallet/top-ups/<top_up>")
@page("buyer")
def top_up(person: Person, top_up: str) -> str:
    """Show a top-up: where to pay, or what became of it."""
    row = get_top_up(person.account_id, parse_id("top", top_up))
    waits = row.state == "open" and "paid" in request.args
    return render_template(
        "marketplace/buyer/top_up.html", row=row, money=Money(row.amount_minor, row.currency), waits=waits,
        documents=documents_about(person.account_id, row.id),
        others=[one for one in top_ups_of(person.account_id, 10) if one.id != row.id], money_of=_money_of,
    )  # fmt: skip


@buyer.route("/wallet/refund", methods=["GET", "POST"])
@page("buyer")
def new_refund(person: Person) -> str | Response:
    """Send unused money back to the cards that paid it."""
    form, at = AmountForm(), business_clock().now()
    sent = carry_out(
        form, lambda: start_give_back(person.account_id, _amount_of(form, CURRENCY), person.name, at), names=AT_FIELD
    )
    if sent:
        if sent.switched_off:
            tell(gettext("The money is on its way, and automatic top-up is switched off."))
        return redirect(url_for("buyer.wallet"), 303)
    fills_itself = recharge_of(person.account_id, CURRENCY, at).outlook.terms.is_on
    return render_template("marketplace/buyer/new_refund.html", form=form, standing=standing_here(person),
                           fills_itself=fills_itself)  # fmt: skip


def _open_page(person: Person, form: TopUpForm, currency: str) -> TopUp | None:
    """Open a payment page, outside of any transaction; None, and the faults at the form, when that is refused."""
    with transaction():
        registered_at = get_account(person.account_id).registered_at
    payer = Payer(person.account_id, registered_at, person.name)
    try:
        at, saves_card = business_clock().now(), form.save.data
        return start_top_up(payer, _amount_of(form, currency), ways_back(), at, saves_card=saves_card)
    except (Invalid, Conflict, TooMany) as refused:
        show_faults(form, refused, AT_FIELD)
        return None


def _amount_of(form: AmountForm, currency: str) -> Money:
    typed = (form.amount.data or "").strip().replace(",", ".")
    try:
        return Money.parse(typed, currency)
    except ValueError:
        fault = Fault("amount.amount", "bad_amount", "Write an amount such as 100 or 100.50.")
        raise Invalid("invalid_amount", "This amount cannot be used.", [fault]) from None


def _money_of(row: TopUp) -> Money:
    return Money(row.amount_minor, row.currency)
