"""Why an order lost: by day where it was tried, by a sample of all that was offered, and as a sheet."""

from flask import Response, render_template, request
from flask_babel import format_date

from core.actors import Person, page
from core.i18n import number
from core.ids import parse_id
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.market.losses import LOSSES, Losses
from marketplace.orders.standing import get_order
from marketplace.orders.terms import decode_terms
from marketplace.reports.order_losses import SHEET_HEAD, day_asked, order_losses, sheet_rows
from marketplace.reports.sheet import sheet_line
from marketplace.web.buyer.routes import buyer
from marketplace.web.charts import Chart, Series, line_chart

# What the rules of an order are called where it is told how many leads each kept away.
RULES = {
    "regions": _l("Regions"),
    "min_score": _l("Least score"),
    "temperatures": _l("Temperature"),
    "contact_classes": _l("Contact class"),
    "verified_only": _l("Verified leads only"),
    "exclusivity": _l("Sold exclusively, and the order shares"),
    "place": _l("Postal codes or distance"),
}


@buyer.get("/orders/<order>/losses")
@page("buyer")
def losses(person: Person, order: str) -> str:
    """Show why an order lost, on a day and on the days before it."""
    row = get_order(person.account_id, parse_id("ord", order))
    found = order_losses(row, day_asked(request.args.get("day"), page_time()), page_time())
    return render_template(
        "marketplace/buyer/losses.html", order=order, terms=decode_terms(row.terms), losses=found, plot=_plot(found),
        says=LOSSES, rules=RULES, today=page_time().date(),
        codes=[code for code in LOSSES if code in found.asked.outcomes or code in found.sample.outcomes],
    )  # fmt: skip


@buyer.get("/orders/<order>/losses.csv")
@page("buyer")
def losses_sheet(person: Person, order: str) -> Response:
    """Save the days on which an order was tried, with what became of it, as CSV that no spreadsheet runs."""
    row = get_order(person.account_id, parse_id("ord", order))
    lines = [sheet_line(SHEET_HEAD), *(sheet_line(cells) for cells in sheet_rows(row, page_time()))]
    response = Response(b"".join(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = "attachment; filename=losses.csv"
    return response


def _plot(found: Losses) -> Chart | None:
    if not any(one.leads for one in found.days):
        return None
    series = [Series(gettext("won"), [one.won for one in found.days]),
              Series(gettext("lost"), [one.leads - one.won for one in found.days])]  # fmt: skip
    return line_chart(series, [format_date(one.day, "d MMM") for one in found.days], number)
