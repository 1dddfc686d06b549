"""The buyer's credit: the line and its room, what is due when, every draw and payment, and paying early."""

from flask import Response as Sheet
from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from billing import DebtMove, every_debt_move, pay_early
from core.actors import Person, page
from core.clock import as_rfc3339
from core.forms import carry_out
from core.http import business_clock
from core.i18n import money
from core.ids import parse_id, show_id
from core.money import Money
from core.pages import page_time
from core.words import gettext
from marketplace.reports.credit import credit_standing, statement_of
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.chrome import CURRENCY
from marketplace.web.telling import tell

HEAD = ("at", "transaction_id", "kind", "amount", "currency", "sale_id", "due_at")


@buyer.get("/credit")
@page("buyer")
def credit(person: Person) -> str:
    """Show the credit line, what is due when, and what was drawn and paid."""
    cursor = request.args.get("cursor")
    before = parse_id("txn", cursor) if cursor else None
    return render_template(
        "marketplace/buyer/credit.html", standing=credit_standing(person.account_id, CURRENCY, page_time()),
        statement=statement_of(person.account_id, CURRENCY, before), currency=CURRENCY, money_of=Money,
    )  # fmt: skip


@buyer.post("/credit/pay")
@page("buyer")
def pay_credit(person: Person) -> Response:
    """Pay what is owed from what is available, as far as it goes, due or not."""
    form = FlaskForm()
    at = business_clock().now()
    paid = carry_out(form, lambda: pay_early(person.account_id, CURRENCY, person.name, at))
    if paid and paid.minor:
        tell(gettext("%(paid)s of what you owe is paid.", paid=money(paid)))
    else:
        tell(gettext("Nothing was paid: nothing is available, or nothing is owed."), is_wrong=True)
    return redirect(url_for("buyer.credit"), 303)


@buyer.get("/credit.csv")
@page("buyer")
def credit_sheet(person: Person) -> Sheet:
    """Save every draw, charge and payment as CSV that no spreadsheet runs."""
    rows = every_debt_move(person.account_id, CURRENCY)
    response = Sheet(b"".join([sheet_line(HEAD), *(sheet_line(_cells(row)) for row in rows)]), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=credit.csv"
    return response


def _cells(one: DebtMove) -> list[str]:
    sale, due = (show_id("sale", one.hold_id) if one.hold_id else ""), (as_rfc3339(one.due_at) if one.due_at else "")
    return [as_rfc3339(one.at), show_id("txn", one.transaction_id), one.kind, str(Money(one.minor, CURRENCY)), CURRENCY,
            sale, due]  # fmt: skip
