"""The page a publisher begins the day with: posted, sold, refused and why, what it pays, and the latest leads."""

from flask import render_template, request
from flask_babel import format_date

from core.actors import Person, page
from core.http import filter_of
from core.i18n import compact
from core.keyset import read_asked
from core.pages import page_time
from core.words import gettext
from marketplace.leads.queries import sales_of_leads
from marketplace.reports.publisher_today import SORTS, Today, latest_leads, today_of
from marketplace.web.charts import Chart, Series, line_chart
from marketplace.web.chrome import CURRENCY, balance_here
from marketplace.web.publisher.routes import publisher
from marketplace.web.words import LEAD_STATUSES, STATES


@publisher.get("/today")
@page("publisher")
def today(person: Person) -> str:
    """Show the day so far, fourteen days, and the latest leads."""
    asked, status = read_asked(request.args, SORTS, "-received"), filter_of("status", LEAD_STATUSES)
    day = today_of(person.account_id, CURRENCY, page_time())
    leads = latest_leads(person.account_id, asked, status)
    return render_template(
        "marketplace/publisher/today.html", day=day, chart_data=_chart(day), leads=leads, status=status,
        statuses=[(one, STATES[one].says) for one in LEAD_STATUSES], currency=CURRENCY, balance=balance_here(person),
        sales=sales_of_leads([lead.id for lead in leads.rows]),
    )  # fmt: skip


def _chart(day: Today) -> Chart:
    times = [format_date(each, "d MMM") for each in day.days]
    series = [Series(gettext("posted"), day.posted.days), Series(gettext("sold"), day.sold.days)]
    return line_chart(series, times, compact)
