"""The operator's forecast: what becomes payable to publishers by week, beside what is payable and on its way now."""

from flask import render_template

from billing import earnings_together
from core.actors import Person, page
from core.pages import page_time
from marketplace.reports.kept import kept
from marketplace.reports.pending import pending_weeks
from marketplace.web.chrome import CURRENCY
from marketplace.web.forecasts import forecast_chart
from marketplace.web.operator.routes import operator


@operator.get("/forecast")
@page("operator")
def forecast(_: Person) -> str:
    """Show what money goes out when, if nothing more is sold and nothing returned; counted every few minutes."""
    weeks = kept(("forecast", CURRENCY), page_time(), lambda: pending_weeks(CURRENCY))
    return render_template(
        "marketplace/operator/forecast.html", weeks=weeks.value, counted_at=weeks.counted_at, currency=CURRENCY,
        earned=earnings_together(CURRENCY), chart_data=forecast_chart(weeks.value, page_time()),
    )  # fmt: skip
