"""What the pages of invoices and statements share: one month drawn for whoever may read it, and saved as a file."""

from typing import Any

from flask import flash, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from billing import Document
from core.http import download
from core.money import Money
from core.words import gettext
from marketplace.reports.kept import Kept
from marketplace.reports.month_sheets import month_csv
from marketplace.reports.months import MonthTold
from marketplace.web.api.shown_months import unexplained_minor
from marketplace.web.prints import month_print
from marketplace.web.words import TREATMENTS, line_kind


def month_page(kept: Kept[MonthTold], whose: str, back: str, pdf: str, csv: str) -> str:
    """Draw a month: its sums, what is unexplained, a part of its lines; `whose` names the account to an operator."""
    told = kept.value
    return render_template(
        "marketplace/month.html", month=told, counted_at=kept.counted_at, whose=whose, back=back, pdf=pdf, csv=csv,
        money_of=Money, line_kind=line_kind, treatments=TREATMENTS,
        unexplained=Money(unexplained_minor(told), told.currency),
    )  # fmt: skip


def month_file(row: Document, form: str, page: str) -> AnyResponse:
    """Save an issued month as PDF or CSV; while a job prints a long one, lead back to its page, which says so."""
    if form == "csv":
        return download(f"{row.shown_number}.csv", "text/csv", b"".join(month_csv(row)))
    printed = month_print(row)
    if printed is None:
        flash(gettext("It is long, so that it is being printed. Save it again in some seconds."))
        return redirect(page, 303)
    return printed


def amounts_of(row: Document) -> dict[str, Any]:
    """Return a list's amounts of one document: its net, its tax and both together."""
    vat = row.content["vat"]["minor"]
    minors = {"net": row.amount_minor, "vat": vat, "gross": row.amount_minor + vat}
    return {name: Money(minor, row.currency) for name, minor in minors.items()}
