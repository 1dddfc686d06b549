"""The operator's bank: where transfers go, statements imported, with what became of every entry."""

import io
from contextlib import closing

from flask import abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from billing import (
    BankSheet,
    Payee,
    Sent,
    asked_bank_accounts,
    asked_imports,
    bank_accounts,
    bank_unexplained,
    get_import,
    imports,
    lines_of_import,
    outcomes_of,
    shown_reference,
    statements_of,
    take_in,
    wake_bank,
)
from core.actors import Person, page
from core.db import transaction
from core.errors import Fault, Invalid, Malformed
from core.forms import carry_out, show_faults
from core.http import business_clock, filter_of
from core.ids import parse_id, show_id
from core.money import Money
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.bank_files import MOST_BYTES, demand_size, sheet_of
from marketplace.bank_moves import decide_account, decide_import, set_bank_account
from marketplace.web.operator.bank_words import IMPORTS, OUTCOMES, amount_said, why_said
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said

ROWS = 50


class StatementForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """A bank's file: CAMT.053, or CSV of an account with what its columns are called."""

    file = FileField(validators=[InputRequired(_l("Choose a file."))])
    account = SelectField(choices=[])
    columns = StringField()


class AccountForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Where transfers in a currency go."""

    currency = StringField()
    payee = StringField()
    iban = StringField()
    bic = StringField()


@operator.route("/bank", methods=["GET", "POST"])
@page("operator")
def bank(person: Person) -> str | Response:
    """Show what is at the bank and left over, and the files; take another one."""
    form = StatementForm()
    form.account.choices = [("", gettext("CAMT.053: it says so itself")), *((f"{one.iban} {one.currency}",
        f"CSV, {one.currency} {shown_reference(one.iban)}") for one in bank_accounts())]  # fmt: skip
    if form.validate_on_submit() and (made := _import(person, form)):
        return redirect(url_for("operator.bank_import", bank_import=made), 303)
    cursor = request.args.get("cursor")
    found = imports(parse_id("imp", cursor) if cursor else None, ROWS + 1)
    return render_template(
        "marketplace/operator/bank.html", form=form, ours=bank_accounts(), shown=shown_reference,
        imports=found[:ROWS], next=show_id("imp", found[ROWS - 1].id) if len(found) > ROWS else None,
        unexplained=bank_unexplained(page_time()), actor_said=actor_said, amount_said=amount_said, states=IMPORTS,
        wishes=asked_bank_accounts(), asked=asked_imports(),
    )  # fmt: skip


@operator.route("/bank/account", methods=["GET", "POST"])
@page("operator")
def bank_account(person: Person) -> str | Response:
    """Say where transfers in a currency go."""
    form = AccountForm()
    if state := carry_out(form, lambda: _set_account(person, form)):
        waits = gettext("Another operator must agree: until then transfers go where they went.")
        flash(waits if state == "waiting" else gettext("Kept. Pro-formas from now on name this account."))
        return redirect(url_for("operator.bank"), 303)
    return render_template("marketplace/operator/bank_account.html", form=form)


@operator.post("/bank/accounts/<wish>/<verdict>")
@page("operator")
def decide_bank(person: Person, wish: str, verdict: str) -> Response:
    """Agree to an account that another operator asked for, or refuse it."""
    wish_id, agrees = parse_id("bka", wish), _agrees(verdict)
    with transaction():
        decide_account(wish_id, agrees=agrees, actor=person.name, at=business_clock().now())
    flash(gettext("Kept. Pro-formas from now on name this account.") if agrees else gettext("Refused."))
    return redirect(url_for("operator.bank"), 303)


@operator.post("/bank/imports/<bank_import>/<verdict>")
@page("operator")
def decide_file(person: Person, bank_import: str, verdict: str) -> Response:
    """Agree to a file that no balance proves, or have nothing more of it booked."""
    import_id, agrees = parse_id("imp", bank_import), _agrees(verdict)
    with transaction():
        state = decide_import(import_id, agrees=agrees, actor=person.name, at=business_clock().now()).state
    vouched = gettext("Noted. A second operator must agree as well.")
    flash({"asked": vouched, "read": gettext("Its lines are being booked.")}.get(state, gettext("Refused.")))
    return redirect(url_for("operator.bank_import", bank_import=bank_import), 303)


@operator.get("/bank/imports/<bank_import>")
@page("operator")
def bank_import(_: Person, bank_import: str) -> str:
    """Show how far a file is, and what became of every entry."""
    row, after = get_import(parse_id("imp", bank_import)), _after()
    outcome = filter_of("outcome", ("", *OUTCOMES)) or None
    lines = lines_of_import(row.id, outcome, after, ROWS + 1)
    return render_template(
        "marketplace/operator/bank_import.html", row=row, shown=bank_import, outcome=outcome, lines=lines[:ROWS],
        next=str(lines[ROWS - 1].number) if len(lines) > ROWS else None, counts=outcomes_of(row.id), outcomes=OUTCOMES,
        statements={one.number: one for one in statements_of(row.id)}, money_of=Money, why_said=why_said,
        actor_said=actor_said,
    )  # fmt: skip


def _after() -> int:
    text = request.args.get("cursor", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
        raise Malformed("bad_page", "This page cannot be shown.", [fault])
    return int(text)


def _agrees(verdict: str) -> bool:
    if verdict not in ("agree", "refuse"):
        abort(404)
    return verdict == "agree"


def _set_account(person: Person, form: AccountForm) -> str:
    currency = (form.currency.data or "").strip().upper()
    payee = Payee(currency, form.payee.data or "", form.iban.data or "", form.bic.data or "")
    return set_bank_account(payee, person.name, business_clock().now())


def _import(person: Person, form: StatementForm) -> str | None:
    """Take a file in, and have it booked; None, and the faults at the form, when it is refused."""
    with closing(form.file.data) as sent:
        data, name = sent.stream.read(MOST_BYTES + 1), sent.filename or ""
    try:
        demand_size(data)
        import_id = take_in(Sent(io.BytesIO(data), name, _sheet(form)), person.name, business_clock().now())
    except Invalid as refused:
        show_faults(form, refused)
        return None
    with transaction():
        wake_bank()
    return show_id("imp", import_id)


def _sheet(form: StatementForm) -> BankSheet | None:
    if not form.account.data:
        return None
    iban, currency = form.account.data.split(" ")
    return sheet_of(iban, currency, (form.columns.data or "").split(";"))
