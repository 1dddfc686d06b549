"""Limits over all orders of a buyer: exact under races, counted from what was bought, lifted again, and told of."""

from collections import Counter
from threading import Event
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.ids import parse_id
from marketplace.leads.delivery.outcomes import give_up
from marketplace.leads.replay import replay
from marketplace.orders.buyer_limits import BuyerCapsBody, BuyerLimitsBody
from marketplace.orders.limiting import set_buyer_limits
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def limit(buyer: Member, **limits: Any) -> Any:
    """Say the limits over all orders of a buyer; what comes back is the answer's body."""
    answer = buyer.request("PUT", "/buyer-limits", limits)
    assert answer.status_code == 200, answer.text
    return answer.json


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def post(publisher: Member, market: Market, leads: int = 1, **said: Any) -> list[str]:
    return [publisher.post("/leads", market.lead(**said))["status"] for _ in range(leads)]


def test_a_cap_holds_over_all_orders_of_a_buyer_and_the_next_buyer_gets_what_is_left(
    market: Market, publisher: Member
) -> None:
    buyer, other = market.make_buyer(), market.make_buyer()
    for price in ("20.00", "19.00", "18.00"):
        market.make_order(buyer, price)
    market.make_order(other, "5.00")
    limit(buyer, caps={"day": 2})
    prices = [publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] for _ in range(4)]
    assert prices == ["20.00", "20.00", "5.00", "5.00"]
    assert limit(buyer, caps={"day": 3})["used"]["day"] == {"leads": 2, "spent": None}


def test_each_side_is_told_why_and_the_decision_replays_to_the_same_bytes(
    app: Flask, market: Market, publisher: Member
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer)
    limit(buyer, timezone="Europe/Paris", caps={"week": 1}, budget={"total": eur("900.00")})
    first, second = (publisher.post("/leads", market.lead())["id"] for _ in range(2))
    [told] = market.make_operator().get(f"/leads/{second}/why")["items"]
    assert (told["order"], told["outcome"], told["detail"]) == (
        order["id"],
        "buyer_capped",
        "Reached: week cap 1 of 1.",
    )
    assert [one["outcome"] for one in publisher.get(f"/leads/{second}/why")["items"]] == ["capped"]
    with app.app_context():
        assert all(replay(parse_id("lead", lead)).is_same for lead in (first, second))


def test_what_was_bought_before_counts_and_a_budget_counts_its_currency(market: Market, publisher: Member) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, "20.00")
    assert post(publisher, market, 3) == ["sold"] * 3
    said = limit(buyer, budget={"day": eur("95.00"), "month": eur("500.00")})
    assert said["used"]["day"] == {"leads": 3, "spent": eur("60.00")}
    market.make_order(buyer, "10.00")
    assert post(publisher, market, 3) == ["sold"] * 2 + ["unsold"]  # 20.00, then 10.00, then 95.00 is too little
    assert buyer.get("/buyer-limits")["used"]["day"]["spent"] == eur("90.00")


def test_lifted_limits_hold_no_more_and_limits_said_again_count_what_came_meanwhile(
    market: Market, publisher: Member
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer)
    limit(buyer, caps={"day": 1})
    assert post(publisher, market, 2) == ["sold", "unsold"]
    assert limit(buyer)["timezone"] is None
    assert post(publisher, market, 2) == ["sold", "sold"]
    assert limit(buyer, caps={"day": 4})["used"]["day"]["leads"] == 3
    assert post(publisher, market, 2) == ["sold", "unsold"]


def test_a_new_order_is_limited_at_once_and_one_limited_for_the_first_time_counts_its_day(
    market: Market, publisher: Member
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer)
    assert post(publisher, market, 2) == ["sold", "sold"]
    limit(buyer, caps={"day": 3})
    market.make_order(buyer, "30.00")
    assert post(publisher, market, 2) == ["sold", "unsold"]
    limit(buyer)
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"caps": {"day": 3}}).status_code == 200
    buyer.request("PATCH", f"/orders/{buyer.get('/orders')['items'][0]['id']}", {"status": "paused"})
    assert post(publisher, market, 2) == ["sold", "unsold"]


def test_periods_begin_by_the_buyers_clock_whatever_that_of_his_orders(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, schedule={"timezone": "America/New_York"}, caps={"day": 9})
    clock.instant = clock.instant.replace(hour=14, minute=59)
    limit(buyer, timezone="Asia/Tokyo", caps={"day": 1})
    assert post(publisher, market, 2) == ["sold", "unsold"]
    clock.advance(minutes=1)  # midnight in Tokyo
    assert post(publisher, market, 2) == ["sold", "unsold"]
    limit(buyer, timezone="Europe/Paris", caps={"day": 3})  # whose day began before both
    assert post(publisher, market, 2) == ["sold", "unsold"]


def test_what_is_refused_at_its_delivery_counts_no_more_and_what_is_disputed_does(
    app: Flask, market: Market, publisher: Member, clock: SetClock, database_url: str
) -> None:
    buyer, operator = market.make_buyer(), market.make_operator()
    market.make_order(buyer, delivery={"kind": "webhook", "url": "https://buyer.example/leads"})
    limit(buyer, caps={"day": 2}, budget={"day": eur("40.00")})
    assert post(publisher, market, 3) == ["sold", "sold", "unsold"]
    sale = parse_id("sale", buyer.get("/sales")["items"][0]["id"])
    with app.app_context(), transaction():
        give_up(sale, "failed", "nobody there", clock.now())
    assert buyer.get("/buyer-limits")["used"]["day"] == {"leads": 1, "spent": eur("20.00")}
    market.make_order(buyer, "19.00")
    buyer.request("PATCH", f"/orders/{buyer.get('/orders')['items'][1]['id']}", {"status": "paused"})
    lead = publisher.post("/leads", market.lead())
    dispute = buyer.post(f"/sales/{lead['sales'][0]['id']}/disputes", {"reason": "bot"})
    operator.post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    assert buyer.get("/buyer-limits")["used"]["day"] == {"leads": 2, "spent": eur("39.00")}
    [[leads]] = ask(database_url, "SELECT sum(total_leads)::int FROM marketplace.order_counters")
    assert leads == 2
    assert post(publisher, market) == ["unsold"]


def test_contradictory_limits_and_unknown_zones_are_named_all_at_once(market: Market) -> None:
    buyer = market.make_buyer()
    answer = buyer.request("PUT", "/buyer-limits", {
        "timezone": "Mars/Olympus", "caps": {"day": 9, "month": 5, "hour": 0},
        "budget": {"week": eur("50.00"), "total": eur("49.99")},
    })  # fmt: skip
    assert answer.status_code == 422 and answer.json["code"] == "invalid_limits"
    assert {(one["field"], one["code"]) for one in answer.json["errors"]} == {
        ("timezone", "unknown_timezone"), ("caps.hour", "out_of_range"), ("caps.day", "contradicts"),
        ("budget.week.amount", "contradicts"),
    }  # fmt: skip
    two = {"day": eur("5.00"), "week": {"amount": "50.00", "currency": "USD"}}
    answer = buyer.request("PUT", "/buyer-limits", {"budget": two})
    assert [(one["field"], one["code"]) for one in answer.json["errors"]] == [
        ("budget.week.currency", "wrong_currency")
    ]
    assert buyer.get("/buyer-limits")["timezone"] is None


def test_a_budget_below_every_price_is_kept_with_a_warning(market: Market) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer, "20.00")
    said = limit(buyer, budget={"day": eur("19.99"), "week": eur("20.00")})
    assert [(one["field"], one["code"]) for one in said["warnings"]] == [("budget.day", "budget_below_price")]


def test_under_a_race_neither_more_nor_less_is_bought_and_nobody_waits_in_a_circle(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    first, second, third = (market.make_buyer("9000.00") for _ in range(3))
    for buyer in (first, second):
        for price in ("10.00", "10.00", "11.00"):
            market.make_order(buyer, price, exclusivity="shared", max_share=3)
            market.make_order(buyer, price)
    market.make_order(third, "9.00")
    limit(first, caps={"hour": 30, "day": 30})
    limit(second, budget={"day": eur("200.00")})
    with no_deadlocks(database_url, app):
        answers = at_once([lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(120)])
    assert Counter(answer["status"] for answer in answers) == {"sold": 120}
    bought = ask(database_url, "SELECT count(*)::int, sum(price_minor)::int FROM marketplace.sales WHERE buyer_id = %s",
                 parse_id("acc", first.id))  # fmt: skip
    spent = ask(database_url, "SELECT sum(price_minor)::int FROM marketplace.sales WHERE buyer_id = %s",
                parse_id("acc", second.id))  # fmt: skip
    assert bought[0][0] == 30
    assert 19_000 < spent[0][0] <= 20_000  # nothing that pays 10.00 fits any more, or 11.00 was too much for the rest


def test_who_limits_himself_while_leads_come_has_bought_no_more_than_he_says(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    buyer, other = market.make_buyer("9000.00"), market.make_buyer("9000.00")
    for _ in range(3):
        market.make_order(buyer, "20.00")
    market.make_order(other, "5.00")
    post(publisher, market, 1)
    at_answer: list[int] = []

    def say(cap: int, zone: str) -> None:
        at_answer.append(limit(buyer, timezone=zone, caps={"day": cap})["used"]["day"]["leads"])

    calls: list[Any] = [lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(240)]
    calls.insert(20, lambda: say(150, "UTC"))
    calls.insert(40, lambda: market.make_order(buyer, "21.00"))
    calls.insert(60, lambda: say(170, "Asia/Tokyo"))
    with no_deadlocks(database_url, app):
        at_once(calls)
    [[bought]] = ask(database_url, "SELECT count(*)::int FROM marketplace.sales WHERE buyer_id = %s",
                     parse_id("acc", buyer.id))  # fmt: skip
    assert bought <= max(170, *at_answer)
    assert buyer.get("/buyer-limits")["used"]["total"]["leads"] == bought
    post(publisher, market, max(170 - bought, 0) + 1)
    assert buyer.get("/buyer-limits")["used"]["day"]["leads"] == max(170, bought)


def test_a_sale_that_began_before_the_limits_were_said_asks_again_and_counts(
    app: Flask, market: Market, publisher: Member, database_url: str, clock: SetClock
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer)
    publisher.post("/leads", market.lead(test=True))  # so that the book is in memory
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    said = Event()

    def sell() -> list[str]:
        said.wait(30)
        return post(publisher, market, 2)

    def say() -> None:
        with app.app_context(), transaction():
            set_buyer_limits(parse_id("acc", buyer.id), BuyerLimitsBody(caps=BuyerCapsBody(day=1)), "test", clock.now())
            said.set()
            wait_until(lambda: ask(database_url, waiting))

    _, statuses = at_once([say, sell])
    assert statuses == ["sold", "unsold"]


def test_the_page_shows_every_fault_at_its_field_keeps_what_was_typed_and_tells_what_was_bought(
    market: Market, publisher: Member
) -> None:
    buyer = market.make_buyer()
    market.make_order(buyer)
    visitor = visitor_of(market, buyer)
    typed = {"timezone": "Nowhere", "day-cap": "ten", "week-cap": "9", "month-cap": "5", "week-budget": "abc"}
    answer = visitor.send("/buyer/limits", **typed)
    assert answer.status_code == 200
    for field in ("timezone", "day-cap", "week-cap", "week-budget"):
        assert f'id="{field}-fault"' in answer.text, field
    assert 'value="ten"' in answer.text
    visitor.send("/buyer/limits", **{"timezone": "Europe/Paris", "day-cap": "2", "day-budget": "19.00"})
    page = words_of(visitor.open("/buyer/limits"))
    assert "No active order buys within it" in page
    assert post(publisher, market) == ["unsold"]
    visitor.send("/buyer/limits", **{"timezone": "Europe/Paris", "day-cap": "1", "day-budget": ""})
    assert post(publisher, market) == ["sold"]
    assert "reached" in words_of(visitor.open("/buyer/limits"))
