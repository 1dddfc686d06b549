"""The buyer's monthly invoices: the list, and one with its lines, saved as PDF and CSV."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from billing import get_document, issued_months
from core.actors import Person, page
from core.ids import parse_id, show_id
from core.pages import page_time
from marketplace.reports.months import issued_month_here, read_after
from marketplace.web.buyer.routes import buyer
from marketplace.web.month_pages import amounts_of, month_file, month_page

PART = 50


@buyer.get("/invoices")
@page("buyer")
def invoices(person: Person) -> str:
    """Show the invoices, the newest first."""
    cursor = request.args.get("cursor")
    rows = issued_months("invoice", person.account_id, PART + 1, parse_id("doc", cursor) if cursor else None)
    more = show_id("doc", rows[PART - 1].id) if len(rows) > PART else None
    return render_template("marketplace/buyer/invoices.html", rows=rows[:PART], more=more, amounts_of=amounts_of)


@buyer.get("/invoices/<invoice>")
@page("buyer")
def invoice(person: Person, invoice: str) -> str:
    """Show one invoice with its lines."""
    row = get_document(person.account_id, parse_id("doc", invoice), "invoice")
    told = issued_month_here(row, page_time(), read_after(request.args.get("cursor")))
    pdf, csv = (url_for("buyer.invoice_file", invoice=invoice, form=form) for form in ("pdf", "csv"))
    return month_page(told, "", url_for("buyer.invoices"), pdf, csv)


@buyer.get("/invoices/<invoice>/<any(pdf, csv):form>")
@page("buyer")
def invoice_file(person: Person, invoice: str, form: str) -> AnyResponse:
    """Save one invoice as PDF or CSV."""
    row = get_document(person.account_id, parse_id("doc", invoice), "invoice")
    return month_file(row, form, url_for("buyer.invoice", invoice=invoice))
