"""Why an order lost: by the stored decisions, by a sample that agrees with them, and never with another's bid."""

import csv
import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from core.db import db, transaction
from marketplace.market.losses import LOSSES
from marketplace.market.rows import OrderDay
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.market_days import Trade, count, make_trade
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import words_of


@pytest.fixture
def trade(market: Market) -> Trade:
    """Let three others outbid a fourth, each for a few leads."""
    return make_trade(market, ("30.00", "25.00", "22.00", "20.00"), caps={"day": 3})


def losses(member: Member, order: Any, day: str = "") -> Any:
    db.session.rollback()
    return member.get(f"/orders/{order['id']}/losses{day}")


def by_outcome(shown: Any) -> dict[str, int]:
    return {one["outcome"]: one["leads"] for one in shown["outcomes"]}


def last(trade: Trade) -> Any:
    return losses(trade.buyers[3], trade.orders[3])


def test_a_day_tells_what_became_of_each_lead_and_which_price_would_have_won(trade: Trade, clock: SetClock) -> None:
    trade.post(14)
    count(clock.now())
    shown = last(trade)
    day, sample = shown["days"][-1], shown["sample"]
    assert by_outcome(day) == {"won": 3, "cap": 2} and (day["tried"], day["won"]) == (5, 3)
    assert by_outcome(sample) == {"price": 9, "won": 3, "cap": 2}
    assert (sample["offered"], sample["looked_at"], sample["is_whole"]) == (14, 14, True)
    assert sample["winning_price"] == {
        "leads": 9, "median": {"amount": "25.50", "currency": "EUR"}, "p90": {"amount": "30.50", "currency": "EUR"},
        "withheld": None,
    }  # fmt: skip


def test_at_the_price_that_would_have_won_it_wins(market: Market, trade: Trade, clock: SetClock) -> None:
    trade.post(3)
    told = losses(trade.buyers[1], trade.orders[1])["sample"]["winning_price"]
    assert told["withheld"] == "few_buyers" and told["median"] is None  # all went to one buyer, whose bid would show
    trade.buyers[1].request(
        "PATCH", f"/orders/{trade.orders[1]['id']}", {"price": {"amount": "30.01", "currency": "EUR"}}
    )
    trade.orders[0] = trade.buyers[0].request("PATCH", f"/orders/{trade.orders[0]['id']}", {"caps": {"day": 9}}).json
    sale = trade.publisher.post("/leads", market.lead())["sales"][0]
    assert sale["price"]["amount"] == "30.01"


def test_nobody_else_is_named(trade: Trade, clock: SetClock) -> None:
    trade.post(14)
    count(clock.now())
    said = str(last(trade))
    for buyer, order in zip(trade.buyers[:3], trade.orders[:3], strict=True):
        assert buyer.id not in said and order["id"] not in said
    for bid in ("30.00", "30.01", "25.00", "25.01", "22.01"):
        assert bid not in said


@pytest.mark.parametrize(
    ("terms", "lead", "outcome", "rules"),
    [
        ({"status": "paused"}, {}, "paused", {}),
        ({"regions": ["ES"]}, {}, "region", {"regions": (1, 1)}),
        ({"filters": [{"field": "attributes.course", "op": "eq", "value": "design"}]}, {}, "filtered",
         {"attributes.course eq": (1, 1)}),
        ({"filters": [{"field": "channel", "op": "eq", "value": "email"}], "min_score": 100}, {}, "filtered",
         {"channel eq": (1, 0), "min_score": (1, 0)}),
        ({"schedule": {"timezone": "UTC", "windows": [{"days": ["mon"], "from": "09:00", "to": "10:00"}]}}, {}, "closed", {}),
        ({}, {"min_price": {"amount": "60.00", "currency": "EUR"}}, "below_min", {}),
        ({"exclusivity": "shared"}, {"exclusive_only": True}, "filtered", {"exclusivity": (1, 1)}),
        ({}, {}, "price", {}),
    ],
)  # fmt: skip
def test_what_was_never_tried_is_judged_anew(
    market: Market, terms: dict[str, Any], lead: dict[str, Any], outcome: str, rules: dict[str, tuple[int, int]]
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer, "20.00", **terms)
    market.make_order(market.make_buyer(), "40.00")
    market.make_publisher().post("/leads", market.lead(**lead))
    sample = losses(buyer, order)["sample"]
    assert by_outcome(sample) == {outcome: 1}
    assert {one["rule"]: (one["leads"], one["alone"]) for one in sample["missed"]} == rules


@pytest.mark.parametrize(
    ("terms", "funds", "outcomes"),
    [
        ({"caps": {"day": 1}}, "100.00", {"won": 1, "cap": 2}),
        ({"budget": {"day": {"amount": "50.00", "currency": "EUR"}}}, "500.00", {"won": 1, "cap": 2}),
        ({}, "50.00", {"won": 1, "funds": 2}),
        ({"caps": {"day": 100}, "pacing": True}, "9000.00", None),
    ],
)
def test_what_its_own_limits_cost_it_is_told_apart(
    market: Market, clock: SetClock, terms: dict[str, Any], funds: str, outcomes: dict[str, int] | None
) -> None:
    buyer, publisher = market.make_buyer(funds), market.make_publisher()
    order = market.make_order(buyer, "40.00", **terms)
    leads = 3 if outcomes else 50
    for _ in range(leads):
        publisher.post("/leads", market.lead())
    count(clock.now())
    shown = losses(buyer, order)
    assert by_outcome(shown["days"][-1]) == by_outcome(shown["sample"])
    if outcomes:
        assert by_outcome(shown["sample"]) == outcomes
    else:
        assert set(by_outcome(shown["sample"])) == {"won", "pace"}


def test_a_lead_that_an_own_order_bought_is_no_loss_to_price(market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer(), market.make_publisher()
    market.make_order(buyer, "40.00")
    lower = market.make_order(buyer, "35.00")
    publisher.post("/leads", market.lead())
    count(clock.now())
    assert by_outcome(losses(buyer, lower)["sample"]) == {"own_order": 1}


def test_it_is_judged_by_what_it_said_when_the_lead_came(market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer(), market.make_publisher()
    market.make_order(market.make_buyer(), "40.00")
    publisher.post("/leads", market.lead())  # before the order was placed: none of its leads
    clock.advance(minutes=1)
    order = market.make_order(buyer, "20.00", regions=["ES"])
    clock.advance(minutes=1)
    publisher.post("/leads", market.lead())
    clock.advance(minutes=1)
    buyer.request("PATCH", f"/orders/{order['id']}", {"regions": []})
    clock.advance(minutes=1)
    publisher.post("/leads", market.lead())
    assert by_outcome(losses(buyer, order)["sample"]) == {"region": 1, "price": 1}


def test_a_sample_is_bounded_and_says_so(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, ("30.00", "20.00"))
    trade.post(55)
    with transaction() as session:
        session.execute(text("INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
                             " ('market.sample_leads', 1, '', '50', 'user:x', 'a test', now())"))  # fmt: skip
    sample = losses(trade.buyers[1], trade.orders[1])["sample"]
    assert (sample["offered"], sample["looked_at"], sample["is_whole"]) == (55, 50, False)
    page = words_of(visitor_of(market, trade.buyers[1]).open(f"/buyer/orders/{trade.orders[1]['id']}/losses"))
    assert "A sample: 50 of the 55 leads" in page


def test_somebody_elses_order_is_nobodys(trade: Trade) -> None:
    assert trade.buyers[0].request("GET", f"/orders/{trade.orders[3]['id']}/losses").status_code == 404


@pytest.mark.parametrize(
    ("day", "code"), [("yesterday", "not_a_date"), ("2027-01-01", "out_of_range"), ("0001-01-01", "out_of_range")]
)
def test_a_day_that_cannot_be_shown_is_refused(trade: Trade, day: str, code: str) -> None:
    refused = trade.buyers[3].request("GET", f"/orders/{trade.orders[3]['id']}/losses?day={day}")
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (400, code)


def test_the_page_says_it_in_one_sentence_and_in_few_queries(
    app: Flask, market: Market, trade: Trade, clock: SetClock
) -> None:
    trade.post(14)
    count(clock.now())
    visitor, path = visitor_of(market, trade.buyers[3]), f"/buyer/orders/{trade.orders[3]['id']}/losses"
    with queries(app) as said:
        page = words_of(visitor.open(path))
    assert len(said) <= 12, said
    assert (
        "it was tried for 5 leads and bought 3. Most of the others: 2. A cap or budget of this order was reached."
        in page
    )
    assert "Another order bid more. price 0 9 64.3%" in page
    assert visitor_of(market, trade.buyers[0]).open(path).status_code == 404


def test_the_sheet_has_a_line_for_each_day(market: Market, trade: Trade, clock: SetClock) -> None:
    trade.post(14)
    clock.advance(days=1)
    trade.post(1)
    count(clock.now())
    answer = visitor_of(market, trade.buyers[0]).open(f"/buyer/orders/{trade.orders[0]['id']}/losses.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [(row["day"], row["tried"], row["won"], row["cap"]) for row in rows] == [
        ("2026-11-22", "14", "3", "11"), ("2026-11-23", "1", "1", "0")
    ]  # fmt: skip


def test_every_outcome_that_is_counted_has_its_sentence(trade: Trade, clock: SetClock) -> None:
    trade.post(14)
    count(clock.now())
    db.session.rollback()
    counted = {code for row in db.session.scalars(db.select(OrderDay)) for code in row.outcomes}
    assert counted <= set(LOSSES)


@pytest.mark.parametrize(
    ("exclusivity", "orders", "says"),
    [
        ("exclusive", 2, "stood first: nobody else gets it."),
        ("shared", 2, "stood among the first: others share it."),
        ("shared", 1, "it would share it, but nobody else bought it then."),
    ],
)
def test_a_buyer_is_told_in_one_sentence_why_he_has_a_lead(
    market: Market, exclusivity: str, orders: int, says: str
) -> None:
    buyer = market.make_buyer()
    for one in [buyer, market.make_buyer()][:orders]:
        market.make_order(one, "20.00" if one is buyer else "19.00", exclusivity=exclusivity)
    market.make_publisher().post("/leads", market.lead())
    [sale] = buyer.get("/sales")["items"]
    assert says in words_of(visitor_of(market, buyer).open(f"/buyer/leads/{sale['id']}"))


def test_a_publisher_is_told_who_came_closest_to_buying(market: Market) -> None:
    market.make_order(market.make_buyer(), "40.00", caps={"total": 1})
    market.make_order(market.make_buyer(), "30.00", regions=["ES"])
    publisher = market.make_publisher()
    _, unsold = (publisher.post("/leads", market.lead()) for _ in range(2))
    page = words_of(visitor_of(market, publisher).open(f"/publisher/leads/{unsold['id']}"))
    assert "Closest to buying it: 1. A cap or budget of the order is reached." in page
