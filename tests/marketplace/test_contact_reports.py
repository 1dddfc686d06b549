"""Reports on speed to contact say what a small model in Python says."""

import math
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from core.clock import as_rfc3339
from core.db import db, transaction
from core.ids import new_id, parse_id
from marketplace.jobs import run_due
from marketplace.leads.contact_clock import store_contacts
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.contact_reports import speed_of
from tests.conftest import START, SetClock
from tests.factories import Market, Member


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


@pytest.fixture
def trade(market: Market, clock: SetClock) -> tuple[Member, Member, list[str]]:
    """Sell twelve leads a minute apart to one buyer and return publisher, buyer and the sales."""
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_order(buyer, schedule={"timezone": "Europe/Paris"})
    sales = []
    for _ in range(12):
        sales.append(publisher.post("/leads", market.lead(source={"name": "site"}))["sales"][0]["id"])
        clock.advance(minutes=1)
    run_due(clock.now())
    return publisher, buyer, sales


def test_the_report_on_speed_by_order_and_by_hour(trade: Any, clock: SetClock) -> None:
    _, buyer, sales = trade
    clock.instant = minutes(120)
    for number, waited in enumerate((1, 2, 3, 4, 60)):
        buyer.post(
            f"/sales/{sales[number]}/disposition", {"status": "attempted", "at": as_rfc3339(minutes(number + waited))}
        )
    expected = {
        "sales": 12,
        "attempted": 5,
        "in_time": 4,
        "in_time_bp": 3333,
        "median_seconds": 180,
        "p90_seconds": 3600,
    }
    [by_order] = buyer.get("/reports/contact-speed")["items"]
    [by_hour] = buyer.get("/reports/contact-speed?by=hour")["items"]
    assert by_order == expected | {"order": buyer.get("/orders")["items"][0]["id"], "hour": None}
    assert by_hour == expected | {"order": None, "hour": 11}  # 10:00 UTC is eleven o'clock in Paris


def test_a_report_holds_what_was_delivered_in_its_period(trade: Any) -> None:
    _, buyer, _ = trade
    period = f"from={as_rfc3339(minutes(3))}&to={as_rfc3339(minutes(7))}"
    assert buyer.get(f"/reports/contact-speed?{period}")["items"][0]["sales"] == 4
    assert buyer.get("/reports/contact-speed?to=2026-11-22T10:00:00Z")["items"] == []


@pytest.mark.parametrize("query", ["from=now", "to=1969-12-31T23:59:59Z", "by=user", "from=2026-11-23T00:00:00",
                                   "from=2026-11-23T00:00:00Z&to=2026-11-23T00:00:00Z", "to=0001-01-01T00:00:00%2B10:00"])  # fmt: skip
def test_a_report_of_no_period_is_refused(market: Market, query: str) -> None:
    answer = market.make_buyer("0").request("GET", f"/reports/contact-speed?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad_filter")


def test_a_publisher_sees_rates_by_source_and_none_of_few_sales(trade: Any, market: Market, clock: SetClock) -> None:
    publisher, buyer, sales = trade
    publisher.post("/leads", market.lead(source={"name": "small"}))
    run_due(clock.now())
    clock.advance(hours=1)
    for sale, status in zip(sales, ["contacted", "won", "attempted"], strict=False):
        buyer.post(f"/sales/{sale}/disposition", {"status": status, "note": "between us"})
    answer = publisher.get("/reports/contact-rate")
    assert answer["items"] == [
        {"source": "site", "sales": 12, "attempted_bp": 2500, "contacted_bp": 1666},
        {"source": "small", "sales": 1, "attempted_bp": None, "contacted_bp": None},
    ]
    assert market.make_publisher().get("/reports/contact-rate")["items"] == []
    assert buyer.request("GET", "/reports/contact-rate").status_code == 403


lines = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 48 * 60), st.none() | st.integers(-5, 30_000)), min_size=1, max_size=12
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(lines, st.integers(0, 3600))
def test_the_figures_are_those_of_a_model(trade: Any, drawn: list[tuple[int, int, int | None]], sla: int) -> None:
    _, buyer, sales = trade
    buyer_id, at = parse_id("acc", buyer.id), START + timedelta(days=2)
    orders = sorted(new_id() for _ in range(3))
    rows = [row_of(parse_id("sale", sale), buyer_id, orders[order], minutes(minute), sla, waited)
            for sale, (order, minute, waited) in zip(sales, drawn, strict=False)]  # fmt: skip
    with transaction() as session:
        session.execute(delete(SaleContact))
        store_contacts(rows)
    modelled = [
        model(key, [row for row in rows if row.order_id == key], at)
        for key in orders
        if any(row.order_id == key for row in rows)
    ]
    shown = [(one.key, one.sales, one.attempted, one.in_time, one.judged, one.median_seconds, one.p90_seconds)
             for one in speed_of(buyer_id, "order", START, START + timedelta(days=9), at)]  # fmt: skip
    assert shown == modelled
    hours = {row.delivered_hour for row in rows}
    assert [one.key for one in speed_of(buyer_id, "hour", START, START + timedelta(days=9), at)] == sorted(hours)
    db.session.rollback()


def row_of(
    sale_id: UUID, buyer_id: UUID, order: UUID, delivered_at: datetime, sla: int, waited: int | None
) -> SaleContact:
    tried_at = None if waited is None else delivered_at + timedelta(seconds=waited)
    return SaleContact(
        sale_id=sale_id, buyer_id=buyer_id, order_id=order, order_version=1, publisher_id=buyer_id,
        timezone="Europe/Paris", delivered_at=delivered_at,
        delivered_hour=delivered_at.astimezone(ZoneInfo("Europe/Paris")).hour,
        due_at=delivered_at + timedelta(seconds=sla), left_alone_at=delivered_at, first_attempt_at=tried_at,
        last_status="attempted" if tried_at else None, last_at=tried_at,
        attempts=1 if tried_at else 0, attempt_days=0,
    )  # fmt: skip


def model(key: UUID, rows: list[SaleContact], at: datetime) -> tuple[Any, ...]:
    """Work out a line of the report in the plainest way; a percentile is the least value that enough others reach."""
    tried = [(row.first_attempt_at, row) for row in rows if row.first_attempt_at is not None]
    seconds = sorted(max(int((tried_at - row.delivered_at).total_seconds()), 0) for tried_at, row in tried)
    judged = [row for row in rows if row.first_attempt_at is not None or row.due_at < at]
    in_time = [row for tried_at, row in tried if tried_at <= row.due_at]
    middle, most = (seconds[math.ceil(len(seconds) * part / 10) - 1] if seconds else None for part in (5, 9))
    return key, len(rows), len(tried), len(in_time), len(judged), middle, most


def test_a_buyer_sees_nothing_of_anothers_sales(trade: Any, market: Market) -> None:
    assert market.make_buyer("0").get("/reports/contact-speed")["items"] == []
