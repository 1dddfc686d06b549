"""Days of a report: what the database counts by parts, against the same counted one by one."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, column, func, select, text, values

from core.db import db
from marketplace.reports.days import SHOWN, by_day, cuts_since, day_of, start_of_day
from tests.factories import Market

LAST = datetime(2026, 11, 29, 23, 59, 59, 999_999, tzinfo=UTC)
BACK = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=SHOWN))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.timedeltas(timedelta(0), timedelta(days=1)).map(LAST.__sub__), backs=st.lists(BACK, max_size=30))
@example(at=LAST, backs=[timedelta(0), timedelta(days=1), timedelta(days=1, microseconds=-1)])
@example(at=start_of_day(LAST), backs=[timedelta(0), timedelta(days=1), timedelta(days=1, microseconds=1)])
def test_parts_add_up_to_days_and_to_yesterday_at_this_time(
    at: datetime, backs: list[timedelta], market: Market
) -> None:
    since = start_of_day(at) - timedelta(days=SHOWN - 1)
    cuts, instants = cuts_since(since, at), [at - back for back in backs if at - back >= since]
    found = by_day(counted(instants, cuts), cuts, at)
    yesterday = at.date() - timedelta(days=1)
    for day in (since.date() + timedelta(days=each) for each in range(SHOWN)):
        assert found.get(day, 0) == sum(instant.date() == day for instant in instants)
    early = sum(instant.date() == yesterday and instant <= at - timedelta(days=1) for instant in instants)
    assert found[None] == early


def counted(instants: list[datetime], cuts: list[datetime]) -> list[tuple[int, int]]:
    if not instants:
        return []
    when = column("at", DateTime(timezone=True))
    rows = values(when, name="instants").data([(instant,) for instant in instants])
    query = select(day_of(when), func.count()).select_from(rows).group_by(text("1"))
    return [(part, count) for part, count in db.session.execute(query, {"cuts": cuts})]
