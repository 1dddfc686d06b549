"""The buyer's documents: receipts and credit notes on a page, printed, as CSV; and whom the next ones name."""

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField, TextAreaField

from billing import (
    BillingDetails,
    Document,
    content_of,
    details_of,
    documents_of,
    get_document,
    pdf_of,
    say_details,
    sheet_of,
)
from core.actors import Person, page
from core.clock import as_rfc3339
from core.forms import carry_out
from core.http import business_clock, download, filter_of
from core.ids import parse_id, show_id
from core.money import Money
from core.words import gettext
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.words import DOCUMENTS, METHODS

PART = 50
HEAD = ("number", "kind", "issued_at", "paid_at", "amount", "currency", "method", "payment_id", "transaction_id",
        "refers_to", "test")  # fmt: skip


class DetailsForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """Whom documents name."""

    name = StringField()
    address = TextAreaField()
    vat_id = StringField()


@buyer.get("/documents")
@page("buyer")
def documents(person: Person) -> str:
    """Show the receipts and credit notes, the newest first."""
    cursor, kind = request.args.get("cursor"), filter_of("kind", tuple(DOCUMENTS))
    rows = documents_of(person.account_id, PART + 1, parse_id("doc", cursor) if cursor else None, kind or "")
    more = show_id("doc", rows[PART - 1].id) if len(rows) > PART else None
    return render_template(
        "marketplace/buyer/documents.html", rows=rows[:PART], more=more, kind=kind, kinds=DOCUMENTS,
        content_of=content_of, money_of=_money_of, method_of=_method_of,
    )  # fmt: skip


@buyer.get("/documents.csv")
@page("buyer")
def documents_sheet(person: Person) -> Response:
    """Save the documents that the list would show as CSV that no spreadsheet runs."""
    rows = documents_of(person.account_id, None, None, filter_of("kind", tuple(DOCUMENTS)) or "")
    sheet = b"".join([sheet_line(HEAD), *(sheet_line(_cells(row)) for row in rows)])
    return download("documents.csv", "text/csv", sheet)


@buyer.get("/documents/<document>")
@page("buyer")
def document(person: Person, document: str) -> str:
    """Show one document with all that it says."""
    row = get_document(person.account_id, parse_id("doc", document))
    return render_template("marketplace/buyer/document.html", row=row, content=content_of(row), kinds=DOCUMENTS,
                           money=_money_of(row), method=_method_of(row), money_of=Money, shown=document)  # fmt: skip


@buyer.get("/documents/<document>/pdf")
@page("buyer")
def printed_document(person: Person, document: str) -> Response:
    """Save one document as PDF."""
    row = get_document(person.account_id, parse_id("doc", document))
    return download(f"{row.shown_number}.pdf", "application/pdf", pdf_of(sheet_of(row)))


@buyer.route("/billing-details", methods=["GET", "POST"])
@page("buyer")
def billing_details(person: Person) -> str | Response:
    """Say whom documents name from now on."""
    form = DetailsForm(obj=details_of(person.account_id))
    if carry_out(form, lambda: _say(person, form)):
        flash(gettext("Kept. Documents name it from now on."))
        return redirect(url_for("buyer.documents"), 303)
    return render_template("marketplace/buyer/billing_details.html", form=form, back=url_for("buyer.documents"))


def _say(person: Person, form: DetailsForm) -> BillingDetails:
    name, address, vat_id = (field.data or "" for field in (form.name, form.address, form.vat_id))
    return say_details(person.account_id, name, address, vat_id, person.name, business_clock().now())


def _money_of(row: Document) -> Money:
    return Money(row.amount_minor, row.currency)


def _method_of(row: Document) -> str:
    method = content_of(row).method
    return str(METHODS.get(method, method))


def _cells(row: Document) -> list[str]:
    content = content_of(row)
    return [row.shown_number, row.kind, as_rfc3339(row.issued_at), as_rfc3339(content.paid_at), str(_money_of(row)),
            row.currency, content.method, content.payment_id or "", show_id("txn", row.transaction_id or row.id),
            " ".join(one.number for one in content.refers_to), "true" if content.is_test else "false"]  # fmt: skip
