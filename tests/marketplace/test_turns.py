"""Among very many orders the first by turn are offered, page by page, and whoever would be next among all buys."""

from typing import Any

import msgspec
import pytest

from core.ids import parse_id
from marketplace.leads import intake
from marketplace.leads.auction import Candidate, Rules, choose
from tests.at_once import ask
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.test_distributed import change, shared

ORDERS = 9


@pytest.mark.parametrize("rule", ["round_robin", "weighted", "priority", "tiers"])
def test_the_same_orders_buy_as_if_all_had_been_offered(
    market: Market, clock: SetClock, database_url: str, monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    monkeypatch.setattr(intake, "FIRST_TURNS", 1)
    operator, publisher = market.make_operator(), market.make_publisher()
    change(operator, market, distribution={"rule": rule, "contest": "first", "fall_back": True})
    caps = [2 if number % 4 == 0 else None for number in range(ORDERS)]
    orders = [
        market.make_order(market.make_buyer(), f"{10 + number % 3}.00", **({"caps": {"total": cap}} if cap else {}))[
            "id"
        ]
        for number, cap in enumerate(caps)
    ]
    places = {order: 1 + number % 3 for number, order in enumerate(orders) if number % 5}
    said = [{"order": order, "priority": place, "target_share": place} for order, place in places.items()]
    assert operator.request("PUT", "/verticals/education/places", {"orders": said}).status_code == 200
    model = [candidate(order, number, places.get(order)) for number, order in enumerate(orders)]
    for turn in range(3 * ORDERS):
        able = [with_room(one, cap) for one, cap in zip(model, caps, strict=True)]
        wanted = choose(able, Rules(rule, "first", 3)).orders
        [sale] = publisher.post("/leads", market.lead())["sales"]
        [[bought]] = ask(
            database_url, "SELECT order_id FROM marketplace.sales WHERE id = %s", parse_id("sale", sale["id"])
        )
        assert (bought,) == wanted, turn
        model = [after(one, clock, wanted) for one in model]
        clock.advance(seconds=1)


def candidate(order: str, number: int, place: int | None) -> Candidate:
    order_id = parse_id("ord", order)
    return Candidate(order_id, order_id, (10 + number % 3) * 100, 1, priority=place, target_share=place)


def with_room(one: Candidate, cap: int | None) -> Candidate:
    return msgspec.structs.replace(one, refusal="capped" if cap and one.received >= cap else None)


def after(one: Candidate, clock: SetClock, buying: Any) -> Candidate:
    if one.order_id not in buying:
        return one
    return msgspec.structs.replace(one, received=one.received + 1, last_sold_at=clock.instant)


def test_several_and_capped_ones_at_the_front_are_passed_by_until_enough_could_buy(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "FIRST_TURNS", 2)
    operator, publisher = market.make_operator(), market.make_publisher()
    change(operator, market, distribution={"rule": "round_robin", "contest": "shared", "fall_back": True})
    for _ in range(12):
        market.make_order(market.make_buyer("0"), "10.00", **shared())  # never bought, so first, and without money
    for _ in range(4):
        market.make_order(market.make_buyer(), "8.00", **shared())
    assert [len(publisher.post("/leads", market.lead())["sales"]) for _ in range(4)] == [3] * 4
