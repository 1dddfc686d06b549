"""Sales by further offers in a run: as they happened, unless the lead stands otherwise or the order can buy no more."""

from datetime import timedelta
from typing import Any

import pytest

from core.db import db
from marketplace.what_if.counting import Bought
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.test_again import UP_TO_90_DAYS, offer
from tests.marketplace.what_if.day import euros
from tests.marketplace.what_if.test_what_if import FIGURES, again, recorded

END = START + timedelta(days=60)
CONSENTED = {"resale": True}


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def resalable(market: Market) -> dict[str, Any]:
    lead = market.lead()
    return lead | {"consent": lead.get("consent", {}) | CONSENTED}


def run(change: Any = None, since: Any = START, **how: Any) -> Any:
    db.session.rollback()
    return again(change, since, END, **how)


def live(market: Market, clock: SetClock, publisher: Member) -> dict[str, Any]:
    """Let weeks pass in which leads are sold as they come, when they are older, and a second time."""
    made = {
        "fresh": market.make_order(market.make_buyer("60.00"), "20.00"),
        "aged": market.make_order(market.make_buyer("60.00"), "16.00", age={"from": 0, "to": 90}, caps={"total": 5}),
        "old": market.make_order(market.make_buyer(), "5.00", age={"from": 1, "to": 60, "resold": True}),
    }
    for number in range(14):
        clock.advance(minutes=30)
        publisher.post("/leads", resalable(market) if number % 2 else market.lead())
    for _ in range(12):
        clock.advance(days=3)
        offer(clock)
    return made


def test_weeks_with_further_sales_come_out_as_they_were_to_the_cent(
    market: Market, clock: SetClock, publisher: Member, database_url: str
) -> None:
    live(market, clock, publisher)
    sales = ask(database_url, "SELECT resale > 0, count(*) FROM marketplace.further_sales GROUP BY 1 ORDER BY 1")
    assert [row[0] for row in sales] == [False, True]
    instants = [row[0] for row in ask(database_url, "SELECT received_at FROM marketplace.leads ORDER BY received_at")]
    for since in (START, instants[5], instants[9]):
        for how in ({}, {"by_model": True}):
            report = run(None, since, **how)
            [vertical] = report["verticals"]
            assert {name: vertical["happened"][name] for name in FIGURES} == recorded(database_url, since, END)
            assert vertical["what_if"] == vertical["happened"] and report["decided"]["otherwise"] == 0, (since, how)
            told = report["further_sales"]
            assert told["happened"] == told["what_if"] > 0 and not told["left_out"] and not told["of_changed_orders"]


def test_a_lead_that_is_sold_as_it_comes_is_not_sold_later_and_one_that_nobody_has_is_not_resold(
    market: Market, clock: SetClock, publisher: Member
) -> None:
    buyer = market.make_buyer("20.00")
    before = market.make_order(buyer, "20.00")
    for _ in range(2):
        clock.advance(minutes=5)
        publisher.post("/leads", resalable(market))  # the second finds no money
    clock.advance(days=2)
    old = market.make_buyer()
    market.make_order(old, "5.00", age={"from": 1, "to": 60, "resold": True})
    for _ in range(6):
        offer(clock)
        clock.advance(days=5)
    assert len(old.get("/sales")["items"]) == 2
    richer = run({"funds": [{"buyer": buyer.id, "amount": euros("20.00")}]})
    assert richer["further_sales"]["left_out"] == {"sold_already": 1}
    assert richer["verticals"][0]["what_if"]["sales"] == 3
    without = run({"orders": {before["id"]: {"status": "paused"}}})
    assert without["further_sales"]["left_out"] == {"nobody_has_it": 1}
    assert without["verticals"][0]["what_if"]["sales"] == 1


def test_a_further_sale_needs_its_order_and_what_that_can_pay(
    market: Market, clock: SetClock, publisher: Member
) -> None:
    lead, buyer = publisher.post("/leads", market.lead()), market.make_buyer()
    clock.advance(hours=3)
    order = market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert lead["status"] == "unsold"
    for change, left_out, sold in (
        ({"status": "paused"}, {"not_active": 1}, 0), ({"price": euros("30.00")}, {}, 1),
        ({"caps": {"total": 1}}, {}, 1), ({"budget": {"total": euros("19.99")}}, {"capped": 1}, 0),
    ):  # fmt: skip
        found = run({"orders": {order["id"]: change}})
        assert found["further_sales"]["left_out"] == left_out and found["verticals"][0]["what_if"]["sold"] == sold
        assert found["further_sales"]["of_changed_orders"] == (sold and 1)
        assert found["verticals"][0]["what_if"]["reasons"] == ({} if sold else {"no_order": 1})


def test_a_person_counts_as_sold_from_the_further_sale_on(market: Market, clock: SetClock, publisher: Member) -> None:
    ada = {"first_name": "Ada", "email": "ada@example.com"}
    publisher.post("/leads", market.lead(contact=ada))
    clock.advance(minutes=5)
    first = publisher.post("/leads", market.lead(contact=ada))  # nobody has her so far: unsold, and no duplicate
    clock.advance(hours=3)
    market.make_order(market.make_buyer(), "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    since = clock.now()
    clock.advance(minutes=5)
    assert publisher.post("/leads", market.lead(contact=ada))["reasons"] == ["duplicate"]
    assert first["status"] == "unsold"
    for start in (START, since):
        for how in ({}, {"by_model": True}):
            found = run(None, start, **how)
            assert found["verticals"][0]["what_if"] == found["verticals"][0]["happened"]
            assert found["decided"]["otherwise"] == 0


def test_what_was_bought_long_ago_counts_for_a_target_share() -> None:
    bought = Bought()
    bought.add_long_ago(5, 5000, START)
    bought.count(1000, START + timedelta(days=40))
    assert (bought.received, bought.total_leads, bought.total_spend) == (6, 6, 6000)
