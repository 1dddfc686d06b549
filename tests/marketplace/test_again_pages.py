"""What pages say and ask of ages, waiting and further offers."""

import csv
import io

import pytest
from lxml import html

from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_again import UP_TO_90_DAYS, bought, offer
from tests.marketplace.test_buyer_orders import faults, form_of, only_order, send
from tests.marketplace.test_portal_pages import visitor_of
from tests.marketplace.test_resales import returned
from tests.visitor import words_of


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def test_the_editor_keeps_ages_and_waiting_and_shows_them_again(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    asked = {"age_from": "0", "age_to": "36", "age_unit": "hours", "age_resold": "y", "age_returned": ["duplicate"],
             "at_cap": "wait", "wait_hours": "6"}  # fmt: skip
    answer = send(visitor, "/buyer/orders/new?vertical=education", name="old", price="20.00", **asked)
    assert answer.status_code == 302, faults(answer)
    order = only_order(buyer)
    assert order["age"] == {"from": 0, "to": 36, "unit": "hours", "resold": True, "returned": ["duplicate"]}
    assert (order["at_cap"], order["wait_hours"]) == ("wait", 6)
    sent = form_of(visitor.read(f"/buyer/orders/{order['id']}"))
    assert {name: sent[name] for name in ("age_to", "age_unit", "at_cap", "age_returned")} == {
        "age_to": ["36"], "age_unit": ["hours"], "at_cap": ["wait"], "age_returned": ["duplicate"],
    }  # fmt: skip
    assert send(visitor, f"/buyer/orders/{order['id']}", age_from="", age_to="", at_cap="next").status_code == 302
    order = only_order(buyer)
    assert (order["age"], order["at_cap"], order["wait_hours"]) == (None, "next", None)


def test_each_wrong_age_stands_at_its_field(market: Market, buyer: Member) -> None:
    visitor = visitor_of(market, buyer)
    asked = {"age_from": "9", "age_to": "3", "at_cap": "wait", "wait_hours": "900"}
    told = faults(send(visitor, "/buyer/orders/new?vertical=education", name="old", price="20.00", **asked))
    assert len(told) == 3 and "the younger age first" in told[0]
    assert "nothing to wait for" in told[1] and "24 hours at most" in told[2]
    asked = {"age_from": "soon", "age_to": "3"}
    assert faults(send(visitor, "/buyer/orders/new?vertical=education", name="o", price="20.00", **asked)) == [
        "Write a whole number, such as 25."
    ]


def test_a_sheet_carries_ages_and_waiting(market: Market, buyer: Member) -> None:
    market.make_order(buyer, age=UP_TO_90_DAYS, at_cap="wait", wait_hours=5)
    sheet = visitor_of(market, buyer).open("/buyer/orders/sheet")
    [row] = csv.DictReader(io.StringIO(sheet.text.removeprefix("\ufeff")))
    assert (row["at_cap"], row["wait_hours"]) == ("wait", "5") and '"to": 90' in row["age"]


def test_a_publisher_reads_each_offer_and_switches_a_lead_off(
    market: Market, publisher: Member, clock: SetClock
) -> None:
    lead = publisher.post("/leads", market.lead())
    poor = market.make_buyer("0")
    market.make_order(poor, "50.00", age=UP_TO_90_DAYS)
    offer(clock)
    visitor, path = visitor_of(market, publisher), f"/publisher/leads/{lead['id']}"
    page = words_of(visitor.open(path))
    assert "Offered again" in page and "As nobody had bought it" in page and "100 %" in page
    token = visitor.read(path).xpath("//section[@id='offers']//input[@name='csrf_token']/@value")[0]
    answer = visitor.open(f"{path}/offering", "POST", {"csrf_token": token, "offered": "false"})
    assert answer.status_code == 303
    page = words_of(visitor.open(path))
    assert "Switched off: you switched it off." in page and "Offer it again" in page
    assert visitor.open(f"{path}/offering", "POST", {"csrf_token": token, "offered": "true"}).status_code == 303
    assert publisher.get(f"/leads/{lead['id']}/offering")["state"] == "open"


def test_a_publisher_says_it_for_a_source(market: Market, publisher: Member) -> None:
    visitor = visitor_of(market, publisher)
    [form] = html.fromstring(visitor.open("/publisher/sources/rules").text).xpath("//form[.//input[@name='source']]")
    sent = dict(form.form_values()) | {"source": "seo", "vertical": "education", "aged_min_price": "1.5"}
    assert sent["offered_again"] and sent["waits"]
    del sent["waits"]
    assert visitor.open("/publisher/sources/rules", "POST", sent).status_code == 303
    [rule] = publisher.get("/source-rules")["items"]
    assert (rule["offered_again"], rule["waits"], rule["aged_min_price"]["amount"]) == (True, False, "1.50")
    assert "at least €1.50" in words_of(visitor.open("/publisher/sources/rules"))


def test_a_buyer_reads_how_old_a_lead_was_and_why_another_sent_it_back(
    market: Market, publisher: Member, buyer: Member, clock: SetClock
) -> None:
    returned(market, publisher, market.make_buyer(), "duplicate")
    market.make_order(buyer, "30.00", age={"from": 0, "to": 90, "returned": ["duplicate"]})
    clock.advance(days=1)
    offer(clock)
    assert bought(buyer) == ["10.00"]
    sale = buyer.get("/sales")["items"][0]
    page = words_of(visitor_of(market, buyer).open(f"/buyer/leads/{sale['id']}"))
    assert "offered again later" in page
    assert "sent back by another buyer: Its buyer had the person already" in page
