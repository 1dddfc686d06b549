"""What a run takes from the record: what only the moment knew, and what became of a lead once it was sold."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from billing import suspend_wallet
from core.db import db, transaction
from core.ids import parse_id
from core.outbound import Outbound
from marketplace.leads.delivery.courier import deliver_due
from marketplace.what_if.change import change_of
from marketplace.what_if.recorded import read_only
from marketplace.what_if.running import judged, run_again
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.endpoint import open_endpoint
from tests.marketplace.what_if.day import NO, euros

END = START + timedelta(days=1)


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def post(market: Market, clock: SetClock, publisher: Member, **said: Any) -> Any:
    clock.advance(minutes=5)
    return publisher.post("/leads", market.lead(**said))


def report(change: Any, since: Any = START, **how: Any) -> Any:
    db.session.rollback()
    with transaction():
        read_only()
        [one] = run_again(since, END, judged(change_of(change), since, END), **how)["verticals"]
    return one


def price(order: Any, amount: str) -> dict[str, Any]:
    return {"orders": {order["id"]: {"price": euros(amount)}}}


def test_who_could_not_buy_for_a_reason_of_the_moment_cannot_buy_now(
    app: Flask, market: Market, clock: SetClock, publisher: Member
) -> None:
    stopped = market.make_buyer()
    dear, cheap = market.make_order(stopped, "20.00"), market.make_order(market.make_buyer(), "9.00")
    with transaction():
        suspend_wallet(parse_id("acc", stopped.id), "EUR", clock.now())
    assert post(market, clock, publisher)["sales"][0]["price"] == euros("9.00")
    assert report(price(cheap, "11.00"))["what_if"]["turnover"] == "11.00"
    assert report(price(cheap, "11.00"), by_model=True)["what_if"]["turnover"] == "20.00"  # which does not know of it
    assert report(price(dear, "21.00"))["what_if"]["turnover"] == "21.00"  # nobody knows how another order had fared


def test_who_refused_a_lead_refuses_it_again_and_the_next_buyer_has_it(
    app: Flask, market: Market, clock: SetClock, publisher: Member
) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)
    with open_endpoint(answer=NO) as picky:
        first = market.make_order(market.make_buyer(), "20.00", delivery={"kind": "webhook", "url": picky.url})
        market.make_order(market.make_buyer(), "12.00", caps={"total": 1})
        third = market.make_order(market.make_buyer(), "9.00")
        for _ in range(2):
            post(market, clock, publisher)
            clock.advance(minutes=1)
            deliver_due(clock.now())
    found = report(price(first, "25.00"))
    assert (found["happened"]["turnover"], found["what_if"]["turnover"]) == ("21.00", "21.00")
    assert report(price(third, "15.00"))["what_if"]["turnover"] == "30.00"
    paused = report({"orders": {third["id"]: {"status": "paused"}}})["what_if"]
    assert (paused["turnover"], paused["reasons"]) == ("12.00", {"refused": 1})


def test_a_lead_that_was_returned_is_returned_by_whoever_has_it(
    app: Flask, market: Market, clock: SetClock, publisher: Member
) -> None:
    buyer, operator = market.make_buyer("30.00"), market.make_operator()
    first, other = market.make_order(buyer, "20.00"), market.make_order(market.make_buyer(), "9.00")
    post(market, clock, publisher)
    opened = buyer.post(f"/sales/{buyer.get('/sales')['items'][0]['id']}/disputes", {"reason": "bot"})
    clock.advance(minutes=1)
    operator.post(f"/disputes/{opened['id']}/resolve", {"decision": "uphold", "note": "a robot"})
    post(market, clock, publisher)  # for which the money that came back is needed
    moved = report({"orders": {first["id"]: {"status": "paused"}}})
    assert [moved["happened"][name] for name in ("turnover", "returned", "payout")] == ["40.00", "20.00", "14.00"]
    assert [moved["what_if"][name] for name in ("turnover", "returned", "payout")] == ["18.00", "9.00", "6.30"]
    assert report(price(other, "10.00"))["what_if"] == moved["happened"]


def test_whose_endpoint_was_paused_buys_nothing(app: Flask, market: Market, clock: SetClock, publisher: Member) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], allow_private_targets=True)
    other = market.make_order(market.make_buyer("9000.00"), "9.00")
    with open_endpoint(status=500) as broken:
        market.make_order(market.make_buyer("9000.00"), "20.00", delivery={"kind": "webhook", "url": broken.url})
        for _ in range(24):
            clock.advance(seconds=20)
            publisher.post("/leads", market.lead())
            clock.advance(seconds=1)
            deliver_due(clock.now())
    for how in ({}, {"by_model": True}):
        found = report(None, **how)
        assert found["what_if"] == found["happened"]
    last = clock.now()
    clock.advance(seconds=1)
    assert publisher.post("/leads", market.lead())["sales"][0]["price"] == euros("9.00")
    for since in (START, last):  # also when the pause began before the period
        found = report(price(other, "10.00"), since, by_model=True)
        assert found["what_if"]["sold"] == found["happened"]["sold"]


def test_a_person_who_was_sold_before_the_period_is_sold_no_second_time(
    app: Flask, market: Market, clock: SetClock, publisher: Member
) -> None:
    order = market.make_order(market.make_buyer(), "9.00")
    ada = {"first_name": "Ada", "email": "ada@example.com"}
    post(market, clock, publisher, contact=ada)
    since = clock.now() + timedelta(minutes=1)
    assert post(market, clock, publisher, contact=ada)["reasons"] == ["duplicate"]
    found = report(price(order, "10.00"), since)
    assert found["what_if"]["reasons"] == {"duplicate": 1}
    # Within the period it depends on whether the first is sold.
    unsold = report({"orders": {order["id"]: {"status": "paused"}}})["what_if"]
    assert unsold["reasons"] == {"no_order": 2}
