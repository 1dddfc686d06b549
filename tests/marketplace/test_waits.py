"""The calls of a process that wait for buyers are bounded, and hold nothing that others need."""

import threading
from dataclasses import replace

import pytest
from flask import Flask

from core.db import db, pool_of
from core.ids import new_id
from marketplace.leads.delivery.waits import Waits
from tests.at_once import wait_until
from tests.factories import Market
from tests.marketplace.endpoint import open_endpoint


def test_one_order_and_all_together_have_only_so_many_calls_that_wait() -> None:
    first, second, third = (new_id() for _ in range(3))
    waits = Waits(3, 2)
    assert [waits.enter(order) for order in (first, first, first, second, third)] == [True, True, False, True, False]
    waits.leave(first)
    assert waits.enter(third) and not waits.enter(first)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k-1"}])  # at the door, by the view
def test_a_call_that_waits_for_a_buyer_holds_no_connection(app: Flask, market: Market, headers: dict[str, str]) -> None:
    settings = app.extensions["leadbourse_settings"]
    app.extensions["leadbourse_settings"] = replace(settings, allow_private_targets=True)
    publisher = market.make_publisher()
    with open_endpoint() as slow:
        slow.open.clear()
        market.make_order(market.make_buyer(), delivery={"kind": "webhook", "url": slow.url, "mode": "sync"})
        before = _lent(app)
        posts = [
            threading.Thread(target=publisher.request, args=("POST", "/leads", market.lead()), kwargs=one)
            for one in (headers, {name: value + "a" for name, value in headers.items()})
        ]
        for post in posts:
            post.start()
        wait_until(lambda: len(slow.received) == 2)
        lent = _lent(app)
        slow.open.set()
        for post in posts:
            post.join()
    assert lent == before


def _lent(app: Flask) -> int:
    db.session.remove()
    pool_of(app).let_go()  # what is at hand is lent to nobody
    stats = pool_of(app).get_stats()
    return stats["pool_size"] - stats["pool_available"]
