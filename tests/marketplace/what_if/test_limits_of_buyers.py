"""Limits over all orders of a buyer in a run: a day that has them comes out as it was, and a change moves them."""

from typing import Any

from flask import Flask

from core.db import db
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.what_if.day import Day, euros, live_a_day
from tests.marketplace.what_if.test_what_if import FIGURES, again, recorded


def limit(buyer: Member, **limits: Any) -> None:
    assert buyer.request("PUT", "/buyer-limits", limits).status_code == 200


def limits_of_the_day(market: Market) -> Any:
    def first(day: Day) -> None:
        market.make_order(day.buyers["laddered"], "16.50", name="more", caps={"hour": 2})
        market.make_order(day.buyers["third"], "7.80", name="more")
        limit(day.buyers["laddered"], timezone="Europe/Paris", caps={"hour": 1, "day": 6})
        limit(day.buyers["third"], budget={"day": euros("40.00")})
        limit(day.buyers["picky"], caps={"total": 7})

    return first


def test_a_day_with_limits_of_buyers_comes_out_as_it_was_to_the_cent(
    app: Flask, market: Market, clock: SetClock, database_url: str
) -> None:
    live_a_day(app, market, clock, leads=75, first=limits_of_the_day(market))
    capped = ask(database_url, "SELECT count(*) FROM marketplace.leads WHERE decision::text LIKE '%%buyer_capped%%'")
    assert capped[0][0] > 5
    instants = [row[0] for row in ask(database_url, "SELECT received_at FROM marketplace.leads ORDER BY received_at")]
    for since, how in ((START, {}), (START, {"by_model": True}), (instants[40], {"by_model": True})):
        report = again(since=since, **how)
        [vertical] = report["verticals"]
        assert {name: vertical["happened"][name] for name in FIGURES} == recorded(database_url, since)
        assert vertical["what_if"] == vertical["happened"] and report["decided"]["otherwise"] == 0, (since, how)


def post(market: Market, clock: SetClock, publisher: Member, leads: int) -> None:
    for _ in range(leads):
        clock.advance(minutes=5)
        publisher.post("/leads", market.lead())


def test_limits_hold_from_when_they_were_said_until_they_were_lifted(market: Market, clock: SetClock) -> None:
    publisher, buyer, other = market.make_publisher(), market.make_buyer(), market.make_buyer()
    dear, second = market.make_order(buyer, "20.00"), market.make_order(buyer, "19.00")
    market.make_order(other, "9.00")
    post(market, clock, publisher, 2)
    clock.advance(minutes=1)  # of one instant, what changes the market comes before its leads
    limit(buyer, caps={"day": 3}, budget={"day": euros("59.00")})  # the next one at 20.00 would be too much
    post(market, clock, publisher, 2)
    clock.advance(minutes=1)
    limit(buyer)
    post(market, clock, publisher, 1)
    db.session.rollback()
    for how in ({}, {"by_model": True}):
        [found] = again(**how)["verticals"]
        assert found["happened"]["turnover"] == found["what_if"]["turnover"] == "88.00"
    # Both orders are in one count: with the dear one paused, the budget lets the cheap one buy a third as well.
    [found] = again({"orders": {dear["id"]: {"status": "paused"}}})["verticals"]
    assert found["what_if"]["turnover"] == "85.00"
    [found] = again({"orders": {one["id"]: {"price": euros("10.00")} for one in (dear, second)}})["verticals"]
    assert found["what_if"]["turnover"] == "49.00"
