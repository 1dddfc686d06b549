"""The publisher's statements: month by month, issued or as it stands so far; and whom they name."""

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField, TextAreaField

from billing import Document, currencies_earned, details_of, find_month, issued_months, say_details
from core.actors import Person, page
from core.errors import NotFound
from core.forms import carry_out
from core.http import business_clock
from core.ids import parse_id, show_id
from core.months import month_of
from core.pages import page_time
from core.words import gettext
from marketplace.reports.months import month_here, read_after, read_period
from marketplace.web.api.balances import asked_currency
from marketplace.web.chrome import CURRENCY
from marketplace.web.month_pages import amounts_of, month_file, month_page
from marketplace.web.publisher.routes import publisher

PART = 50


class NamesForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Whom statements name."""

    name = StringField()
    address = TextAreaField()
    vat_id = StringField()


@publisher.get("/statements")
@page("publisher")
def statements(person: Person) -> str:
    """Show the statements, the newest first, and the month that is not over."""
    cursor = request.args.get("cursor")
    rows = issued_months("statement", person.account_id, PART + 1, parse_id("doc", cursor) if cursor else None)
    more = show_id("doc", rows[PART - 1].id) if len(rows) > PART else None
    return render_template("marketplace/publisher/statements.html", rows=rows[:PART], more=more,
                           amounts_of=amounts_of, this_month=month_of(page_time()),
                           currencies=sorted({CURRENCY, *currencies_earned(person.account_id)}))  # fmt: skip


@publisher.get("/statements/<period>")
@page("publisher")
def statement(person: Person, period: str) -> str:
    """Show one month with its lines."""
    after = read_after(request.args.get("cursor"))
    currency = asked_currency()
    told = month_here("statement", person.account_id, currency, read_period(period), page_time(), after)
    pdf, csv = (
        url_for("publisher.statement_file", period=period, form=form, currency=currency) for form in ("pdf", "csv")
    )
    return month_page(told, "", url_for("publisher.statements"), pdf, csv)


@publisher.get("/statements/<period>/<any(pdf, csv):form>")
@page("publisher")
def statement_file(person: Person, period: str, form: str) -> AnyResponse:
    """Save an issued month as PDF or CSV."""
    row: Document | None = find_month("statement", person.account_id, asked_currency(), read_period(period))
    if row is None:
        raise NotFound(detail="No statement is issued for this month yet.")
    return month_file(row, form, url_for("publisher.statement", period=period, currency=row.currency))


@publisher.route("/billing-details", methods=["GET", "POST"])
@page("publisher")
def billing_details(person: Person) -> str | AnyResponse:
    """Say whom statements name from now on."""
    form, back = NamesForm(obj=details_of(person.account_id)), url_for("publisher.statements")
    if carry_out(form, lambda: _say(person, form)):
        flash(gettext("Kept. Documents name it from now on."))
        return redirect(back, 303)
    return render_template("marketplace/buyer/billing_details.html", form=form, back=back)


def _say(person: Person, form: NamesForm) -> bool:
    name, address, vat_id = (field.data or "" for field in (form.name, form.address, form.vat_id))
    say_details(person.account_id, name, address, vat_id, person.name, business_clock().now())
    return True
