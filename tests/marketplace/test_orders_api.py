"""A buyer's standing orders over HTTP: placed, read, changed, and obeyed by the next lead."""

from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.ids import parse_id
from core.schemas import convert
from marketplace.orders.standing import change_order
from marketplace.orders.terms import OrderPatch
from tests.at_once import at_once
from tests.conftest import SetClock
from tests.factories import Market, Member


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer("1000.00")


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def change(buyer: Member, order: dict[str, Any], changes: dict[str, Any], **headers: str) -> Any:
    return buyer.request("PATCH", f"/orders/{order['id']}", changes, **headers)


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_an_order_is_shown_as_it_was_placed_and_what_was_left_out_is_unlimited(market: Market, buyer: Member) -> None:
    body = {
        "name": "Paris students", "vertical": "education", "regions": ["FR-IDF"], "model": "cpl", "price": euros("20.00"),
        "exclusivity": "shared", "max_share": 3, "min_score": 10, "temperatures": ["warm", "hot"],
        "filters": [{"field": "attributes.occupation", "op": "in", "value": ["student", "unemployed"]}],
        "caps": {"day": 50}, "budget": {"day": euros("500.00")},
        "schedule": {"timezone": "Europe/Paris", "windows": [{"days": ["mon", "tue"], "from": "09:00", "to": "18:00"}]},
        "delivery": {"kind": "none"}, "status": "active",
    }  # fmt: skip
    placed = buyer.request("POST", "/orders", body)
    assert placed.status_code == 201
    assert {name: placed.json[name] for name in body} == body
    assert buyer.get(f"/orders/{placed.json['id']}") == placed.json
    plain = market.make_order(buyer)
    assert (plain["caps"], plain["budget"], plain["filters"], plain["schedule"]) == ({}, {}, [], None)
    assert [order["id"] for order in buyer.get("/orders")["items"]] == [plain["id"], placed.json["id"]]


def test_every_fault_of_an_order_is_named_at_once_and_nothing_is_kept(buyer: Member) -> None:
    body = {
        "name": " ", "vertical": "education", "price": euros("4.19"), "regions": ["FR", "XX"], "caps": {"day": 0},
        "filters": [{"field": "attributes.nothing", "op": "eq", "value": 1}], "schedule": {"timezone": "Mars/Base"},
        "budget": {"day": {"amount": "5.00", "currency": "USD"}},
    }  # fmt: skip
    answer = buyer.request("POST", "/orders", body)
    assert answer.status_code == 422
    assert {error["field"].split(".")[0] for error in answer.json["errors"]} == {
        "name", "price", "regions", "caps", "filters", "schedule", "budget"
    }  # fmt: skip
    assert buyer.get("/orders")["items"] == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"price": euros("-20.00")}, 422), ({"price": euros("20.001")}, 422), ({"price": {"amount": 20, "currency": "EUR"}}, 400),
        ({"price": {"amount": "20.00", "currency": "USD"}}, 422), ({"caps": {"daily": 5}}, 400), ({"caps": {"day": "5"}}, 400),
        ({"status": "closed"}, 422), ({"vertical": "other"}, 422), ({"name": "nul\0"}, 400), ({"max_shares": 3}, 400),
        ({"caps": {"day": 10**30}}, 400), ({"min_score": -1}, 422), ({"regions": ["\ud800"]}, 400),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    market: Market, buyer: Member, changes: dict[str, Any], status: int
) -> None:
    order = market.make_order(buyer)
    answer = change(buyer, order, changes)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert buyer.get(f"/orders/{order['id']}") == order


def test_somebody_elses_order_cannot_be_found(market: Market, buyer: Member) -> None:
    order = market.make_order(market.make_buyer())
    assert buyer.request("GET", f"/orders/{order['id']}").status_code == 404
    assert change(buyer, order, {"status": "paused"}).status_code == 404
    assert buyer.get("/orders")["items"] == []


def test_publishers_place_no_orders(publisher: Member) -> None:
    assert publisher.request("POST", "/orders", {}).status_code == 403


def test_a_change_of_a_version_that_is_old_is_a_conflict(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer)
    etag = buyer.request("GET", f"/orders/{order['id']}").headers["ETag"]
    assert change(buyer, order, {"name": "first"}, If_Match=etag).status_code == 200
    late = change(buyer, order, {"name": "second"}, If_Match=etag)
    assert (late.status_code, late.json["code"]) == (409, "version_changed")
    assert buyer.get(f"/orders/{order['id']}")["name"] == "first"


def test_of_16_changes_at_once_of_the_same_version_one_is_made(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer)
    answers = at_once([lambda n=n: change(buyer, order, {"name": f"name {n}"}, If_Match='"1"') for n in range(16)])
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 15]


def test_a_change_that_changes_nothing_is_no_new_version(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, caps={"day": 5})
    assert change(buyer, order, {"caps": {"day": 5}, "name": "an order"}).json["version"] == 1


def test_placing_an_order_again_with_its_idempotency_key_places_one(market: Market, buyer: Member) -> None:
    body = {"name": "once", "vertical": "education", "price": euros("5.00")}
    answers = at_once([lambda: buyer.request("POST", "/orders", body, Idempotency_Key="k")] * 16)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert len(buyer.get("/orders")["items"]) == 1


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        ("sold", {"status": "paused"}, "unsold"), ("sold", {"regions": ["NL"]}, "unsold"), ("sold", {"min_score": 100}, "unsold"),
        ("sold", {"filters": [{"field": "channel", "op": "ne", "value": "search"}]}, "unsold"),
        ("sold", {"schedule": {"timezone": "UTC", "windows": [{"days": ["mon"], "from": "00:00", "to": "01:00"}]}}, "unsold"),
        ("sold", {"price": euros("1001.00")}, "unsold"), ("sold", {"caps": {"day": 1}}, "unsold"),
        ("sold", {"budget": {"total": euros("30.00")}}, "unsold"), ("sold", {"price": euros("25.00")}, "sold"),
    ],
)  # fmt: skip
def test_the_next_lead_obeys_a_change(
    market: Market, buyer: Member, publisher: Member, before: str, changes: dict[str, Any], after: str
) -> None:
    order = market.make_order(buyer, "20.00")
    assert publisher.post("/leads", market.lead())["status"] == before
    assert change(buyer, order, changes).status_code == 200
    assert publisher.post("/leads", market.lead())["status"] == after


def test_editing_an_order_gives_it_no_new_cap(market: Market, buyer: Member, publisher: Member) -> None:
    order = market.make_order(buyer, caps={"day": 2})
    for edit in ({"name": "another"}, {"price": euros("21.00")}, {"status": "paused"}, {"status": "active"}):
        publisher.post("/leads", market.lead())
        change(buyer, order, edit)
    assert publisher.post("/leads", market.lead())["status"] == "unsold"
    assert change(buyer, order, {"caps": {"day": None}}).json["caps"] == {}
    assert publisher.post("/leads", market.lead())["status"] == "sold"


def test_a_cap_that_is_set_later_counts_what_was_bought_before(
    market: Market, buyer: Member, publisher: Member
) -> None:
    order = market.make_order(buyer)
    for _ in range(3):
        publisher.post("/leads", market.lead())
    for cap, status in [(3, "unsold"), (4, "sold"), (4, "unsold")]:
        change(buyer, order, {"caps": {"day": cap}})
        assert publisher.post("/leads", market.lead())["status"] == status


def test_a_cap_resets_at_midnight_of_the_orders_zone(
    market: Market, buyer: Member, publisher: Member, clock: SetClock
) -> None:
    market.make_order(buyer, caps={"day": 1}, schedule={"timezone": "Asia/Tokyo"})
    said = []
    for hour in (14, 14, 15, 15, 23):  # midnight in Tokyo is 15:00 UTC
        clock.instant = clock.instant.replace(hour=hour)
        said.append(publisher.post("/leads", market.lead())["status"])
    assert said == ["sold", "unsold", "sold", "unsold", "unsold"]


def test_another_zone_counts_the_day_again_and_gives_no_second_one(
    app: Flask, market: Market, buyer: Member, publisher: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer, caps={"day": 2})
    said = []
    for zone in ("Asia/Tokyo", "America/New_York", "UTC", "Pacific/Kiritimati"):
        said.append(publisher.post("/leads", market.lead())["status"])
        assert change(buyer, order, {"schedule": {"timezone": zone}}).status_code == 200
    assert said == ["sold", "sold", "unsold", "unsold"]
    clock.advance(minutes=10)  # in Kiritimati a day began at 10:00 UTC, the very instant of both purchases
    assert publisher.post("/leads", market.lead())["status"] == "unsold"


def test_a_sale_of_a_newer_hour_that_overtakes_a_change_counts_in_that_hour(
    app: Flask, market: Market, buyer: Member, publisher: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer)
    began = clock.instant.replace(minute=59, second=59)
    clock.instant = began
    clock.advance(seconds=2)  # the change waited for the sale, over the border
    assert publisher.post("/leads", market.lead())["status"] == "sold"
    with app.app_context(), transaction():
        change_order(parse_id("acc", buyer.id), parse_id("ord", order["id"]),
                     convert({"caps": {"hour": 1}}, OrderPatch), "test", began)  # fmt: skip
    assert publisher.post("/leads", market.lead())["status"] == "unsold"


def test_limits_may_come_and_go_and_count_what_was_bought_without_them(
    market: Market, buyer: Member, publisher: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer)

    def post(count: int) -> list[str]:
        return [publisher.post("/leads", market.lead())["status"] for _ in range(count)]

    def limit(caps: dict[str, int | None]) -> None:
        assert change(buyer, order, {"caps": caps}).status_code == 200

    assert post(3) == ["sold"] * 3
    clock.advance(hours=1)
    assert post(1) == ["sold"]
    limit({"hour": 2, "day": 6})
    assert post(2) == ["sold", "unsold"]  # one of this hour counted already
    limit({"hour": None, "day": None})
    assert post(1) == ["sold"]
    limit({"day": 7})
    assert post(2) == ["sold", "unsold"]
    clock.advance(days=1)
    assert post(8) == ["sold"] * 7 + ["unsold"]
