"""Many orders at once: changed alike in one transaction, saved as a sheet and read back, never half."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.orders.terms import OrderTerms, show_terms
from marketplace.web.buyer.order_sheet import COLUMNS, _safe, _unsafe
from tests.at_once import at_once, no_deadlocks
from tests.factories import Market, Member
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of

RICH: dict[str, Any] = {
    "regions": ["FR", "FR-IDF"], "postal_prefixes": ["FR:69", "FR:75"], "exclusivity": "shared", "max_share": 4,
    "radius": {"place": "Lyon", "country": "FR", "km": 30}, "returns": False, "contact_hours": True, "min_score": 7,
    "modifiers": [{"field": "temperature", "values": ["hot"], "percent": 25},
                  {"field": "verified", "values": [True], "amount": {"amount": "-1.50", "currency": "EUR"}}],
    "price_floor": {"amount": "5.00", "currency": "EUR"}, "temperatures": ["warm", "hot"],
    "filters": [{"field": "attributes.course", "op": "in", "value": ["=cmd|' /C calc'!A0", "law"]},
                {"field": "score", "op": "between", "value": [20, 90.5]}],
    "caps": {"day": 5, "total": 90}, "budget": {"month": {"amount": "900.00", "currency": "EUR"}},
    "schedule": {"timezone": "Europe/Paris", "windows": [{"days": ["mon"], "from": "10:00", "to": "12:30"}]},
}  # fmt: skip


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


@pytest.fixture
def visitor(market: Market, buyer: Member) -> Visitor:
    return visitor_of(market, buyer)


def change(buyer: Member, orders: list[Any], **said: Any) -> Any:
    return buyer.request("POST", "/orders/many", {"orders": [order["id"] for order in orders], **said})


def read(visitor: Visitor, sheet: bytes) -> Any:
    path = "/buyer/orders/sheet/read"
    return visitor.open(path, "POST", {"csrf_token": visitor.token(path), "file": (io.BytesIO(sheet), "orders.csv")})


def saved(visitor: Visitor) -> bytes:
    return bytes(visitor.open("/buyer/orders/sheet").data)


def edited(sheet: bytes, **cells: str) -> bytes:
    """Return the sheet with other cells in its first order."""
    rows = list(csv.reader(io.StringIO(sheet.decode())))
    for name, text in cells.items():
        rows[1][rows[0].index(name)] = text
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def all_orders(buyer: Member) -> Any:
    return buyer.get("/orders")["items"]


def test_orders_are_changed_alike_by_percent_limits_and_state(market: Market, buyer: Member) -> None:
    orders = [market.make_order(buyer, price, caps={"day": 3, "total": 9}) for price in ("20.00", "10.01")]
    changed = change(buyer, orders, price_percent=-5, caps={"day": 8}, status="paused").json["items"]
    assert [one["price"]["amount"] for one in changed] == ["19.00", "9.51"]
    assert all((one["caps"], one["status"]) == ({"day": 8, "total": 9}, "paused") for one in changed)
    assert [one["id"] for one in changed] == [one["id"] for one in orders]


def test_one_that_cannot_be_changed_leaves_all_as_they_are_and_every_fault_is_named(
    market: Market, buyer: Member
) -> None:
    orders = [market.make_order(buyer, price) for price in ("20.00", "4.20", "4.30")]
    stranger = market.make_order(market.make_buyer())
    refused = change(buyer, [*orders, stranger], price_percent=-10)
    assert refused.status_code == 422
    assert {(one["field"], one["code"]) for one in refused.json["errors"]} == {
        ("orders.1.price.amount", "below_minimum_price"), ("orders.2.price.amount", "below_minimum_price"),
        ("orders.3.id", "unknown_order"),
    }  # fmt: skip
    assert {one["version"] for one in all_orders(buyer)} == {1}


@pytest.mark.parametrize("said", [{}, {"price_percent": 0}, {"price_percent": -91}, {"price_percent": 901}, {"status": "x"},
                                  {"caps": {"day": 0}}])  # fmt: skip
def test_a_change_of_many_that_cannot_be_is_refused(market: Market, buyer: Member, said: dict[str, Any]) -> None:
    order = market.make_order(buyer)
    assert change(buyer, [order], **said).status_code == 422
    assert change(buyer, [order, order], status="paused").status_code == 422
    assert change(buyer, [], status="paused").status_code == 422
    assert all_orders(buyer) == [order]


def test_changes_of_many_at_once_never_wait_for_each_other_in_a_circle(
    market: Market, buyer: Member, database_url: str
) -> None:
    orders = [
        market.make_order(buyer, vertical=("education", "solar")[number % 2], price="40.00") for number in range(6)
    ]
    calls = [lambda turn=turn: change(buyer, orders[:: 1 if turn % 2 else -1], caps={"day": 5 + turn}).status_code
             for turn in range(12)]  # fmt: skip
    with no_deadlocks(database_url, market.app):
        assert at_once(calls) == [200] * 12
    assert len({one["caps"]["day"] for one in all_orders(buyer)}) == 1


def test_a_sheet_read_back_changes_nothing(market: Market, buyer: Member, visitor: Visitor) -> None:
    market.make_order(buyer, name="=1+1", **RICH)
    market.make_order(buyer, name="'quoted", delivery={"kind": "http", "url": "https://example.com/x",
                      "headers": {"Authorization": "Bearer very-secret-7"}, "fields": {"mail": "contact.email"}})  # fmt: skip
    before, sheet = all_orders(buyer), saved(visitor)
    assert b"very-secret" not in sheet and b"\r\n" in sheet
    for row in csv.reader(io.StringIO(sheet.decode())):
        assert not any(cell.startswith(("=", "+", "@", "\t")) for cell in row), row
    answer = read(visitor, sheet)
    assert answer.status_code == 302, words_of(answer)
    assert all_orders(buyer) == before
    assert "2 orders stand as their lines say" in words_of(visitor.open("/buyer/orders"))


def test_a_line_without_an_id_places_the_same_order_again(market: Market, buyer: Member, visitor: Visitor) -> None:
    order = market.make_order(buyer, **RICH)
    answer = read(visitor, edited(saved(visitor), id="", version=""))
    assert answer.status_code == 302, words_of(answer)
    again, first = all_orders(buyer)
    own = ("id", "created_at", "changed_at", "version")
    assert {name: again[name] for name in again if name not in own} == {
        name: first[name] for name in first if name not in own
    }
    assert first == order


def test_an_empty_cell_lifts_a_limit_and_a_column_left_out_stays(
    market: Market, buyer: Member, visitor: Visitor
) -> None:
    order = market.make_order(buyer, caps={"day": 5, "week": 9}, regions=["FR"])
    assert read(visitor, edited(saved(visitor), cap_day="", regions="FR BE", price="21.50")).status_code == 302
    [now] = all_orders(buyer)
    assert (now["caps"], now["regions"], now["price"]["amount"]) == ({"week": 9}, ["FR", "BE"], "21.50")
    assert read(visitor, f"id,name\r\n{order['id']},short\r\n".encode()).status_code == 302
    [now] = all_orders(buyer)
    assert (now["name"], now["caps"], now["version"]) == ("short", {"week": 9}, 3)


def test_a_bad_sheet_says_every_fault_and_changes_nothing(market: Market, buyer: Member, visitor: Visitor) -> None:
    market.make_order(buyer)
    stale = edited(saved(visitor), name="stale")
    buyer.request("PATCH", f"/orders/{all_orders(buyer)[0]['id']}", {"name": "newer"})
    for sheet, says in (
        (stale, "is at version 2 by now"),
        (edited(saved(visitor), price="1.00", filters="{"), "Write the cell as the sheet had it"),
        (edited(saved(visitor), price="1.00", min_score="900"), "0 to 100"),
        (edited(saved(visitor), id="ord_x"), "Leave id and version"),
        (b"id,colour\r\n1,2\r\n", "is no column of this sheet"),
        (b"name\r\n", "Send a header and 1 to"),
        (b"\xff\xfe", "CSV in UTF-8"),
        (b"name,vertical,price\r\nx,education,20\r\ny,nothing,20\r\n", "Choose a vertical"),
    ):
        answer = read(visitor, sheet)
        assert answer.status_code == 200 and says in words_of(answer), (says, words_of(answer))
    [order] = all_orders(buyer)
    assert (order["name"], order["version"]) == ("newer", 2)


@given(st.text())
def test_a_cell_is_no_formula_and_reads_back_as_it_was(text: str) -> None:
    text = text.encode("utf-8", "replace").decode().replace("\0", "")
    assert _unsafe(_safe(text)) == text


def test_every_term_that_is_shown_has_a_column() -> None:
    shown = set(show_terms(OrderTerms(name="x", vertical="y", currency="EUR", price_minor=1)))
    assert shown - set(COLUMNS) == {"model", "caps", "budget"}


def test_ticked_orders_are_changed_from_the_list(market: Market, buyer: Member, visitor: Visitor) -> None:
    orders = [market.make_order(buyer), market.make_order(buyer)]
    ids = [order["id"] for order in orders]
    for deed, value, sees in (
        ("price", "10", "22.00"),
        ("day_cap", "7", "/ 7"),
        ("paused", "", "Paused"),
        ("day_cap", "", ""),
    ):
        answer = visitor.open("/buyer/orders", "POST", {"csrf_token": visitor.token("/buyer/orders"), "deed": deed,
                                                             "value": value, "orders": ids})  # fmt: skip
        assert answer.location == "/buyer/orders"
        said = words_of(visitor.open("/buyer/orders"))
        assert "2 orders are changed" in said and sees in said
    assert all(one["caps"] == {} and one["price"]["amount"] == "22.00" for one in all_orders(buyer))
    for deed, value, says in (("price", "x", "Write a whole number"), ("price", "-90", "Bid at least"), ("x", "", "")):
        refused = visitor.open("/buyer/orders", "POST", {"csrf_token": visitor.token("/buyer/orders"), "deed": deed,
                                                         "value": value, "orders": ids})  # fmt: skip
        assert refused.status_code == 200 and says in words_of(refused)
    assert {one["version"] for one in all_orders(buyer)} == {5}
