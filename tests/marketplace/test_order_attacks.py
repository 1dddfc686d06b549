"""Orders under attack: numbers of thousands of digits, sheets of resting orders, limits counted from refused sales."""

import csv
import io
from typing import Any

import pytest

from marketplace.leads.delivery.courier import deliver_due
from tests.conftest import START
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.test_deals import prices
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
