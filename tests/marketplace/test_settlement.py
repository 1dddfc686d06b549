"""A sale that nobody disputes is paid exactly once, exactly at its release; its reserve later, exactly once."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from core.errors import DomainError
from marketplace.jobs import run_due
from marketplace.leads import settlement
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import START
from tests.factories import Market, Member

RELEASE = START + timedelta(days=30)  # ten days of window, five to decide, fifteen of a new publisher's tier
MATURE = RELEASE + timedelta(days=45)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()


def sell(market: Market, publisher: Member, number: int, price: str = "20.00") -> Member:
    """Sell some leads to a buyer who pays for no more."""
    buyer = market.make_buyer("2000.00")
    market.make_order(buyer, price, caps={"total": number})
    for _ in range(number):
        assert publisher.post("/leads", market.lead())["status"] == "sold"
    return buyer


def amounts(publisher: Member) -> tuple[str, str, str]:
    balance = publisher.get("/balance")
    return balance["pending"]["amount"], balance["payable"]["amount"], balance["reserve"]["amount"]


def settle_at_once(app: Flask, workers: int) -> list[dict[str, int]]:
    def work() -> dict[str, int]:
        with app.app_context():
            return run_due(MATURE)

    return at_once([work] * workers)


def test_a_sale_is_settled_at_its_release_and_not_a_moment_before(market: Market, publisher: Member) -> None:
    sell(market, publisher, 1)
    assert run_due(RELEASE - MOMENT)["settlements"] == 0
    assert amounts(publisher) == ("14.00", "0.00", "0.00")
    assert run_due(RELEASE)["settlements"] == 1
    assert amounts(publisher) == ("0.00", "11.20", "2.80")


def test_settling_twice_is_settling_once(market: Market, publisher: Member) -> None:
    sell(market, publisher, 3)
    assert [run_due(RELEASE)["settlements"] for _ in range(3)] == [3, 0, 0]
    assert amounts(publisher) == ("0.00", "33.60", "8.40")


def test_a_disputed_sale_waits_while_others_are_settled(market: Market, publisher: Member) -> None:
    buyer = sell(market, publisher, 3)
    sale = buyer.get("/sales")["items"][1]["id"]
    buyer.post(f"/sales/{sale}/disputes", {"reason": "bot"})
    with transaction():
        assert settlement.settle_batch(MATURE) == 2
    assert buyer.get(f"/sales/{sale}")["state"] == "disputed"
    assert amounts(publisher)[0] == "14.00"


def test_a_reserve_matures_at_its_date_and_not_a_moment_before(market: Market, publisher: Member) -> None:
    sell(market, publisher, 2)
    run_due(RELEASE)
    assert run_due(MATURE - MOMENT)["reserves"] == 0
    assert amounts(publisher) == ("0.00", "22.40", "5.60")
    assert run_due(MATURE)["reserves"] == 2
    assert amounts(publisher) == ("0.00", "28.00", "0.00")
    assert run_due(MATURE)["reserves"] == 0


def test_a_settlement_that_comes_late_delays_no_reserve(market: Market, publisher: Member) -> None:
    sell(market, publisher, 2)
    done = run_due(MATURE)
    assert (done["settlements"], done["reserves"]) == (2, 2)
    assert amounts(publisher) == ("0.00", "28.00", "0.00")


@pytest.mark.parametrize("price", ["4.20", "4.21", "9.99", "10.01", "33.33"])
def test_what_the_buyer_pays_is_what_publisher_and_platform_get(
    market: Market, publisher: Member, database_url: str, price: str
) -> None:
    sell(market, publisher, 1, price)
    run_due(MATURE)
    [[sums]] = ask(database_url, "SELECT jsonb_object_agg(account, s) FROM (SELECT account, sum(amount_minor) AS s"
                                 " FROM billing.entries GROUP BY 1) AS x")  # fmt: skip
    [[paid, share]] = ask(database_url, "SELECT price_minor, payout_minor FROM marketplace.sales")
    assert share == (paid * 7 + 5) // 10
    assert (-sums["4000"], sums["5000"], -sums["2100"], sums["2110"], sums["2010"]) == (paid, share, share, 0, 0)


def test_batches_settle_more_sales_than_one_of_them_holds(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "BATCH", 4)
    sell(market, publisher, 11)
    done = run_due(MATURE)
    assert (done["settlements"], done["reserves"]) == (11, 11)


def test_workers_that_settle_at_once_settle_and_mature_each_sale_once(
    app: Flask, market: Market, publisher: Member, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settlement, "BATCH", 3)
    for _ in range(4):
        sell(market, publisher, 10)
    with no_deadlocks(database_url, app):
        done = settle_at_once(app, 6)
        rest = run_due(MATURE)
    assert sum(one["settlements"] for one in [*done, rest]) == 40
    assert sum(one["reserves"] for one in [*done, rest]) == 40
    assert amounts(publisher) == ("0.00", "560.00", "0.00")
    assert ask(database_url, "SELECT count(*) FROM marketplace.events WHERE move = 'delivered>settled'") == [(40,)]


def test_leads_are_sold_while_others_are_settled(
    app: Flask, market: Market, publisher: Member, database_url: str
) -> None:
    buyer = sell(market, publisher, 20)
    market.make_order(buyer, "20.00")

    def settle() -> None:
        with app.app_context():
            run_due(RELEASE)

    def post() -> Any:
        return publisher.post("/leads", market.lead())["status"]

    with no_deadlocks(database_url, app):
        answers = at_once([settle, settle, *[post] * 30], threads=8)
    assert answers.count("sold") == 30
    settle()
    assert {state for (state,) in ask(database_url, "SELECT DISTINCT state FROM marketplace.sales")} == {"settled"}


def test_every_settlement_tells_both_sides(market: Market, publisher: Member, database_url: str) -> None:
    buyer = sell(market, publisher, 1)
    run_due(RELEASE)
    [[payload]] = ask(database_url, "SELECT payload FROM core.outbox WHERE payload ->> 'event' = 'sale.settled'")
    assert len(payload["accounts"]) == 2
    assert payload["data"]["sale"] is not None
    assert buyer.get("/sales?state=settled")["items"] != []


def test_a_ledger_that_refuses_undoes_the_whole_batch(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(market, publisher, 2)
    real = vars(settlement)["resolve_holds"]

    def refuse(requests: Any, *more: Any) -> Any:
        outcomes = real(requests, *more)
        return [type(one)(one.hold_id, "conflict") for one in outcomes]

    with monkeypatch.context() as patch, pytest.raises((RuntimeError, DomainError)):
        patch.setattr(settlement, "resolve_holds", refuse)
        run_due(RELEASE)
    assert amounts(publisher) == ("28.00", "0.00", "0.00")
    assert run_due(RELEASE)["settlements"] == 2
