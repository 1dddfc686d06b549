"""Orders under attack: numbers of thousands of digits, sheets of resting orders, limits counted from refused sales."""

import csv
import io
from typing import Any

import pytest

from marketplace.leads.delivery.courier import deliver_due
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_buyer_orders import faults, form_of, send
from tests.marketplace.test_deals import accepted, brief, prices
from tests.marketplace.test_distributed import change
from tests.marketplace.test_many_orders import edited, read, saved
from tests.marketplace.test_next_by_rules import NO, allow_private_targets
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

LONG = "9" * 5000  # more digits than Python reads
FILLED = {"name": "x", "vertical": "education", "price": "20.00", "exclusivity": "shared", "max_share": "3",
          "version": "1", "timezone": "UTC", "delivery": "none", "returns": "y"}  # fmt: skip


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("9000.00")


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("version", "\u00b2", "Look at the order as it is now"), ("version", LONG, "is at version 1 by now"),
        ("version", f"-{LONG}", "is at version 1 by now"), ("day-cap", LONG, "A cap is 1 or more"),
        ("radius_km", LONG, "A circle has a radius of"), ("min_score", LONG, "A score goes from 0 to 100"),
        ("max_share", f"-{LONG}", "A shared lead goes to"), ("price", LONG, "Write the amount"),
    ],
)  # fmt: skip
def test_no_number_is_too_long_for_the_editor(
    market: Market, buyer: Member, visitor: Visitor, field: str, typed: str, says: str
) -> None:
    path = f"/buyer/orders/{market.make_order(buyer)['id']}"
    page = visitor.send(path, **FILLED | {field: typed})
    assert page.status_code == 200 and says in words_of(page)


def test_leading_zeros_are_no_long_number(market: Market, buyer: Member, visitor: Visitor) -> None:
    order = market.make_order(buyer)["id"]
    assert visitor.send(f"/buyer/orders/{order}", **FILLED | {"min_score": "0" * 5000 + "7"}).status_code == 302
    assert buyer.get(f"/orders/{order}")["min_score"] == 7


def test_no_number_is_too_long_for_the_ticked_orders_and_for_a_sheet(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    order = market.make_order(buyer)["id"]
    visitor.send("/buyer/orders/many", "/buyer/orders", orders=order, deed="price", value=LONG)
    assert "Write whole percent" in words_of(visitor.open("/buyer/orders"))
    assert "A cap is 1 or more" in words_of(read(visitor, edited(saved(visitor), cap_day=LONG)))


def test_a_sheet_read_back_leaves_an_order_at_rest(market: Market, buyer: Member, visitor: Visitor) -> None:
    order = market.make_order(buyer)["id"]
    until = buyer.post(f"/orders/{order}/rest", {"minutes": 120})["resumes_at"]
    sheet = saved(visitor)
    read(visitor, sheet)
    assert buyer.get(f"/orders/{order}")["resumes_at"] == until
    read(visitor, edited(sheet, status="paused"))
    assert buyer.get(f"/orders/{order}")["resumes_at"] is None


def test_a_sheet_with_a_deal_or_a_closed_order_in_it_is_read_back(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    publisher = market.make_publisher()
    made = brief(market, buyer)
    running, ended = (accepted(each, made, 2) for each in (publisher, market.make_publisher()))
    buyer.post(f"/deals/{ended['id']}/cancel")
    order = market.make_order(buyer)["id"]
    assert read(visitor, edited(saved(visitor), price="21.00")).status_code == 302
    assert buyer.get(f"/orders/{order}")["price"]["amount"] == "21.00"
    assert buyer.get(f"/orders/{running['order']}")["version"] == 1


def test_of_a_deal_the_editor_changes_the_delivery_and_nothing_else(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    deal = accepted(market.make_publisher(), brief(market, buyer), 2)
    path = f"/buyer/orders/{deal['order']}"
    assert send(visitor, path, contact_sla="y").status_code == 302
    changed = buyer.get(f"/orders/{deal['order']}")
    assert changed["contact_sla"] and changed["price"]["amount"] == "12.00"
    page = send(visitor, path, price="11.00", day__cap="1")
    assert "leave caps, price, or cancel it" in words_of(page)


def test_an_order_that_could_not_be_placed_any_more_can_be_paused(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    orders = [market.make_order(buyer, "5.00")["id"] for _ in range(3)]
    change(market.make_operator(), market, min_price={"amount": "10.00", "currency": "EUR"})
    assert buyer.request("PATCH", f"/orders/{orders[0]}", {"status": "paused"}).status_code == 200
    assert buyer.post("/orders/many", {"orders": orders[1:2], "status": "paused"})["items"][0]["status"] == "paused"
    visitor.send(f"/buyer/orders/{orders[2]}/status", "/buyer/orders", status="paused")
    assert {one["status"] for one in buyer.get("/orders")["items"]} == {"paused"}
    again = buyer.request("PATCH", f"/orders/{orders[0]}", {"status": "active"})
    assert [fault["code"] for fault in again.json["errors"]] == ["below_minimum_price"]


def test_a_brief_that_could_not_be_posted_any_more_is_closed_to_publishers(market: Market, buyer: Member) -> None:
    made = brief(market, buyer).json["id"]
    change(market.make_operator(), market, min_price={"amount": "15.00", "currency": "EUR"})
    refused = market.make_publisher().request("POST", f"/briefs/{made}/accept", {})
    assert (refused.status_code, refused.json["code"]) == (409, "brief_closed")
    assert "Bid at least 15.00 EUR" in refused.json["detail"]


def test_filters_go_through_the_form_as_they_are(market: Market, buyer: Member, visitor: Visitor) -> None:
    filters = [
        {"field": "contact.city", "op": "in", "value": ["Paris, Texas", "Lyon", "5", "true", "a"]},
        {"field": "contact.city", "op": "not_in", "value": ['say "a"', '"b', 'c"', " d "]},
        {"field": "contact.city", "op": "ne", "value": " x "},
        {"field": "contact.city", "op": "eq", "value": '"x'},
        {"field": "contact.city", "op": "between", "value": ["a, b", "c"]},
        {"field": "score", "op": "between", "value": [1, 90.5]},
        {"field": "contact.postal_code", "op": "matches", "value": "75"},
        {"field": "contact.postal_code", "op": "matches", "value": '"a", true'},
    ]
    order = market.make_order(buyer, filters=filters)["id"]
    assert send(visitor, f"/buyer/orders/{order}", min_score="3").status_code == 302
    assert buyer.get(f"/orders/{order}")["filters"] == filters


def test_a_copy_of_an_order_at_rest_buys(market: Market, buyer: Member, visitor: Visitor) -> None:
    buyer.post(f"/orders/{market.make_order(buyer)['id']}/rest", {"minutes": 120})
    read(visitor, edited(saved(visitor), id="", version=""))
    assert sorted(one["status"] for one in buyer.get("/orders")["items"]) == ["active", "paused"]


STEPS = [{"from": 3, "price": {"amount": "5.00", "currency": "EUR"}}]


@pytest.mark.parametrize(
    ("limits", "paid"),
    [
        ({"ladder": {"period": "day", "steps": STEPS}}, ["20.00", "20.00", "5.00"]),
        ({"caps": {"day": 3}}, ["20.00", "20.00", "20.00", "-"]),
    ],
)
def test_what_was_refused_at_its_delivery_counts_towards_no_limit_that_is_set_later(
    market: Market, buyer: Member, limits: dict[str, Any], paid: list[str]
) -> None:
    allow_private_targets(market.app)
    publisher = market.make_publisher()
    with open_endpoint(answer=NO) as picky:
        order = market.make_order(buyer, "20.00", delivery={"kind": "webhook", "url": picky.url})["id"]
        prices(market, publisher, 3)
        deliver_due(START)
    assert {sale["state"] for sale in buyer.get("/sales")["items"]} == {"refused"}
    buyer.request("PATCH", f"/orders/{order}", {"delivery": {"kind": "none"}} | limits)
    assert prices(market, publisher, len(paid)) == paid


def test_a_line_of_a_sheet_may_be_short(market: Market, buyer: Member, visitor: Visitor) -> None:
    market.make_order(buyer, caps={"day": 5})
    rows = list(csv.reader(io.StringIO(saved(visitor).decode())))
    sheet = io.StringIO()
    csv.writer(sheet).writerows([rows[0], rows[1][: rows[0].index("price")]])
    read(visitor, sheet.getvalue().encode())
    assert buyer.get("/orders")["items"][0]["caps"]["day"] == 5


def test_a_file_of_one_endless_cell_is_refused_at_its_field(market: Market, buyer: Member, visitor: Visitor) -> None:
    path = f"/buyer/orders/{market.make_order(buyer)['id']}"
    form = form_of(visitor.read(path)) | {"postal_file": (io.BytesIO(b'"' + b"7" * 200_000), "codes.csv")}
    page = visitor.open(path, "POST", form)
    assert page.status_code == 200
    assert any("is no beginning of a postal code" in fault for fault in faults(page))
