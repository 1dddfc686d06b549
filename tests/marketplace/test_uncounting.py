"""Sales that come to nothing at once are each taken out of their order's caps and budgets, whoever waits for whom."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask

from core.db import transaction
from core.ids import parse_id
from marketplace.leads.delivery.outcomes import give_up
from tests.at_once import ask, wait_until
from tests.conftest import SetClock
from tests.factories import Market, Member

WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
HOUR = "SELECT total_leads - leads_before[1], leads_ceiling - leads_before[1] FROM marketplace.order_counters"


class Hours:
    """A publisher, and a buyer with room for two leads an hour, whose sales all wait to be delivered."""

    def __init__(self, app: Flask, market: Market, clock: SetClock, url: str) -> None:
        self._app, self._clock, self._url = app, clock, url
        self.market, self.publisher, self.buyer = market, market.make_publisher(), market.make_buyer()
        market.make_order(self.buyer, "20.00", caps={"hour": 2}, budget={"hour": {"amount": "40.00", "currency": "EUR"}},
                          delivery={"kind": "webhook", "url": "https://buyer.example/leads"})  # fmt: skip

    def post(self) -> str:
        return str(
            Member(self._app, self.publisher.id, self.publisher.key).post("/leads", self.market.lead())["status"]
        )

    def held(self) -> list[Any]:
        return [parse_id("sale", sale["id"]) for sale in self.buyer.get("/sales")["items"] if sale["state"] == "held"]

    def end(self, sale: Any) -> None:
        with self._app.app_context(), transaction():
            give_up(sale, "failed", "nobody there", self._clock.now())

    def one_after_the_other(self, *calls: Callable[[], object]) -> None:
        """Make calls that all want the order's counters: each begins before the one before it is over."""
        with ThreadPoolExecutor(len(calls)) as pool, psycopg.connect(self._url) as connection:
            connection.execute("SELECT FROM marketplace.order_counters FOR UPDATE")
            begun = []
            for number, call in enumerate(calls, 1):
                begun.append(pool.submit(call))
                wait_until(lambda number=number: len(ask(self._url, WAITING)) == number)
            connection.commit()
            for one in begun:
                one.result(30)

    def room(self) -> tuple[Any, ...]:
        """Return how many leads count in this hour, and how many may."""
        return ask(self._url, HOUR)[0]


@pytest.fixture
def hours(app: Flask, market: Market, clock: SetClock, database_url: str) -> Hours:
    """Give an order that bought in the hour before all that it may, of which nothing is delivered yet."""
    made = Hours(app, market, clock, database_url)
    assert [made.post() for _ in range(3)] == ["sold", "sold", "unsold"]
    clock.advance(hours=1)
    return made


def test_two_sales_of_the_hour_before_that_fail_at_once_leave_the_hour_its_cap(hours: Hours) -> None:
    first, second = hours.held()
    assert hours.post() == "sold"
    hours.one_after_the_other(lambda: hours.end(first), lambda: hours.end(second))
    assert hours.room() == (1, 2)
    assert [hours.post() for _ in range(2)] == ["sold", "unsold"]


def test_a_sale_that_fails_while_the_hour_turns_over_costs_the_new_hour_no_room(hours: Hours) -> None:
    first, _ = hours.held()
    hours.one_after_the_other(hours.post, lambda: hours.end(first))
    assert hours.room() == (1, 2)
    assert [hours.post() for _ in range(2)] == ["sold", "unsold"]
