"""Everybody's invoices and statements for operators, and how an account's are taxed."""

from datetime import date
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, SelectField, StringField

from billing import VatWish, get_document, issued_months, vat_terms_of
from core.actors import Person, page
from core.errors import Fault, Invalid
from core.forms import carry_out
from core.http import business_clock, filter_of
from core.identity import get_account
from core.ids import parse_id, show_id
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.documents.taxing import tax_account
from marketplace.reports.dispute_queue import names_of
from marketplace.reports.months import issued_month_here, read_after
from marketplace.web.month_pages import amounts_of, month_file, month_page
from marketplace.web.operator.routes import operator
from marketplace.web.operator.words import actor_said
from marketplace.web.words import MONTHS, TREATMENTS

PART = 50
KINDS = ("invoice", "statement")


class VatForm(FlaskForm):  # type: ignore[misc]  # it ships no types
    """How an account's documents are taxed from now on, and why."""

    treatment = SelectField(choices=list(TREATMENTS.items()))
    country = StringField()
    vat_number = StringField()
    rate = StringField()
    valid_from = StringField()
    reason = StringField()
    seen = HiddenField()


@operator.get("/documents")
@page("operator")
def documents(_: Person) -> str:
    """Show the invoices or the statements of all accounts, the newest first."""
    cursor, kind = request.args.get("cursor"), filter_of("kind", KINDS)
    before = parse_id("doc", cursor) if cursor else None
    rows = issued_months("statement" if kind == "statement" else "invoice", None, PART + 1, before)
    more = show_id("doc", rows[PART - 1].id) if len(rows) > PART else None
    return render_template(
        "marketplace/operator/documents.html", rows=rows[:PART], more=more, amounts_of=amounts_of,
        kind=kind or "invoice", kinds=MONTHS, names=names_of([row.account_id for row in rows]),
    )  # fmt: skip


@operator.get("/documents/<document>")
@page("operator")
def document(_: Person, document: str) -> str:
    """Show one invoice or statement with its lines."""
    row = get_document(None, parse_id("doc", document), *KINDS)
    told = issued_month_here(row, page_time(), read_after(request.args.get("cursor")))
    pdf, csv = (url_for("operator.document_file", document=document, form=form) for form in ("pdf", "csv"))
    back = url_for("operator.documents", kind=row.kind)
    return month_page(told, get_account(row.account_id).name, back, pdf, csv)


@operator.get("/documents/<document>/<any(pdf, csv):form>")
@page("operator")
def document_file(_: Person, document: str, form: str) -> AnyResponse:
    """Save one invoice or statement as PDF or CSV."""
    row = get_document(None, parse_id("doc", document), *KINDS)
    return month_file(row, form, url_for("operator.document", document=document))


@operator.route("/vat/<account>", methods=["GET", "POST"])
@page("operator")
def vat_terms(person: Person, account: str) -> str | AnyResponse:
    """Show how an account's documents are taxed; tax them otherwise from now on."""
    account_id, form = parse_id("acc", account), VatForm()
    if carry_out(form, lambda: _say(account_id, form, person.name), {"rate_bp": "rate"}):
        flash(gettext("Kept. Documents that are issued from now on are taxed so."))
        return redirect(url_for("operator.vat_terms", account=account), 303)
    owner, versions = get_account(account_id), vat_terms_of(account_id)
    form.seen.data = str(versions[0].version if versions else 0)
    return render_template("marketplace/operator/vat_terms.html", form=form, owner=owner, versions=versions,
                           shown=account, treatments=TREATMENTS, actor_said=actor_said)  # fmt: skip


def _say(account_id: UUID, form: VatForm, actor: str) -> bool:
    get_account(account_id)
    wish = VatWish(treatment=form.treatment.data, country=form.country.data or "",
                   vat_number=form.vat_number.data or "", rate_bp=_rate(form.rate.data or ""),
                   reason=form.reason.data or "", valid_from=_day(form.valid_from.data or ""))  # fmt: skip
    seen = form.seen.data or ""
    version = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 9 else -1
    tax_account(account_id, wish, version, actor, business_clock().now())
    return True


def _day(text: str) -> date | None:
    """Read a day such as 2026-12-15; nothing is today."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        fault = Fault("valid_from", "not_a_day", str(_l("Write a day such as 2026-12-15.")))
        raise Invalid("invalid_vat_terms", "The tax stays as it is.", [fault]) from None


def _rate(text: str) -> int | None:
    """Read a percentage such as 20 or 5.5; nothing is the country's standard rate."""
    whole, _, part = text.strip().replace(",", ".").partition(".")
    if not whole and not part:
        return None
    if not (whole.isascii() and whole.isdigit() and len(whole) < 3 and (part or "0").isdigit() and len(part) < 3):
        raise Invalid("invalid_vat_terms", "The tax stays as it is.",
                      [Fault("rate_bp", "not_a_rate", str(_l("Write a percentage such as 20 or 5.5.")))])  # fmt: skip
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")
