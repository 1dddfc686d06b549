"""Paying in by bank transfer: asking for a pro-forma, what to transfer under which reference, and what came."""

from typing import Any

from flask import redirect, render_template, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from billing import (
    OLD_AFTER,
    ProForma,
    ask_pro_forma,
    bank_accounts,
    cancel_pro_forma,
    get_pro_forma,
    pro_formas_of,
    shown_reference,
    transfers_of,
)
from core.actors import Person, page
from core.db import transaction
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id, show_id
from core.money import Money
from core.pages import page_time
from core.words import lazy_gettext as _l
from marketplace.web.buyer.routes import buyer
from marketplace.web.words import Word

STATES = {
    "open": Word("held", _l("Nothing came yet")), "partly": Word("held", _l("Paid in part")),
    "paid": Word("won", _l("Paid")), "over": Word("won", _l("More came than was asked for")),
    "cancelled": Word("neutral", _l("Cancelled")),
}  # fmt: skip


class TransferForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How much is to be transferred."""

    amount = StringField()
    currency = SelectField()


@buyer.route("/wallet/transfers", methods=["GET", "POST"])
@page("buyer")
def transfers(person: Person) -> str | Response:
    """Ask for a pro-forma, and list the earlier ones."""
    form, accounts = TransferForm(), bank_accounts()
    form.currency.choices = [(one.currency, one.currency) for one in accounts]
    made = carry_out(form, lambda: _ask(person, form)) if accounts else None
    if made:
        return redirect(url_for("buyer.transfer", transfer=made), 303)
    return render_template("marketplace/buyer/transfers.html", form=form, has_accounts=bool(accounts),
                           rows=pro_formas_of(person.account_id), **_words())  # fmt: skip


@buyer.get("/wallet/transfers/<transfer>")
@page("buyer")
def transfer(person: Person, transfer: str) -> str:
    """Show what to transfer, where to, under which reference, and what came; it can be printed."""
    row, bank = get_pro_forma(person.account_id, parse_id("pro", transfer))
    return render_template("marketplace/buyer/transfer.html", row=row, bank=bank, came=transfers_of(row.id),
                           account_name=person.place.name, **_words())  # fmt: skip


@buyer.post("/wallet/transfers/<transfer>/cancel")
@page("buyer")
def cancel_transfer(person: Person, transfer: str) -> Response:
    """Say that a pro-forma is not to be paid."""
    with transaction():
        cancel_pro_forma(person.account_id, parse_id("pro", transfer), business_clock().now())
    return redirect(url_for("buyer.transfer", transfer=transfer), 303)


def _ask(person: Person, form: TransferForm) -> str:
    typed = (form.amount.data or "").strip().replace(",", ".")
    try:
        money = Money.parse(typed, form.currency.data)
    except ValueError:
        fault = Fault("amount", "bad_amount", "Write an amount such as 100 or 100.50.")
        raise Invalid("invalid_amount", "This amount cannot be used.", [fault]) from None
    return show_id("pro", ask_pro_forma(person.account_id, money, person.name, business_clock().now()).id)


def _words() -> dict[str, Any]:
    return {"states": STATES, "money_of": Money, "shown": shown_reference, "is_old": _is_old}


def _is_old(row: ProForma) -> bool:
    return row.state == "open" and page_time() - row.asked_at > OLD_AFTER
