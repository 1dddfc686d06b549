"""Orders that buy only while their leads may be called: by the clock at the person, on no holiday, all year round."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.catalog.contact_rules import contact_rules, may_contact
from marketplace.catalog.regions import regions_in
from marketplace.catalog.zones import zone_of
from marketplace.leads.matching import Book
from marketplace.leads.verdicts import judge
from marketplace.orders import contact_hours
from marketplace.orders.contact_hours import may_call, never_opens, next_call
from marketplace.orders.periods import Schedule, Window, is_open
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_buyer_orders import faults, only_order, send
from tests.marketplace.test_matching import found, make_facts, make_order
from tests.marketplace.test_portal_pages import visitor_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
WORKING = Schedule("Europe/Paris", (Window((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))
REGIONS = ["FR", "ES-CN", "ES", "NL", "US", "US-CA", "VN", "BA"]
# Every minute with the variable, the quarter hours without; both meet each change of a clock, each holiday, each edge.
STEP = 1 if "LEADBOURSE_EVERY_MINUTE" in os.environ else 15

windows = st.builds(Window, st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True).map(tuple),
                    st.integers(0, 1439), st.integers(0, 1440))  # fmt: skip
schedules = st.none() | st.builds(
    Schedule, st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Ho_Chi_Minh", "UTC"]),
    st.lists(windows, min_size=1, max_size=3).map(tuple),
)  # fmt: skip


def allowed(region: str, at: datetime) -> bool:
    return may_contact(region[:2], "call", at, "opt_in", zone_of(region)).allowed


def test_every_open_minute_of_a_year_is_inside_the_rules() -> None:
    book, facts = Book([make_order(1, schedule=WORKING, contact_hours=True)]), make_facts(("FR",))
    opened = 0
    for minute in range(0, 365 * 24 * 60, STEP):
        at = NEW_YEAR + timedelta(minutes=minute)
        if found(book, facts, at):
            opened += 1
            assert is_open(WORKING, at) and allowed("FR", at), at
        else:
            assert not (is_open(WORKING, at) and allowed("FR", at)), at
    assert opened * STEP > 200 * 6 * 60


@settings(max_examples=200, deadline=None)
@given(schedules, st.sampled_from(REGIONS), st.integers(0, 2 * 365 * 24 * 60))
def test_an_order_that_keeps_the_hours_is_open_exactly_when_both_are(
    schedule: Schedule | None, region: str, minute: int
) -> None:
    at, order = NEW_YEAR + timedelta(minutes=minute), make_order(1, schedule=schedule, contact_hours=True)
    facts = make_facts((region, region[:2]))
    both = is_open(schedule, at) and allowed(region, at)
    assert bool(found(Book([order]), facts, at)) is both
    outcome, detail = judge(order.terms, facts, at)
    assert outcome == ("wanted" if both else "closed") and bool(detail) is not both


@settings(max_examples=60, deadline=None)
@given(schedules, st.sampled_from(REGIONS), st.integers(0, 365 * 24 * 60))
def test_the_next_opening_is_open_and_nothing_before_it_is(schedule: Schedule | None, region: str, minute: int) -> None:
    at = NEW_YEAR + timedelta(minutes=minute)
    opening = next_call(schedule, region, at)
    if opening is None:
        assert never_opens(schedule, [region]) or allowed(region, at) is False
        return
    assert is_open(schedule, opening) and allowed(region, opening)
    for part in range(1, 20):
        before = at + (opening - at) * part / 20
        assert before >= opening or not (is_open(schedule, before) and allowed(region, before))


@settings(max_examples=60, deadline=None)
@given(schedules, st.sampled_from(REGIONS))
def test_what_never_opens_is_closed_in_every_minute_of_a_week(schedule: Schedule | None, region: str) -> None:
    week = [datetime(2027, 1, 11, tzinfo=UTC) + timedelta(minutes=minute) for minute in range(0, 7 * 24 * 60, 3)]
    opens = any(is_open(schedule, at) and allowed(region, at) for at in week)
    assert not (opens and never_opens(schedule, [region]))


def test_nobody_keeps_us_busy_with_hours_that_never_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counted(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        assert asked < 20_000
        return may_contact(*given)

    monkeypatch.setattr(contact_hours, "may_contact", counted)
    contact_hours._may_call.cache_clear()
    nights = tuple(Window(tuple(range(7)), 2 * minute, 2 * minute + 1) for minute in range(100))  # 00:00 to 03:20
    everywhere = [each.code for country in ("BE", "DE", "ES", "FR", "GB", "NL") for each in regions_in(country)]
    assert never_opens(Schedule("Europe/Paris", nights), everywhere[:1000])


def test_the_hours_hold_on_holidays_and_through_changes_of_the_clock() -> None:
    assert may_call("FR", datetime(2026, 7, 15, 9, 0, tzinfo=UTC)) and not may_call(
        "FR", datetime(2026, 7, 14, 9, 0, tzinfo=UTC)
    )
    assert not may_call("FR", datetime(2026, 3, 27, 8, 59, tzinfo=UTC)) and may_call(
        "FR", datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
    )
    assert (
        not any(may_call("DE-BE", NEW_YEAR + timedelta(hours=hour)) for hour in range(400)) or "DE" in contact_rules()
    )


def placed(buyer: Member, **terms: Any) -> Any:
    body = {"name": "an order", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
    return buyer.request("POST", "/orders", body | terms)


@pytest.mark.parametrize(
    ("regions", "windows", "field"),
    [
        (["FR"], [{"days": ["sun"], "from": "00:00", "to": "24:00"}], "schedule.windows"),
        (["FR-IDF"], [{"days": ["mon"], "from": "13:00", "to": "14:00"}], "schedule.windows"),
        (["DE"] if "DE" not in contact_rules() else ["AQ"], None, "schedule.windows"),
    ],
)
def test_hours_that_never_open_are_refused(market: Market, regions: list[str], windows: Any, field: str) -> None:
    buyer, schedule = market.make_buyer(), {"timezone": "Europe/Paris", "windows": windows}
    answer = placed(buyer, regions=regions, contact_hours=True, schedule=schedule)
    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json["errors"]] == [(field, "never_opens")]
    assert placed(buyer, regions=regions, schedule=schedule).status_code == 201  # who does not promise may buy


def test_an_order_opens_with_the_hours_for_calls_and_says_so(market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer(), market.make_publisher()
    assert placed(buyer, contact_hours=True).status_code == 201  # it is a Sunday
    lead = publisher.post("/leads", market.lead(region="FR"))
    [told] = market.make_operator().get(f"/leads/{lead['id']}/why")["items"]
    assert (lead["status"], told["outcome"]) == ("unsold", "closed")
    assert told["detail"] == "People of FR may not be called at this hour; the order opens 2026-11-23T09:00+00:00."
    clock.advance(days=1)
    assert publisher.post("/leads", market.lead(region="FR", contact={"email": "b@example.com"}))["status"] == "sold"


def test_a_new_order_of_the_editor_keeps_the_hours(market: Market) -> None:
    buyer = market.make_buyer()
    visitor = visitor_of(market, buyer)
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="x", price="20", regions="FR")
    assert answer.status_code == 302, faults(answer)
    assert only_order(buyer)["contact_hours"] is True
    late = send(visitor, f"/buyer/orders/{only_order(buyer)['id']}", windows__0__from_="21:00", windows__0__to="22:00")
    assert "In no minute of the week" in faults(late)[0]
