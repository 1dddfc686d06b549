"""Whoever decides at once, a dispute is decided once, its hold ends once, and nobody waits for another forever."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from marketplace.jobs import run_due
from marketplace.leads.settlement import settle_batch
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import START, SetClock
from tests.deals import COMPENSATED, RELEASE, RETURNED, Deal
from tests.factories import Market

SILENT = START + timedelta(days=9)


def in_app(app: Flask, work: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> Any:
        with app.app_context():
            return work()

    return call


def test_silence_and_an_operator_at_once_decide_once(app: Flask, deal: Deal, database_url: str) -> None:
    opened = deal.dispute()
    due = [in_app(app, lambda: run_due(SILENT)["disputes_decided"])] * 4
    with no_deadlocks(database_url, app):
        at_once([*due, *[lambda: deal.decide(opened, "uphold").status_code] * 4])
    assert deal.money() in (RETURNED, COMPENSATED)
    assert (deal.money() == COMPENSATED) == (deal.now()["paid_by"] == "platform")
    assert ask(database_url, "SELECT count(*) FROM marketplace.events WHERE move = 'open>upheld'") == [(1,)]


def test_many_workers_close_each_hearing_and_pay_each_compensation_once(
    app: Flask, market: Market, database_url: str
) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("200.00")
    market.make_order(buyer)
    for _ in range(8):
        [sale] = publisher.post("/leads", market.lead())["sales"]
        buyer.post(f"/sales/{sale['id']}/disputes", {"reason": "bot"})
    with no_deadlocks(database_url, app):
        at_once([in_app(app, lambda: run_due(SILENT))] * 6)
    assert buyer.get("/wallet")["available"]["amount"] == "200.00"
    assert publisher.get("/balance")["payable"]["amount"] == "112.00"


@pytest.mark.parametrize("who", ["answer", "appeal"])
def test_of_many_who_speak_at_once_one_is_heard(deal: Deal, who: str) -> None:
    opened = deal.dispute()
    if who == "appeal":
        deal.decide(opened, "uphold")
    body = {"accept": False} if who == "answer" else {"note": "no"}
    answers = at_once([lambda: deal.publisher.request("POST", f"/disputes/{opened['id']}/{who}", body)] * 8)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}


def test_an_appeal_and_a_settlement_at_once_leave_one_winner(app: Flask, deal: Deal, clock: SetClock) -> None:
    opened = deal.dispute()
    deal.decide(opened, "reject")
    clock.advance(days=4)

    def settle() -> int:
        with transaction():
            return settle_batch(RELEASE)

    appeal = lambda: deal.buyer.request("POST", f"/disputes/{opened['id']}/appeal", {"note": "no"})  # noqa: E731
    answer, *settled = at_once([appeal, in_app(app, settle), in_app(app, settle)])
    assert (answer.status_code == 200) + sum(settled) == 1
    assert deal.state() == ("disputed" if answer.status_code == 200 else "settled")


def test_clusters_settlements_and_sales_at_once_wait_for_nobody_forever(
    app: Flask, market: Market, database_url: str
) -> None:
    publisher, operator = market.make_publisher(), market.make_operator()
    for _ in range(3):
        market.make_order(market.make_buyer("1000.00"), exclusivity="shared", max_share=3)
    for _ in range(10):
        publisher.post("/leads", market.lead(source={"name": "fair"}))
    body = {"by": "source", "publisher": publisher.id, "value": "fair", "decision": "uphold", "reason": "bot",
            "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}  # fmt: skip

    def settle() -> int:
        with transaction():
            return settle_batch(RELEASE)

    group = lambda: operator.post("/disputes/groups", body)["decided"]  # noqa: E731
    sell = lambda: len(publisher.post("/leads", market.lead())["sales"])  # noqa: E731
    with no_deadlocks(database_url, app):
        decided, *_ = at_once([group, in_app(app, settle), sell, sell, group, in_app(app, settle), sell])
    states = dict(ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1"))
    assert states.get("returned", 0) == decided
    assert sum(states.values()) == 39
