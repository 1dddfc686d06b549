"""Orders and sources that are placed while a vertical changes are judged by what it changes to."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from flask import Flask

from core.db import db, transaction
from marketplace.catalog.shelf import apply_vertical, get_vertical
from marketplace.catalog.verticals import Vertical
from tests.at_once import ask, wait_until
from tests.conftest import START
from tests.factories import Market

WAITS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def without_field(slug: str, name: str) -> Vertical:
    """Return a vertical's next version without one of its fields."""
    said = get_vertical(slug)[1].as_mapping()
    db.session.rollback()
    fields = [field for field in said["fields"] if field["name"] != name]
    return Vertical.load(said | {"version": said["version"] + 1, "fields": fields})


def while_it_changes(app: Flask, url: str, to: Vertical, call: Callable[[], Any]) -> Any:
    """Begin a change of a vertical, call, let the call wait, and commit; return what the call gave."""
    given: list[Any] = []

    def work() -> None:
        with app.app_context():
            given.append(call())

    caller = Thread(target=work)
    with transaction():
        apply_vertical(to, START, "cli")
        caller.start()
        wait_until(lambda: ask(url, WAITS))
    caller.join(20)
    return given[0]


@pytest.fixture
def after(app: Flask) -> Vertical:
    """Education without the field that the orders and sources of these tests name."""
    return without_field("education", "level")


def test_an_order_placed_while_its_vertical_changes_meets_the_new_one(
    app: Flask, database_url: str, market: Market, after: Vertical
) -> None:
    buyer = market.make_buyer()
    body = {"name": "x", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"},
            "filters": [{"field": "attributes.level", "op": "eq", "value": "mba"}]}  # fmt: skip
    answer = while_it_changes(app, database_url, after, lambda: buyer.request("POST", "/orders", body))
    assert answer.status_code == 422, answer.text
    assert buyer.get("/orders")["items"] == []


def test_an_order_changed_while_its_vertical_changes_meets_the_new_one(
    app: Flask, database_url: str, market: Market, after: Vertical
) -> None:
    buyer = market.make_buyer()
    order = market.make_order(buyer)
    patch = {"filters": [{"field": "attributes.level", "op": "eq", "value": "mba"}]}
    answer = while_it_changes(app, database_url, after, lambda: buyer.request("PATCH", f"/orders/{order['id']}", patch))
    assert answer.status_code == 422, answer.text


def test_a_source_registered_while_its_vertical_changes_meets_the_new_one(
    app: Flask, database_url: str, market: Market, after: Vertical
) -> None:
    publisher = market.make_publisher()
    body = {"dialect": "leadbyte", "name": "Fair", "vertical": "education", "region": "FR",
            "fields": {"attributes.level": "lvl"}}  # fmt: skip
    answer = while_it_changes(app, database_url, after, lambda: publisher.request("POST", "/sources", body))
    assert answer.status_code == 422, answer.text
