"""The chart of what becomes payable, shared by a publisher's balance and the operator's forecast."""

from collections.abc import Sequence
from datetime import datetime

from core.i18n import compact, day
from core.words import gettext
from marketplace.reports.pending import PendingWeek, weeks_from
from marketplace.web.charts import Chart, Series, bar_chart


def forecast_chart(weeks: Sequence[PendingWeek], at: datetime) -> Chart:
    """Lay out what becomes payable in each of the next weeks, in whole units of its currency."""
    shown = weeks_from(weeks, at)
    bars = Series(gettext("becomes payable"), [minor / 100 for _, minor in shown])
    return bar_chart(bars, [day(begins) for begins, _ in shown], compact)
