"""Leads go where the vertical's rules, the operator's places and the publishers' sources let them, over HTTP."""

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from lxml import html

from core.db import transaction
from core.ids import parse_id
from marketplace.audit import audit_all
from marketplace.catalog.shelf import get_vertical
from marketplace.leads.replay import replay
from tests.at_once import ask, at_once, no_deadlocks
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def operator(market: Market) -> Member:
    return market.make_operator()


def change(operator: Member, market: Market, **changes: Any) -> Any:
    """Change the vertical education, under its next version; what comes back is the answer."""
    with market.app.app_context(), transaction():
        standing = get_vertical("education")[1].as_mapping()
    body = standing | {"version": standing["version"] + 1} | changes
    return operator.request("PUT", "/verticals/education", body)


def bought_by(market: Market, publisher: Member, leads: int, **said: Any) -> list[list[str]]:
    """Post so many leads, and return for each the prices that it was sold for."""
    answers = [publisher.post("/leads", market.lead(**said)) for _ in range(leads)]
    return [[sale["price"]["amount"] for sale in answer["sales"]] for answer in answers]


def shared(share: int = 3) -> dict[str, Any]:
    return {"exclusivity": "shared", "max_share": share}


def why(member: Member, lead: Any) -> list[str]:
    return [one["outcome"] for one in member.get(f"/leads/{lead['id']}/why")["items"]]


def test_several_who_pay_more_in_all_get_a_lead_before_one_who_pays_most(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "20.00")
    for price in ("9.00", "8.00", "7.00"):
        market.make_order(market.make_buyer("8.50"), price, **shared())
    assert bought_by(market, publisher, 2) == [["20.00"], ["20.00"]]  # who offers 9.00 cannot pay it
    market.make_order(market.make_buyer(), "6.00", **shared())
    assert bought_by(market, publisher, 2) == [["8.00", "7.00", "6.00"], ["20.00"]]


def test_where_several_never_buy_a_lead_stays_unsold_and_why_says_so(
    market: Market, publisher: Member, operator: Member
) -> None:
    market.make_order(market.make_buyer(), "9.00", **shared())
    change(operator, market, distribution={"rule": "best_price", "contest": "exclusive", "fall_back": False})
    lead = publisher.post("/leads", market.lead())
    assert (lead["status"], why(operator, lead)) == ("unsold", ["other_way"])
    change(operator, market, distribution={"rule": "best_price", "contest": "exclusive", "fall_back": True})
    assert bought_by(market, publisher, 1) == [["9.00"]]


def test_orders_take_turns_whatever_they_pay(market: Market, publisher: Member, operator: Member) -> None:
    for price in ("20.00", "10.00", "5.00"):
        market.make_order(market.make_buyer(), price)
    change(operator, market, distribution={"rule": "round_robin", "contest": "first", "fall_back": True})
    sold = []
    for _ in range(6):
        sold += bought_by(market, publisher, 1)[0]
        market.clock.advance(seconds=1)  # type: ignore[attr-defined]  # the tests' clock
    assert sorted(sold[:3]) == sorted(sold[3:]) == ["10.00", "20.00", "5.00"]
    assert sold[:3] == sold[3:]


def test_the_operators_priority_counts_before_the_price_and_within_a_tier_the_price_does(
    market: Market, publisher: Member, operator: Member
) -> None:
    prices = ("20.00", "10.00", "11.00")
    orders = [market.make_order(market.make_buyer(), price, caps={"total": 1})["id"] for price in prices]
    change(operator, market, distribution={"rule": "tiers", "contest": "total_value", "fall_back": True})
    placed = {"orders": [{"order": orders[1], "priority": 1}, {"order": orders[2], "priority": 1}]}
    rows = operator.request("PUT", "/verticals/education/places", placed).json["items"]
    assert {row["order"]: row["priority"] for row in rows} == dict(zip(orders, (None, 1, 1), strict=True))
    assert bought_by(market, publisher, 4) == [["11.00"], ["10.00"], ["20.00"], []]


def test_a_buyers_change_leaves_the_operators_place(market: Market, operator: Member) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer)["id"]
    operator.request("PUT", "/verticals/education/places", {"orders": [{"order": order, "priority": 7}]})
    assert buyer.request("PATCH", f"/orders/{order}", {"name": "renamed"}).json["priority"] == 7


def test_target_shares_hold_exactly_under_a_race(
    app: Flask, market: Market, publisher: Member, operator: Member, database_url: str
) -> None:
    orders = [market.make_order(market.make_buyer("9000.00"))["id"] for _ in range(3)]
    bought_by(market, publisher, 4)  # what came before the shares were set does not count
    change(operator, market, distribution={"rule": "weighted", "contest": "first", "fall_back": True})
    shares = dict(zip(orders, (5, 3, 2), strict=True))
    placed = [{"order": order, "target_share": share} for order, share in shares.items()]
    operator.request("PUT", "/verticals/education/places", {"orders": placed})
    before = {
        str(row[0]): row[1] for row in ask(database_url, "SELECT order_id, total_leads FROM marketplace.order_counters")
    }
    with no_deadlocks(database_url, app):
        answers = at_once([lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(100)])
    assert Counter(answer["status"] for answer in answers) == {"sold": 100}
    after = {
        str(row[0]): row[1] for row in ask(database_url, "SELECT order_id, total_leads FROM marketplace.order_counters")
    }
    got = [after[key] - before[key] for key in (str(parse_id("ord", order)) for order in orders)]
    assert sum(got) == 100 and all(abs(found - wanted) <= 16 for found, wanted in zip(got, (50, 30, 20), strict=True))


def test_places_that_cannot_be_are_each_named(market: Market, operator: Member) -> None:
    order = market.make_order(market.make_buyer())["id"]
    change(operator, market, distribution={"rule": "weighted", "contest": "first", "fall_back": True})

    def codes(*places: dict[str, Any]) -> set[str]:
        answer = operator.request("PUT", "/verticals/education/places", {"orders": list(places)})
        assert answer.status_code == 422, answer.text
        return {fault["code"] for fault in answer.json["errors"]}

    assert codes({"order": order, "priority": 0}) == {"out_of_range", "no_target_shares"}
    assert codes({"order": order}, {"order": order}) == {"said_twice", "no_target_shares"}
    other = "ord_01h455vb4pex5vsknk084sn02q"
    assert codes({"order": other, "target_share": 1}) == {"unknown_order", "no_target_shares"}


def test_a_vertical_that_contradicts_itself_is_refused(market: Market, operator: Member) -> None:
    def codes(**changes: Any) -> list[str]:
        answer = change(operator, market, **changes)
        assert answer.status_code == 422, answer.text
        return [fault["code"] for fault in answer.json["errors"]]

    assert codes(distribution={"rule": "tiers", "contest": "first", "fall_back": False}) == ["not_for_contest"]
    assert codes(margin=[{"from": "1.00", "bp": 3000}]) == ["out_of_order"]
    assert codes(margin=[{"from": "0.00"}]) == ["one_of_two"]
    assert codes(margin=[{"from": "0.00", "amount": "4.20"}]) == ["margin_eats_price"]
    assert codes(margin=[{"from": "0.00", "bp": 100}, {"from": "0.00", "bp": 200}]) == ["out_of_order"]
    assert codes(min_prices=[{"amount": "4.20", "region": "XX"}]) == ["not_above_minimum", "unknown_region"]
    twice = {"amount": "9.00", "region": "FR"}
    assert codes(min_prices=[twice, twice]) == ["said_twice"]


@pytest.mark.parametrize(
    ("margin", "price", "payout"),
    [
        ([{"from": "0.00", "amount": "2.00"}], "20.00", "18.00"),
        ([{"from": "0.00", "bp": 2500}], "20.00", "15.00"),
        ([{"from": "0.00", "bp": 2500}, {"from": "20.00", "amount": "4.00"}], "19.99", "14.99"),
        ([{"from": "0.00", "bp": 2500}, {"from": "20.00", "amount": "4.00"}], "20.00", "16.00"),
        ([{"from": "0.00", "bp": 0}], "20.00", "19.50"),  # the platform's least margin holds
    ],
)
def test_the_margin_of_a_vertical_is_what_the_platform_keeps(
    app: Flask, market: Market, publisher: Member, operator: Member, margin: Any, price: str, payout: str
) -> None:
    market.make_order(market.make_buyer(), price)
    assert change(operator, market, margin=margin).status_code == 200
    [sale] = publisher.post("/leads", market.lead())["sales"]
    assert sale["payout"]["amount"] == payout
    change(operator, market, margin=[])
    [sale] = publisher.post("/leads", market.lead())["sales"]
    assert sale["payout"]["amount"] == ("13.99" if price == "19.99" else "14.00")
    with app.app_context(), transaction() as session:  # the sale keeps the bands that it was made by
        assert [check.name for check in audit_all(session).checks if not check.ok] == []


def test_a_least_price_of_a_region_and_class_keeps_cheaper_orders_from_its_leads(
    market: Market, publisher: Member, operator: Member
) -> None:
    market.make_order(market.make_buyer(), "10.00")
    change(operator, market, min_prices=[{"amount": "12.00", "region": "FR-IDF"}])
    lead = publisher.post("/leads", market.lead(region="FR-75C"))
    assert (lead["status"], why(operator, lead)) == ("unsold", ["below_min"])
    assert bought_by(market, publisher, 1, region="FR-ARA") == [["10.00"]]


def test_a_source_sells_narrower_than_its_vertical_from_the_answer_on(market: Market, publisher: Member) -> None:
    for price in ("9.00", "8.00", "7.00"):
        market.make_order(market.make_buyer(), price, **shared())
    market.make_order(market.make_buyer(), "10.00")
    assert bought_by(market, publisher, 1) == [["9.00", "8.00", "7.00"]]
    rule = {"source": "default", "vertical": "education", "most_buyers": 2}
    assert publisher.request("PUT", "/source-rules", rule).status_code == 200
    assert bought_by(market, publisher, 1) == [["9.00", "8.00"]]
    publisher.request("PUT", "/source-rules", rule | {"most_buyers": None, "exclusive_only": True})
    assert bought_by(market, publisher, 1) == [["10.00"]]
    least = {"amount": "7.01", "currency": "EUR"}
    publisher.request("PUT", "/source-rules", rule | {"most_buyers": None, "min_price": least})
    assert bought_by(market, publisher, 1) == [[]]  # 70 % of 10.00 are 7.00
    assert publisher.get("/source-rules")["items"][0]["min_price"] == least
    publisher.request("PUT", "/source-rules", {"source": "default", "vertical": "education"})
    assert (
        bought_by(market, publisher, 1) == [["9.00", "8.00", "7.00"]] and publisher.get("/source-rules")["items"] == []
    )


def test_a_rule_of_a_source_that_cannot_be_is_refused_and_one_of_another_is_not_touched(
    market: Market, publisher: Member
) -> None:
    def codes(**said: Any) -> list[str]:
        answer = publisher.request("PUT", "/source-rules", {"source": "default", "vertical": "education"} | said)
        return [fault["code"] for fault in answer.json["errors"]]

    assert codes(source=" ", most_buyers=1) == ["invalid_name", "out_of_range"]
    assert codes(most_buyers=2, exclusive_only=True) == ["one_of_two"]
    assert codes(min_price={"amount": "1.00", "currency": "USD"}) == ["wrong_currency"]
    assert codes(min_price={"amount": "0.00", "currency": "EUR"}) == ["not_positive"]
    market.make_order(market.make_buyer(), "10.00", **shared())
    publisher.request("PUT", "/source-rules", {"source": "x", "vertical": "education", "exclusive_only": True})
    assert bought_by(market, publisher, 1) == [["10.00"]]
    assert bought_by(market, publisher, 1, source={"name": "x"}) == [[]]


def test_who_says_a_rule_of_a_source_at_once_with_others_says_one(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    rule = {"source": "s", "vertical": "education", "exclusive_only": True}
    with no_deadlocks(database_url, app):
        answers = at_once([lambda: publisher.request("PUT", "/source-rules", rule)] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len(publisher.get("/source-rules")["items"]) == 1


def test_a_rule_is_changed_on_its_page_without_losing_the_rest(market: Market, publisher: Member) -> None:
    visitor = visitor_of(market, publisher)
    visitor.send("/publisher/sources/rules", source="s", vertical="education", most_buyers="2", min_price="5")
    page = visitor.read("/publisher/sources/rules?source=s&vertical=education")
    begun = {name: page.xpath(f"//input[@name='{name}']/@value") for name in ("source", "most_buyers", "min_price")}
    assert begun == {"source": ["s"], "most_buyers": ["2"], "min_price": ["5.00"]}
    said = words_of(visitor.send("/publisher/sources/rules", source="s", vertical="education", most_buyers="9"))
    assert "Say 2 to 5" in said and "at most 2" in said  # the rule that holds still stands above


def test_every_decision_replays_to_the_same_bytes(
    app: Flask, market: Market, publisher: Member, operator: Member, database_url: str
) -> None:
    orders = [market.make_order(market.make_buyer("40.00"), price, **terms)["id"] for price, terms in (
        ("20.00", {"caps": {"day": 1}}), ("9.00", shared()), ("8.00", shared(2)), ("8.00", shared()), ("5.00", {}))]  # fmt: skip
    placed = [
        {"order": order, "priority": place % 2 + 1, "target_share": place + 1} for place, order in enumerate(orders)
    ]
    for rule in ("best_price", "priority", "round_robin", "weighted", "tiers"):
        change(operator, market, distribution={"rule": rule, "contest": "total_value", "fall_back": True})
        operator.request("PUT", "/verticals/education/places", {"orders": placed})
        bought_by(market, publisher, 4)
    leads = [row[0] for row in ask(database_url, "SELECT id FROM marketplace.leads")]
    with app.app_context(), transaction():
        replays = [replay(lead) for lead in leads]
    assert len(replays) == 20 and [one for one in replays if not one.is_same] == []
    ask(database_url, "SELECT", first="UPDATE marketplace.leads SET decision = replace(decision::text, 'sold', 'outbid')::json"
                                      " WHERE status = 'sold'")  # fmt: skip
    with app.app_context(), transaction():
        assert not all(replay(lead).is_same for lead in leads)


def test_the_pages_place_orders_and_narrow_sources(market: Market, publisher: Member, operator: Member) -> None:
    order = market.make_order(market.make_buyer(), name="Evening courses")["id"]
    reader, place = visitor_of(market, operator), "/operator/verticals/education/distribution"
    assert "Evening courses" in words_of(reader.open(place))
    sent = {"orders-0-order": order, "orders-0-priority": "3", "orders-0-target_share": "x"}
    assert "write whole numbers" in reader.send(place, **sent).text
    assert reader.send(place, **sent | {"orders-0-target_share": "40"}).status_code == 303
    assert operator.get("/verticals/education/places")["items"][0]["target_share"] == 40
    seller, page = visitor_of(market, publisher), "/publisher/sources/rules"
    said = {"source": "default", "vertical": "education", "most_buyers": "9", "min_price": "5,50"}
    assert "Say 2 to 5" in seller.send(page, **said).text
    assert seller.send(page, **said | {"most_buyers": "2"}).status_code == 303
    assert "at most 2" in words_of(seller.open(page))


def test_a_rule_of_a_source_lets_no_amount_pass_that_is_none(market: Market, publisher: Member) -> None:
    publisher.request(
        "PUT",
        "/source-rules",
        {"source": "default", "vertical": "education", "min_price": {"amount": "5.00", "currency": "EUR"}},
    )
    for amount in ("-5.00", "1.2345"):
        answer = publisher.request("POST", "/leads", market.lead(min_price={"amount": amount, "currency": "EUR"}))
        assert answer.status_code == 422, amount


def test_the_page_of_a_rule_says_at_the_amount_what_is_wrong_with_it(market: Market, publisher: Member) -> None:
    page = visitor_of(market, publisher).send(
        "/publisher/sources/rules", source="s", vertical="education", min_price="-3"
    )
    assert "more than zero" in html.fromstring(page.text).xpath("string(//*[@id='min_price-fault'])")


def test_blanks_around_the_name_of_a_source_make_no_other_source(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "9.00")
    dear = {"amount": "10.00", "currency": "EUR"}
    publisher.request("PUT", "/source-rules", {"source": " north", "vertical": "education", "min_price": dear})
    for name in ("north", " north", "north\t", "\u00a0north "):
        assert bought_by(market, publisher, 1, source={"name": name}) == [[]], name
    assert {one["source"]["name"] for one in publisher.get("/leads")["items"]} == {"north"}
