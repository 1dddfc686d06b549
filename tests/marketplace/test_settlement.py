"""A sale that nobody disputes is paid exactly once, exactly at its release; its reserve later, exactly once."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from billing import HoldRequest, resolve_holds
from core.db import db, transaction
from marketplace.jobs import run_due
from marketplace.leads import settlement
from tests.at_once import ask, at_once, no_deadlocks, wait_until
from tests.conftest import START
from tests.factories import Market, Member

RELEASE = START + timedelta(days=30)  # ten days of window, five to decide, fifteen of a new publisher's tier
MATURE = RELEASE + timedelta(days=45)
MOMENT = timedelta(microseconds=1)
PROJECT = Path(__file__).resolve().parents[2]
WORKER = f"""
import os
import psycopg
with psycopg.connect(os.environ["DATABASE_URL"], application_name="doomed") as connection:
    connection.execute("SELECT marketplace.settle_due('{RELEASE.isoformat()}', 500, 'doomed')")
"""
STUCK = "SELECT pid FROM pg_stat_activity WHERE application_name = 'doomed' AND wait_event_type = 'Lock'"


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


def test_a_ledger_that_refuses_undoes_the_whole_batch(market: Market, publisher: Member, database_url: str) -> None:
    sell(market, publisher, 3)
    [[sale]] = ask(database_url, "SELECT id FROM marketplace.sales ORDER BY id DESC LIMIT 1")
    with transaction():
        assert [one.state for one in resolve_holds([as_settled(database_url, sale)], "test", RELEASE)] == ["resolved"]
    change(database_url, "UPDATE marketplace.sales SET payout_minor = payout_minor - 1 WHERE id = %s", sale)
    with pytest.raises(DBAPIError, match=r"refused to settle .* conflict"):
        run_due(RELEASE)
    assert ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1") == [("delivered", 3)]
    assert ask(database_url, "SELECT FROM core.outbox WHERE payload ->> 'event' = 'sale.settled'") == []
    change(database_url, "UPDATE marketplace.sales SET payout_minor = payout_minor + 1 WHERE id = %s", sale)
    assert run_due(RELEASE)["settlements"] == 3
    assert amounts(publisher) == ("0.00", "33.60", "8.40")


def test_a_hold_resolved_before_its_sale_knew_is_settled_all_the_same(
    market: Market, publisher: Member, database_url: str
) -> None:
    sell(market, publisher, 1)
    [[sale]] = ask(database_url, "SELECT id FROM marketplace.sales")
    with transaction():
        resolve_holds([as_settled(database_url, sale)], "test", RELEASE)
    assert run_due(RELEASE)["settlements"] == 1
    assert amounts(publisher) == ("0.00", "11.20", "2.80")


def test_reserves_end_after_whole_days_whatever_the_zone_of_the_session(
    market: Market, publisher: Member, database_url: str
) -> None:
    """The clocks of Paris go forward on 28 March 2027, while the second reserve is kept."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE " + connection.info.dbname + " SET timezone TO 'Europe/Paris'")
    sell(market, publisher, 1)
    change(database_url, "UPDATE marketplace.sales SET release_at = '2027-03-01T10:00:00Z'")
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("Europe/Paris",)
        connection.execute("SELECT marketplace.settle_due('2027-03-02T00:00:00Z', 10, 'test')")
    [[matures]] = ask(database_url, "SELECT matures_at FROM billing.reserve_lots")
    assert matures == datetime(2027, 4, 15, 10, tzinfo=UTC)


def test_a_worker_killed_in_mid_batch_leaves_each_sale_to_be_settled_once(
    market: Market, publisher: Member, database_url: str
) -> None:
    """The worker waits within its batch for an earner whom somebody else holds; there it dies, as by kill -9."""
    sell(market, publisher, 5)
    with transaction():
        settle_one(database_url)
    environment = os.environ | {"DATABASE_URL": database_url, "PYTHONPATH": str(PROJECT)}
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM billing.earners FOR UPDATE")
        with subprocess.Popen([sys.executable, "-c", WORKER], env=environment, cwd=PROJECT) as worker:
            wait_until(lambda: ask(database_url, STUCK))
            worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not ask(database_url, STUCK.replace("AND wait_event_type = 'Lock'", "")))
    assert ask(database_url, "SELECT state, count(*) FROM marketplace.sales GROUP BY 1 ORDER BY 1") == [
        ("delivered", 4), ("settled", 1)]  # fmt: skip
    assert run_due(RELEASE)["settlements"] == 4
    assert amounts(publisher) == ("0.00", "56.00", "14.00")
    assert ask(database_url, "SELECT count(*) FROM marketplace.events WHERE move = 'delivered>settled'") == [(5,)]


def settle_one(url: str) -> None:
    db.session.execute(text("SELECT marketplace.settle_due(:at, 1, 'test')"), {"at": RELEASE})


def as_settled(url: str, sale: UUID) -> HoldRequest:
    """Return what settlement asks the ledger for, of a sale."""
    [[publisher_id]] = ask(url, "SELECT publisher_id FROM marketplace.sales WHERE id = %s", sale)
    return HoldRequest(sale, 2000, publisher_id, 1400, 280, MATURE, "settled")


def change(url: str, statement: str, *values: Any) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement, values or None)
