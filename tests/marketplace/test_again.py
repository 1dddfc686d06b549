"""Leads that nobody bought are offered again, to whom their age suits, at a price that falls, by decisions of their own."""

from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.ids import parse_id
from marketplace.cli.accounts import credit_by_hand
from marketplace.jobs import settle_due
from marketplace.leads.again.due import STEPS
from marketplace.leads.replay import replays
from tests.at_once import at_once
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_suppression import send, sha

UP_TO_90_DAYS = {"from": 0, "to": 90}


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def offer(clock: SetClock) -> int:
    """Let everything that is due of leads offered again be done."""
    return settle_due(clock.now(), STEPS)["offers_again"]


def bought(buyer: Member) -> list[str]:
    return [sale["price"]["amount"] for sale in reversed(buyer.get("/sales")["items"])]


def test_an_order_that_comes_later_buys_what_nobody_bought(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead())
    assert (lead["status"], offer(clock)) == ("unsold", 0)
    clock.advance(hours=3)
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(buyer) == ["20.00"]
    assert publisher.get(f"/leads/{lead['id']}")["status"] == "sold"
    with transaction():
        assert [one.is_same for one in replays(parse_id("lead", lead["id"]))] == [True, True]


def price_at(market: Market, publisher: Member, clock: SetClock, days: int, **terms: Any) -> list[str]:
    """Return what an order that buys up to 90 days pays for a lead so many days old."""
    publisher.post("/leads", market.lead())
    clock.advance(days=days)
    buyer = market.make_buyer()
    market.make_order(buyer, "40.00", **({"age": UP_TO_90_DAYS} | terms))
    offer(clock)
    return bought(buyer)


@pytest.mark.parametrize(("days", "price"), [(0, "40.00"), (1, "20.00"), (7, "20.00"), (8, "8.00"), (31, "3.20")])
def test_the_price_falls_with_the_age(
    market: Market, publisher: Member, clock: SetClock, days: int, price: str
) -> None:
    assert price_at(market, publisher, clock, days) == [price]


def test_an_order_for_aged_leads_alone_pays_what_it_says_and_buys_none_as_they_come(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "7.00", age={"from": 1, "to": 7})
    lead = publisher.post("/leads", market.lead())
    assert (lead["status"], offer(clock), bought(buyer)) == ("unsold", 3, [])
    told = publisher.get(f"/leads/{lead['id']}/why")["items"]
    assert [one["outcome"] for one in told] == ["age"]
    clock.advance(days=1)
    offer(clock)
    assert bought(buyer) == ["7.00"]


def test_an_order_that_says_nothing_of_ages_buys_leads_as_they_come_only(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    publisher.post("/leads", market.lead())
    market.make_order(buyer)
    clock.advance(minutes=5)
    offer(clock)
    assert bought(buyer) == []
    publisher.post("/leads", market.lead())
    assert bought(buyer) == ["20.00"]


def standing(publisher: Member, lead: Any) -> tuple[str, str | None]:
    said = publisher.get(f"/leads/{lead['id']}/offering")
    return said["state"], said["why"]


def test_when_the_consent_is_too_old_it_is_over(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead())
    clock.advance(days=90)
    market.make_order(buyer, age={"from": 0, "to": 200})
    offer(clock)
    assert (bought(buyer), standing(publisher, lead)) == ([], ("ended", "consent_expired"))


def test_a_publisher_switches_it_off_and_on_for_a_lead_and_for_a_source(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    one, other = (publisher.post("/leads", market.lead()) for _ in range(2))
    offer(clock)
    assert publisher.request("PUT", f"/leads/{one['id']}/offering", {"offered": False}).json["state"] == "off"
    rule = {"source": "default", "vertical": "education", "offered_again": False}
    assert publisher.request("PUT", "/source-rules", rule).status_code == 200
    assert standing(publisher, other) == ("off", "source_off")
    late = publisher.post("/leads", market.lead())
    market.make_order(buyer, age=UP_TO_90_DAYS)
    offer(clock)
    assert (bought(buyer), standing(publisher, late)) == ([], ("off", "source_off"))
    assert publisher.request("PUT", "/source-rules", rule | {"offered_again": True}).status_code == 200
    offer(clock)
    assert (len(bought(buyer)), standing(publisher, one)) == (2, ("off", "publisher_off"))
    publisher.request("PUT", f"/leads/{one['id']}/offering", {"offered": True})
    offer(clock)
    assert len(bought(buyer)) == 3


def test_the_publishers_floor_holds_unless_he_names_one_for_aged_leads(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    buyer, rule = market.make_buyer(), {"source": "default", "vertical": "education"}
    floor = {"min_price": {"amount": "10.00", "currency": "EUR"}}
    lead = publisher.post("/leads", market.lead(**floor))
    market.make_order(buyer, "20.00", age={"from": 0, "to": 90}, regions=["FR"], caps={"day": 5}, status="paused")
    clock.advance(days=1)
    order = buyer.get("/orders")["items"][0]
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "active"})
    offer(clock)
    assert bought(buyer) == []
    said = publisher.request("PUT", "/source-rules", rule | {"aged_min_price": {"amount": "2.00", "currency": "EUR"}})
    assert said.json["aged_min_price"]["amount"] == "2.00"
    buyer.request("PATCH", f"/orders/{order['id']}", {"name": "again"})
    offer(clock)
    assert bought(buyer) == ["10.00"]
    assert publisher.get(f"/leads/{lead['id']}")["sales"][0]["payout"]["amount"] == "7.00"


def test_each_offer_is_told_with_its_instant_and_the_first_decision_stays(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead())
    first = publisher.get(f"/leads/{lead['id']}/why")["items"]
    clock.advance(hours=1)
    poor = market.make_buyer("0")
    market.make_order(poor, "50.00", age=UP_TO_90_DAYS)
    offer(clock)
    clock.advance(hours=1)
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    offers = publisher.get(f"/leads/{lead['id']}/offers")["items"]
    assert [(one["number"], one["at"], one["outcome"], one["sales"]) for one in offers] == [
        (1, "2026-11-22T11:00:00Z", "unsold", 0),
        (2, "2026-11-22T12:00:00Z", "sold", 1),
    ]
    told = [publisher.get(one["why"].removeprefix("/api/v1"))["items"] for one in offers]
    assert [[one["outcome"] for one in each] for each in told] == [["no_funds"], ["no_funds", "sold"]]
    assert publisher.get(f"/leads/{lead['id']}/why")["items"] == first == []
    with transaction():
        found = replays(parse_id("lead", lead["id"]))
    assert len(found) == 3 and all(one.is_same for one in found)


def test_money_wakes_what_lacked_it(market: Market, publisher: Member, clock: SetClock) -> None:
    poor = market.make_buyer("0")
    market.make_order(poor, "20.00", age=UP_TO_90_DAYS)
    publisher.post("/leads", market.lead())
    offer(clock)
    assert (bought(poor), offer(clock)) == ([], 0)
    credit_by_hand(poor.id, "30.00", "EUR", "for a test")
    offer(clock)
    assert bought(poor) == ["20.00"]


def test_a_period_that_opens_again_wakes_what_its_cap_kept_away_and_no_more(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS, caps={"day": 2})
    for _ in range(6):
        publisher.post("/leads", market.lead())
    for day in range(1, 4):
        offer(clock)
        assert len(bought(buyer)) == min(2 * day, 6)
        clock.advance(days=1)


def test_whoever_was_sold_meanwhile_is_not_sold_again(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = market.lead()
    kept = publisher.post("/leads", lead)
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    assert market.make_publisher().post("/leads", lead)["status"] == "sold"
    offer(clock)
    assert (len(bought(buyer)), standing(publisher, kept)) == (1, ("ended", "duplicate"))


def test_a_buyer_whose_list_names_the_person_by_now_is_not_asked(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead(contact={"email": "ada@example.com"}))
    clock.advance(hours=1)
    send(buyer, sha("ada@example.com"), query="suppress=true")
    market.make_order(buyer, "20.00", age=UP_TO_90_DAYS)
    offer(clock)
    assert bought(buyer) == []
    assert buyer.request("GET", f"/leads/{lead['id']}/why").status_code == 404


def test_two_workers_at_once_sell_each_lead_once(
    app: Flask, market: Market, publisher: Member, clock: SetClock
) -> None:
    leads = [publisher.post("/leads", market.lead()) for _ in range(6)]
    buyers = [market.make_buyer("55.00") for _ in range(3)]
    for buyer in buyers:
        market.make_order(buyer, "20.00", age=UP_TO_90_DAYS, exclusivity="shared", max_share=2)
    clock.advance(minutes=1)

    def work() -> None:
        with app.app_context():
            offer(clock)

    at_once([work] * 4)
    offer(clock)
    assert [len(bought(buyer)) for buyer in buyers] == [2, 2, 2]
    shares = [len(publisher.get(f"/leads/{lead['id']}")["sales"]) for lead in leads]
    assert sum(shares) == 6 and max(shares) <= 2


def test_an_order_at_its_cap_wakes_nothing_when_it_is_changed(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer, "20.00", age=UP_TO_90_DAYS, caps={"day": 1})
    leads = [publisher.post("/leads", market.lead()) for _ in range(3)]
    offer(clock)

    def offers() -> int:
        return sum(len(publisher.get(f"/leads/{lead['id']}/offers")["items"]) for lead in leads)

    before = offers()
    buyer.request("PATCH", f"/orders/{order['id']}", {"name": "another name"})
    offer(clock)
    assert (len(bought(buyer)), offers()) == (1, before)
