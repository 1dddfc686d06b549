"""Briefs and deals: what publishers promised is bought before the open market, exactly, and only from them."""

from collections import Counter
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from core.db import db, transaction
from core.ids import parse_id
from marketplace.audit import audit_all
from marketplace.deals.accepting import cancel_deal
from marketplace.deals.due import end_deals
from marketplace.jobs import settle_due
from marketplace.leads.replay import replay
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


def brief(market: Market, buyer: Member, price: str = "12.00", volume: int = 10, **more: Any) -> Any:
    """Post a brief that runs for 30 days."""
    order = {"name": "made for us", "vertical": "education", "price": {"amount": price, "currency": "EUR"}}
    until = as_rfc3339(market.clock.now() + timedelta(days=30))
    return buyer.request(
        "POST", "/briefs", {"order": order | more.pop("order", {}), "volume": volume, "ends_at": until} | more
    )


def accepted(publisher: Member, made: Any, leads: int | None = None) -> Any:
    return publisher.post(f"/briefs/{made.json['id']}/accept", {"leads": leads})


def prices(market: Market, publisher: Member, leads: int = 1) -> list[str]:
    answers = [publisher.post("/leads", market.lead()) for _ in range(leads)]
    return [answer["sales"][0]["price"]["amount"] if answer["sales"] else "-" for answer in answers]


def test_a_deal_is_served_before_a_dearer_open_market_and_only_for_its_publisher(
    app: Flask, market: Market, publisher: Member, buyer: Member, database_url: str
) -> None:
    market.make_order(market.make_buyer(), "20.00")
    deal = accepted(publisher, brief(market, buyer), 2)
    assert (deal["state"], deal["leads"], deal["bought"]) == ("active", 2, 0)
    other = market.make_publisher()
    assert prices(market, other) == ["20.00"]
    assert prices(market, publisher, 3) == ["12.00", "12.00", "20.00"]
    [lead] = other.get("/leads")["items"]
    operator = market.make_operator()
    assert [one["outcome"] for one in operator.get(f"/leads/{lead['id']}/why")["items"]] == ["sold"]
    [full, *_] = publisher.get("/leads?limit=1")["items"]
    assert [one["outcome"] for one in operator.get(f"/leads/{full['id']}/why")["items"]] == ["capped", "sold"]
    leads = [row[0] for row in ask(database_url, "SELECT id FROM marketplace.leads")]
    with app.app_context(), transaction() as session:
        assert all(replay(one).is_same for one in leads)
        assert [check.name for check in audit_all(session).checks if not check.ok] == []


def test_a_deal_without_funds_or_of_other_criteria_leaves_the_lead_to_the_market(
    market: Market, publisher: Member
) -> None:
    market.make_order(market.make_buyer(), "5.00")
    accepted(publisher, brief(market, market.make_buyer("1.00")))
    accepted(publisher, brief(market, market.make_buyer(), "13.00", order={"regions": ["ES"]}))
    assert prices(market, publisher) == ["5.00"]


def test_what_is_promised_never_exceeds_the_volume_whoever_accepts_at_once(
    app: Flask, market: Market, buyer: Member, database_url: str
) -> None:
    made = brief(market, buyer, volume=10).json["id"]
    publishers = [market.make_publisher() for _ in range(8)]
    with no_deadlocks(database_url, app):
        answers = at_once(
            [lambda each=each: each.request("POST", f"/briefs/{made}/accept", {"leads": 3}) for each in publishers]
        )
    assert Counter(answer.status_code for answer in answers) == {201: 3, 422: 5}
    assert buyer.get("/briefs")["items"][0]["left"] == 1
    assert len(market.make_publisher().get("/briefs")["items"]) == 1


def test_a_race_of_leads_buys_exactly_what_was_promised(
    app: Flask, market: Market, publisher: Member, buyer: Member, database_url: str
) -> None:
    accepted(publisher, brief(market, buyer, volume=30))
    market.make_order(market.make_buyer("9000.00"), "10.00")
    with no_deadlocks(database_url, app):
        answers = at_once([lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(64)])
    assert Counter(sale["price"]["amount"] for answer in answers for sale in answer["sales"]) == {
        "12.00": 30,
        "10.00": 34,
    }


def test_a_cancelled_deal_gives_back_what_it_has_not_bought_and_buys_no_more(
    app: Flask, market: Market, publisher: Member, buyer: Member, database_url: str
) -> None:
    made = brief(market, buyer, volume=20)
    deal = accepted(publisher, made)
    assert buyer.get("/briefs")["items"][0]["state"] == "full"
    calls: list[Any] = [lambda lead=market.lead(): publisher.post("/leads", lead) for _ in range(16)]
    calls.insert(8, lambda: buyer.post(f"/deals/{deal['id']}/cancel", {"why": "too many"}))
    with no_deadlocks(database_url, app):
        at_once(calls)
    ended, [asked] = publisher.get(f"/deals/{deal['id']}"), buyer.get("/briefs")["items"]
    assert (ended["state"], asked["state"], asked["left"]) == ("cancelled", "open", 20 - ended["bought"])
    assert prices(market, publisher) == ["-"]
    assert buyer.request("POST", f"/deals/{deal['id']}/cancel", {}).json["code"] == "not_now"
    assert buyer.request("PATCH", f"/orders/{deal['order']}", {"status": "active"}).json["code"] == "not_now"
    assert "Closed" in words_of(visitor_of(market, buyer).open("/buyer/orders"))
    assert accepted(publisher, made)["leads"] == 20 - ended["bought"]


def test_a_sale_that_meets_the_end_of_its_deal_is_not_made(
    app: Flask, market: Market, publisher: Member, buyer: Member, database_url: str
) -> None:
    deal = accepted(publisher, brief(market, buyer, volume=5))
    prices(market, publisher)  # so that the book is in memory, and the periods have begun
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    held = Event()

    def post() -> Any:
        held.wait(30)
        return publisher.post("/leads", market.lead())

    def end() -> None:
        with app.app_context(), transaction():
            cancel_deal(parse_id("acc", buyer.id), parse_id("deal", deal["id"]), "test", START, "")
            held.set()
            wait_until(lambda: ask(database_url, waiting))

    _, met = at_once([end, post])
    assert met["status"] == "unsold"
    assert (publisher.get(f"/deals/{deal['id']}")["bought"], buyer.get("/briefs")["items"][0]["left"]) == (1, 4)


def test_deals_end_when_full_or_over_and_briefs_with_their_time(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    made = brief(market, buyer, volume=5)
    accepted(publisher, made, 1)
    prices(market, publisher)
    with app.app_context():
        settle_due(clock.now())
    assert publisher.get("/deals")["items"][0]["state"] == "full"
    accepted(publisher, made, 2)
    clock.advance(days=30)
    assert prices(market, publisher) == ["-"]  # by the deal's own time, before any clock has looked
    with app.app_context():
        settle_due(clock.now())
    assert [one["state"] for one in publisher.get("/deals")["items"]] == ["ended", "full"]
    assert (buyer.get("/briefs")["items"][0]["state"], publisher.get("/briefs")["items"]) == ("ended", [])
    assert publisher.request("POST", f"/briefs/{made.json['id']}/accept", {}).json["code"] == "brief_closed"


def test_two_looks_at_once_end_a_deal_once_and_neither_waits_nor_is_refused(
    app: Flask, market: Market, publisher: Member, buyer: Member, clock: SetClock, database_url: str
) -> None:
    accepted(publisher, brief(market, buyer), 1)
    assert prices(market, publisher) == ["12.00"]
    under_way, ended = Event(), []

    def first() -> None:
        with app.app_context(), transaction():
            ended.append(end_deals(clock.now()))
            under_way.set()
            wait_until(lambda: len(ended) == 2)

    def second() -> None:
        under_way.wait(30)
        with app.app_context(), transaction():
            ended.append(end_deals(clock.now()))

    at_once([first, second])
    assert ended == [1, 0]
    assert ask(database_url, "SELECT DISTINCT state FROM marketplace.deals") == [("full",)]


def test_a_brief_for_some_publishers_is_nobody_elses(market: Market, publisher: Member, buyer: Member) -> None:
    made = brief(market, buyer, publishers=[publisher.id]).json["id"]
    other = market.make_publisher()
    assert other.get("/briefs")["items"] == []
    assert other.request("POST", f"/briefs/{made}/accept", {}).status_code == 404
    deal = publisher.post(f"/briefs/{made}/accept", {"leads": 1})
    assert publisher.request("POST", f"/briefs/{made}/accept", {}).json["code"] == "deal_exists"
    assert other.request("GET", f"/deals/{deal['id']}").status_code == 404
    assert market.make_buyer().request("POST", f"/briefs/{made}/cancel").status_code == 404
    buyer.post(f"/briefs/{made}/cancel")
    assert prices(market, publisher) == ["12.00"]  # what was agreed before runs on


def test_a_deals_order_changes_in_its_delivery_alone(market: Market, publisher: Member, buyer: Member) -> None:
    order = accepted(publisher, brief(market, buyer))["order"]
    dearer = buyer.request("PATCH", f"/orders/{order}", {"price": {"amount": "9.00", "currency": "EUR"}})
    assert (dearer.status_code, dearer.json["code"]) == (409, "deal_stands")
    assert buyer.request("PATCH", f"/orders/{order}", {"status": "paused"}).status_code == 200
    assert prices(market, publisher) == ["-"]


def test_a_brief_that_cannot_be_names_every_fault(market: Market, buyer: Member) -> None:
    def codes(**said: Any) -> list[str]:
        answer = brief(market, buyer, **said)
        assert answer.status_code == 422, answer.text
        return [fault["code"] for fault in answer.json["errors"]]

    assert codes(volume=0, ends_at=as_rfc3339(market.clock.now())) == ["out_of_range", "out_of_range"]
    assert (
        codes(order={"exclusivity": "shared", "delivery": {"kind": "none"}, "caps": {"total": 3}})
        == ["not_for_brief"] * 3
    )
    assert codes(price="1.00", publishers=[buyer.id]) == ["unknown_publisher", "below_minimum_price"]


def test_both_sides_agree_and_part_on_pages(market: Market, publisher: Member, buyer: Member) -> None:
    asker, seller = visitor_of(market, buyer), visitor_of(market, publisher)
    form = {"name": "Made <b>for us</b>", "vertical": "education", "price": "12,00", "volume": "5", "regions": "fr-idf",
            "ends_on": (market.clock.now() + timedelta(days=9)).date().isoformat()}  # fmt: skip
    assert "Write a whole number" in asker.send("/buyer/briefs/new", **form | {"day_cap": "x"}).text
    assert "minimum price" in asker.send("/buyer/briefs/new", **form | {"price": "1"}).text
    assert asker.send("/buyer/briefs/new", **form).status_code == 303
    [made] = publisher.get("/briefs")["items"]
    assert "Made <b>for us</b>" in words_of(seller.open("/publisher/briefs"))
    assert "Promise 1 to 5 leads" in seller.send("/publisher/briefs", brief=made["id"], leads="6").text
    assert seller.send("/publisher/briefs", brief=made["id"], leads="2").status_code == 303
    assert prices(market, publisher) == ["12.00"]
    [deal] = buyer.get("/deals")["items"]
    assert deal["bought"] == 1 and asker.send(f"/buyer/deals/{deal['id']}/cancel", "/buyer/briefs").status_code == 303
    assert asker.send(f"/buyer/briefs/{made['id']}/cancel", "/buyer/briefs").status_code == 303
    assert "Ended early" in words_of(asker.open("/buyer/briefs"))


def test_the_database_keeps_what_is_taken_within_the_volume(app: Flask, market: Market, buyer: Member) -> None:
    made = parse_id("brf", brief(market, buyer).json["id"])
    with app.app_context(), pytest.raises(Exception, match="briefs_check"), transaction() as session:
        session.execute(db.text("UPDATE marketplace.briefs SET taken = 11 WHERE id = :id"), {"id": made})
