"""Pauses that end by themselves: an order rests for two hours, and the clock lets it buy again, once."""

from typing import Any

import pytest

from core.db import db, transaction
from core.ids import parse_id
from marketplace.jobs import settle_due
from marketplace.leads.rests import end_rest
from tests.at_once import at_once
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.test_buyer_orders import only_order
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def rest(buyer: Member, order: Any, minutes: int = 120) -> Any:
    return buyer.request("POST", f"/orders/{order['id']}/rest", {"minutes": minutes})


def moves(order: Any) -> list[tuple[str, str]]:
    query = db.text("SELECT move, why FROM marketplace.events WHERE subject_id = :id ORDER BY id")
    with transaction() as session:
        return [(one.move, one.why) for one in session.execute(query, {"id": parse_id("ord", order["id"])})]


def test_an_order_rests_and_then_buys_again_by_itself(market: Market, buyer: Member, clock: SetClock) -> None:
    order, publisher = market.make_order(buyer), market.make_publisher()
    rested = rest(buyer, order).json
    assert (rested["status"], rested["version"]) == ("paused", 2) and rested["resumes_at"] is not None
    assert publisher.post("/leads", market.lead())["status"] == "unsold"
    clock.advance(minutes=119)
    assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 0}
    clock.advance(minutes=1)
    assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 1}
    after = only_order(buyer)
    assert (after["status"], after["version"], after["resumes_at"]) == ("active", 3, None)
    assert publisher.post("/leads", market.lead(contact={"email": "b@example.com"}))["status"] == "sold"
    assert [move for move, _ in moves(order)] == ["active>paused", "paused>active"]
    assert moves(order)[0][1].startswith("until 2026-")


def test_who_pauses_or_resumes_by_hand_is_not_overruled_by_the_clock(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer)
    for status in ("paused", "active"):
        rest(buyer, order)
        assert buyer.request("PATCH", f"/orders/{order['id']}", {"status": status}).json["resumes_at"] is None
        clock.advance(hours=3)
        assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 0}
        assert only_order(buyer)["status"] == status
        buyer.request("PATCH", f"/orders/{order['id']}", {"status": "active"})


def test_a_rest_outlives_a_change_of_something_else_and_asked_again_the_last_counts(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer)
    first = rest(buyer, order, 60).json["resumes_at"]
    assert buyer.request("PATCH", f"/orders/{order['id']}", {"name": "other"}).json["resumes_at"] == first
    assert rest(buyer, order, 180).json["resumes_at"] > first
    clock.advance(hours=2)
    assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 0}


@pytest.mark.parametrize(("minutes", "status"), [(4, 422), (10_081, 422), (-1, 422), ("120", 400)])
def test_a_rest_is_five_minutes_to_a_week(market: Market, buyer: Member, minutes: Any, status: int) -> None:
    order = market.make_order(buyer)
    assert rest(buyer, order, minutes).status_code == status and only_order(buyer)["status"] == "active"


def test_an_order_that_is_paused_without_an_end_does_not_rest(market: Market, buyer: Member) -> None:
    order = market.make_order(buyer, status="paused")
    assert rest(buyer, order).status_code == 409 and only_order(buyer)["resumes_at"] is None
    assert rest(market.make_buyer(), order).status_code == 404


def test_an_order_that_could_not_be_placed_any_more_stays_paused_and_says_why(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    order = market.make_order(buyer, "5.00")
    rest(buyer, order)
    with transaction() as session:
        session.execute(db.text("UPDATE marketplace.verticals SET book_version = book_version + 1, definition = jsonb_set(definition, '{min_price,amount}',"
                                " '\"9.00\"') WHERE slug = 'education'"))  # fmt: skip
    clock.advance(hours=2)
    assert settle_due(clock.now(), {"orders_rested": end_rest}) == {"orders_rested": 1}
    after = only_order(buyer)
    assert (after["status"], after["resumes_at"]) == ("paused", None)
    move, why = moves(order)[-1]
    assert move == "paused>paused" and "Bid at least 9.00 EUR" in why


def test_however_many_clocks_tick_an_order_resumes_once(market: Market, buyer: Member, clock: SetClock) -> None:
    orders = [market.make_order(buyer) for _ in range(4)]
    for order in orders:
        rest(buyer, order)
    now = clock.advance(hours=3)

    def tick() -> int:
        with market.app.app_context():
            return settle_due(now, {"orders_rested": end_rest})["orders_rested"]

    assert sum(at_once([tick] * 6)) == 4
    for order in orders:
        assert [move for move, _ in moves(order)] == ["active>paused", "paused>active"]


def test_the_database_refuses_an_end_of_what_is_not_paused(market: Market, buyer: Member) -> None:
    market.make_order(buyer)
    with pytest.raises(Exception, match="orders_resumes_check"), transaction() as session:
        session.execute(db.text("UPDATE marketplace.orders SET resumes_at = now()"))


def test_one_tap_pauses_for_two_hours_from_the_list_and_from_the_order(
    market: Market, buyer: Member, clock: SetClock
) -> None:
    order, visitor = market.make_order(buyer), visitor_of(market, buyer)
    assert "Pause for two hours" in words_of(visitor.open(f"/buyer/orders/{order['id']}"))
    answer = visitor.send(f"/buyer/orders/{order['id']}/status", "/buyer/orders", status="rest")
    assert answer.location == "/buyer/orders"
    assert "rests for two hours" in words_of(visitor.open("/buyer/orders"))
    assert "until" in words_of(visitor.open("/buyer/orders")) and only_order(buyer)["resumes_at"] is not None
    assert "until" in words_of(visitor.open(f"/buyer/orders/{order['id']}"))
