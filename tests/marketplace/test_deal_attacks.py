"""Deals under attack: ended while their order rests, by two clocks at once, promised by who may not send, told on pages."""

import pytest
from flask import Flask
from lxml import html

from marketplace.jobs import settle_due
from marketplace.leads.rests import end_rest
from tests.at_once import at_once, no_deadlocks
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_deals import accepted, brief, prices
from tests.marketplace.test_distributed import change
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


def test_a_deal_whose_order_rests_can_be_cancelled_by_either_side(
    market: Market, publisher: Member, buyer: Member
) -> None:
    deal = accepted(publisher, brief(market, buyer), 2)
    buyer.post(f"/orders/{deal['order']}/rest", {"minutes": 120})
    assert publisher.post(f"/deals/{deal['id']}/cancel")["state"] == "cancelled"
    ended = buyer.get(f"/orders/{deal['order']}")
    assert (ended["status"], ended["resumes_at"]) == ("closed", None)


def test_a_deal_whose_order_rests_beyond_its_end_stops_no_clock(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    deal = accepted(publisher, brief(market, buyer), 2)
    clock.advance(days=29, hours=23)
    buyer.post(f"/orders/{deal['order']}/rest", {"minutes": 7 * 24 * 60})
    clock.advance(hours=2)
    assert settle_due(clock.now())["deals_ended"] == 1
    clock.advance(days=8)
    assert settle_due(clock.now())["orders_rested"] == 0
    assert buyer.get(f"/orders/{deal['order']}")["status"] == "closed"


def test_deals_that_are_over_end_once_whatever_clocks_look_at_once(
    app: Flask, market: Market, buyer: Member, clock: SetClock, database_url: str
) -> None:
    for made in (brief(market, buyer, volume=6), brief(market, buyer, volume=6)):
        for _ in range(3):
            accepted(market.make_publisher(), made, 2)
    clock.advance(days=31)

    def look() -> int:
        with app.app_context():
            return settle_due(clock.now())["deals_ended"]

    with no_deadlocks(database_url, app):
        assert sum(at_once([look] * 4)) == 6
    assert {one["state"] for one in buyer.get("/deals")["items"]} == {"ended"}


def test_who_is_paused_keeps_nobody_from_a_brief(market: Market, publisher: Member, buyer: Member) -> None:
    made = brief(market, buyer).json["id"]
    market.make_operator().request("PATCH", f"/publishers/{publisher.id}", {"standing": "paused"})
    refused = publisher.request("POST", f"/briefs/{made}/accept", {})
    assert (refused.status_code, refused.json["code"]) == (409, "publisher_paused")
    assert buyer.get("/briefs")["items"][0]["left"] == 10


def test_what_was_agreed_buys_again_after_its_rest_whatever_the_vertical_asks_by_then(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    deal = accepted(publisher, brief(market, buyer), 2)
    buyer.post(f"/orders/{deal['order']}/rest", {"minutes": 120})
    change(market.make_operator(), market, min_price={"amount": "15.00", "currency": "EUR"})
    clock.advance(hours=3)
    assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 1}
    assert buyer.get(f"/orders/{deal['order']}")["status"] == "active"
    assert prices(market, publisher) == ["12.00"]


def test_a_publisher_sees_what_he_promises(market: Market, publisher: Member, buyer: Member) -> None:
    filters = [{"field": "attributes.course", "op": "in", "value": ["law"]}]
    brief(market, buyer, order={"filters": filters, "caps": {"day": 2}, "returns": False, "verified_only": True})
    said = words_of(visitor_of(market, publisher).open("/publisher/briefs"))
    for part in ("attributes.course", '"law"', 'caps: {"day": 2}', "returns: false", "verified_only: true"):
        assert part in said
    assert "budget" not in said and "modifiers" not in said


def test_a_press_that_does_nothing_says_why(market: Market, publisher: Member, buyer: Member) -> None:
    made = brief(market, buyer)
    deal = accepted(publisher, made, 2)
    publisher.post(f"/deals/{deal['id']}/cancel")
    for member, side in ((buyer, "buyer"), (publisher, "publisher")):
        visitor = visitor_of(market, member)
        visitor.send(f"/{side}/deals/{deal['id']}/cancel", f"/{side}/briefs")
        assert "The deal is cancelled already" in words_of(visitor.open(f"/{side}/briefs"))


def test_a_brief_says_at_its_fields_what_is_wrong_with_them(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    form = {"name": "Made", "vertical": "education", "price": "12", "volume": "5", "regions": "FR, XX"}

    def faults(day: str, field: str) -> str:
        page = html.fromstring(visitor.send("/buyer/briefs/new", **form | {"ends_on": day}).text)
        return str(page.xpath(f"string(//*[@id='{field}-fault'])"))

    assert "Write an earlier day" in faults("9999-12-31", "ends_on")
    assert "Let the brief end" in faults("2020-01-01", "ends_on")
    assert "'XX' is no region" in faults("2026-12-31", "regions")
    form["volume"] = "many"
    assert "Write a whole number" in faults("2026-12-31", "volume") and "no region" in faults("2026-12-31", "regions")


def test_what_cannot_be_promised_stays_typed_and_says_so_beside_its_brief(
    market: Market, publisher: Member, buyer: Member
) -> None:
    brief(market, buyer)
    made = brief(market, buyer, volume=3).json["id"]
    page = html.fromstring(visitor_of(market, publisher).send("/publisher/briefs", brief=made, leads="7").text)
    [row] = page.xpath(f"//tr[.//input[@name='brief' and @value='{made}']]")
    assert row.xpath(".//input[@name='leads']/@value") == ["7"]
    assert "Promise 1 to 3 leads" in row.xpath("string(.//*[@id='leads-fault'])")
    assert page.xpath("count(//*[@role='alert'])") == 1


def test_a_deal_is_delivered_elsewhere_after_the_vertical_has_become_dearer_than_it(
    market: Market, publisher: Member, buyer: Member
) -> None:
    deal = accepted(publisher, brief(market, buyer, "5.00"), 2)
    order = market.make_order(buyer, "5.00")
    dearer = {"min_price": {"amount": "6.00", "currency": "EUR"}}
    assert change(market.make_operator(), market, **dearer).status_code == 200
    asked = {"delivery": {"kind": "email", "to": "leads@buyer.example"}}
    changed = buyer.request("PATCH", f"/orders/{deal['order']}", asked)
    assert (changed.status_code, changed.json["delivery"]["kind"]) == (200, "email")
    assert (
        buyer.request("PATCH", f"/orders/{deal['order']}", {"price": {"amount": "4.00", "currency": "EUR"}}).json[
            "code"
        ]
        == "deal_stands"
    )
    assert buyer.request("PATCH", f"/orders/{order['id']}", asked).status_code == 422  # of the market, it bids again
