"""Monthly invoices for buyers, self-billed statements for publishers, and how an operator has accounts taxed."""

from flask import Response, request

from billing import (
    Document,
    VatTerms,
    VatWish,
    find_month,
    get_document,
    issued_months,
    vat_terms_of,
)
from core.errors import NotFound
from core.http import Answer, body, business_clock, download, page_request, reads, writes
from core.identity import Actor, get_account
from core.ids import parse_id
from core.paging import page_of
from marketplace.documents.taxing import tax_account
from marketplace.reports.month_sheets import month_csv
from marketplace.reports.months import issued_month_told, month_told, read_after, read_period
from marketplace.web.api import answers_months as answers
from marketplace.web.api import api
from marketplace.web.api import shown_months as shown
from marketplace.web.api.balances import CURRENCY, asked_currency
from marketplace.web.api.described import Query, describe
from marketplace.web.api.shown import instant
from marketplace.web.prints import month_pdf

CURSOR = Query("cursor", "The next_cursor of the part before: the lines after it.")


@api.get("/invoices")
@reads("wallet:read")
@describe(answers.InvoiceShown, pages=True)
def list_invoices(actor: Actor) -> Answer:
    """List the monthly invoices, the newest first."""
    return Answer(page_of("doc", page_request("doc"), lambda before, most: issued_months(
        "invoice", actor.account_id, most, before), shown.invoice))  # fmt: skip


@api.get("/invoices/<invoice_id>")
@reads("wallet:read")
@describe(answers.InvoiceRead, query=(CURSOR,))
def show_invoice(actor: Actor, invoice_id: str) -> Answer:
    """Show one invoice with a part of its lines, compared with the books."""
    row = get_document(actor.account_id, parse_id("doc", invoice_id), "invoice")
    return Answer(shown.invoice_read(issued_month_told(row, read_after(request.args.get("cursor")))))


@api.get("/invoices/<invoice_id>/pdf")
@reads("wallet:read")
@describe()
def print_invoice(actor: Actor, invoice_id: str) -> Response:
    """Save one invoice as PDF, the same bytes every time; a long one is printed first (202 with Retry-After)."""
    return month_pdf(get_document(actor.account_id, parse_id("doc", invoice_id), "invoice"))


@api.get("/invoices/<invoice_id>/csv")
@reads("wallet:read")
@describe()
def save_invoice(actor: Actor, invoice_id: str) -> Response:
    """Save the lines of one invoice as CSV that no spreadsheet runs."""
    return month_sheet(get_document(actor.account_id, parse_id("doc", invoice_id), "invoice"))


@api.get("/statements")
@reads("balance:read")
@describe(answers.StatementShown, pages=True)
def list_monthly_statements(actor: Actor) -> Answer:
    """List the issued statements, the newest first."""
    return Answer(page_of("doc", page_request("doc"), lambda before, most: issued_months(
        "statement", actor.account_id, most, before), shown.statement))  # fmt: skip


@api.get("/statements/<period>")
@reads("balance:read")
@describe(answers.StatementRead, query=(CURRENCY, CURSOR))
def show_monthly_statement(actor: Actor, period: str) -> Answer:
    """Show a month (2026-12, UTC): every sale and correction, issued or so far, compared with the books."""
    asked, after = read_period(period), read_after(request.args.get("cursor"))
    told = month_told("statement", actor.account_id, asked_currency(), asked, business_clock().now(), after)
    return Answer(shown.statement_read(told))


@api.get("/statements/<period>/pdf")
@reads("balance:read")
@describe(query=(CURRENCY,))
def print_monthly_statement(actor: Actor, period: str) -> Response:
    """Save a statement as PDF, the same bytes every time; a long one is printed first (202 with Retry-After)."""
    return month_pdf(_issued(actor, period))


@api.get("/statements/<period>/csv")
@reads("balance:read")
@describe(query=(CURRENCY,))
def save_monthly_statement(actor: Actor, period: str) -> Response:
    """Save the lines of an issued statement as CSV that no spreadsheet runs."""
    return month_sheet(_issued(actor, period))


@api.get("/accounts/<account_id>/vat-terms")
@reads("operate")
@describe(answers.VatTermsShown, is_list=True)
def list_vat_terms(_: Actor, account_id: str) -> Answer:
    """List how an account's documents were taxed over time, the newest first."""
    owner = get_account(parse_id("acc", account_id))
    return Answer({"items": [_terms(row) for row in vat_terms_of(owner.id)], "next_cursor": None})


@api.put("/accounts/<account_id>/vat-terms")
@writes("operate")
@describe(answers.VatTermsShown, takes=answers.VatTermsSaid)
def put_vat_terms(actor: Actor, account_id: str) -> Answer:
    """Tax what an account is supplied from a day on otherwise, today without one; what was issued stays."""
    owner, said = get_account(parse_id("acc", account_id)), body(answers.VatTermsSaid)
    wish = VatWish(treatment=said.treatment, country=said.country, vat_number=said.vat_number, rate_bp=said.rate_bp,
                   reason=said.reason, valid_from=said.valid_from)  # fmt: skip
    return Answer(_terms(tax_account(owner.id, wish, said.version, actor.name, business_clock().now())))


def month_sheet(row: Document) -> Response:
    """Answer with the lines of an issued month as CSV."""
    return download(f"{row.shown_number}.csv", "text/csv", b"".join(month_csv(row)))


def _issued(actor: Actor, period: str) -> Document:
    found = find_month("statement", actor.account_id, asked_currency(), read_period(period))
    if found is None:
        raise NotFound(detail="No statement is issued for this month; GET /api/v1/statements lists those that are.")
    return found


def _terms(row: VatTerms) -> answers.VatTermsShown:
    return answers.VatTermsShown(
        version=row.version, treatment=row.treatment, country=row.country, vat_number=row.vat_number,
        rate_bp=row.rate_bp, reason=row.reason, actor=row.actor, said_at=instant(row.said_at),
        valid_from=row.valid_from,
    )  # fmt: skip
