"""How what is held looks from outside, in the shapes of `answers_pending`."""

from collections.abc import Sequence

from core.ids import show_id
from marketplace.reports.pending import WHY, HeldPart, PendingWeek
from marketplace.web.api.answers_pending import HeldShown, PendingShown, WeekShown
from marketplace.web.api.shown import amount, instant_or_none, money


def pending(weeks: Sequence[PendingWeek], part: HeldPart, currency: str) -> PendingShown:
    """Show what is held by week, and one part of it line by line."""
    return PendingShown(
        currency=currency, together=amount(sum(week.together.minor for week in weeks), currency),
        weeks=[
            WeekShown(begins=week.begins, sales=week.sales, disputed=week.disputed, from_sales=money(week.from_sales),
                      from_reserve=money(week.from_reserve), together=money(week.together))
            for week in weeks
        ],
        items=[
            HeldShown(kind=one.kind, sale=show_id("sale", one.sale_id), amount=money(one.amount), why=one.why,
                      why_said=WHY[one.why], until=instant_or_none(one.until))
            for one in part.rows
        ],
        next_cursor=part.next_cursor,
    )  # fmt: skip
