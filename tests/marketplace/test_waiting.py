"""Leads that nobody buys wait for an order that only its cap or hours kept from them, and are sold to it exactly once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from core.db import transaction
from core.ids import parse_id
from marketplace.leads.replay import replays
from tests.at_once import at_once, no_deadlocks
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.aged import WAITING
from tests.marketplace.test_again import bought, offer, standing


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


def post(market: Market, publisher: Member, leads: int = 1) -> list[Any]:
    return [publisher.post("/leads", market.lead()) for _ in range(leads)]


def test_a_lead_waits_for_the_next_period_and_its_publisher_is_told_until_when(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1}, **WAITING)
    _, lead = post(market, publisher, 2)
    offer(clock)
    said = publisher.get(f"/leads/{lead['id']}/offering")
    assert (lead["status"], said["state"], said["waiting_until"]) == ("unsold", "open", "2026-11-23T10:00:00Z")
    clock.advance(hours=13, minutes=59)
    offer(clock)
    assert bought(buyer) == ["20.00"]
    clock.advance(minutes=1)
    offer(clock)
    assert bought(buyer) == ["20.00", "20.00"]
    offers = publisher.get(f"/leads/{lead['id']}/offers")["items"]
    assert [one["kind"] for one in offers if one["sales"]] == ["waiting"]
    with transaction():
        assert all(one.is_same for one in replays(parse_id("lead", lead["id"])))


def test_it_is_sold_to_whoever_can_buy_it_now(market: Market, publisher: Member, buyer: Member) -> None:
    other = market.make_buyer()
    market.make_order(buyer, "30.00", caps={"day": 1}, **WAITING)
    market.make_order(other, "20.00")
    post(market, publisher, 2)
    assert (bought(buyer), bought(other)) == (["30.00"], ["20.00"])


def test_it_waits_for_hours_that_open(market: Market, publisher: Member, buyer: Member, clock: SetClock) -> None:
    hours = {"timezone": "UTC", "windows": [{"days": ["sun"], "from": "12:00", "to": "13:00"}]}
    market.make_order(buyer, "20.00", schedule=hours, at_cap="wait")
    post(market, publisher)
    offer(clock)
    clock.advance(hours=2)
    offer(clock)
    assert bought(buyer) == ["20.00"]


def test_it_waits_no_longer_than_the_order_says(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1}, at_cap="wait", wait_hours=4)
    post(market, publisher, 2)
    offer(clock)
    clock.advance(hours=14)
    offer(clock)
    assert bought(buyer) == ["20.00"]


def test_a_place_that_is_over_is_none_whoever_wakes_the_lead(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1}, at_cap="wait", wait_hours=4)
    post(market, publisher, 2)
    offer(clock)
    clock.advance(hours=14)
    market.make_order(market.make_buyer("5.00"), "30.00", age={"from": 0, "to": 90})
    offer(clock)
    assert bought(buyer) == ["20.00"]


def test_it_waits_for_nobody_when_its_source_says_so(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    publisher.request("PUT", "/source-rules", {"source": "default", "vertical": "education", "waits": False})
    market.make_order(buyer, "20.00", caps={"day": 1}, **WAITING)
    _, lead = post(market, publisher, 2)
    offer(clock)
    assert publisher.get(f"/leads/{lead['id']}/offering")["waiting_until"] is None
    clock.advance(hours=14)
    offer(clock)
    assert (bought(buyer), standing(publisher, lead)[0]) == (["20.00"], "open")


def test_an_order_at_its_cap_that_takes_the_next_keeps_no_place(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", caps={"day": 1})
    post(market, publisher, 2)
    offer(clock)
    clock.advance(hours=14)
    assert (offer(clock), bought(buyer)) == (0, ["20.00"])


def test_a_cap_that_is_raised_ends_the_waiting(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer, "20.00", caps={"day": 1}, **WAITING)
    post(market, publisher, 3)
    offer(clock)
    clock.advance(hours=1)
    buyer.request("PATCH", f"/orders/{order['id']}", {"caps": {"day": 2}})
    offer(clock)
    assert len(bought(buyer)) == 2


def test_a_period_that_opens_under_eight_writers_is_filled_exactly(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock, database_url: str
) -> None:
    for cap in (3, 5):
        market.make_order(buyer if cap == 3 else market.make_buyer("9000.00"), "20.00", caps={"day": cap}, **WAITING)
    order = buyer.get("/orders")["items"][0]
    post(market, publisher, 14)
    offer(clock)
    clock.advance(hours=14)
    leads = [market.lead(consent={"text": "Yes.", "given_at": as_rfc3339(clock.now() - timedelta(minutes=1))})
             for _ in range(4)]  # fmt: skip

    def work(number: int) -> None:
        with app.app_context():
            if number % 2:
                publisher.post("/leads", leads[number // 2])
            elif number > 3:
                buyer.request("PATCH", f"/orders/{order['id']}", {"name": f"changed {number}"})
            else:
                offer(clock)

    with no_deadlocks(database_url, app):
        at_once([lambda number=number: work(number) for number in range(8)], 8)  # type: ignore[misc]
    clock.advance(minutes=2)  # who met an order as it changed is looked at once more a minute later
    offer(clock)
    shown = [publisher.get(f"/leads?status={status}")["items"] for status in ("sold", "unsold")]
    assert [len(items) for items in shown] == [16, 2]
    assert len(bought(buyer)) == 6


def test_an_order_that_was_not_there_when_a_lead_came_keeps_no_place(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    post(market, publisher)
    clock.advance(hours=1)
    hours = {"timezone": "UTC", "windows": [{"days": ["sun"], "from": "12:00", "to": "13:00"}]}
    market.make_order(buyer, "20.00", schedule=hours, at_cap="wait")
    offer(clock)
    clock.advance(hours=1)
    offer(clock)
    assert bought(buyer) == []
