"""The watch over first contacts: each alert once, to the buyer alone, and a pause only for who asked for it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from core.clock import as_rfc3339
from marketplace.jobs import run_due
from marketplace.leads import contact_watch
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import START, SetClock
from tests.factories import Market, Member


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def buy(market: Market, number: int, region: str = "FR-IDF", **terms: Any) -> tuple[Member, Any]:
    """Sell some leads of a region to one new order of a new buyer and return both."""
    publisher, buyer = market.make_publisher(), market.make_buyer()
    order = market.make_order(buyer, regions=[region], **terms)
    for _ in range(number):
        assert publisher.post("/leads", market.lead(region=region))["status"] == "sold"
    return buyer, order


def say(buyer: Member, sale: str, status: str = "attempted", **more: Any) -> None:
    buyer.post(f"/sales/{sale}/disposition", {"status": status} | more)


def news_of(url: str, event: str) -> list[tuple[Any, Any]]:
    """Return accounts and data of what the outbox holds of an event."""
    query = (
        "SELECT payload -> 'accounts', payload -> 'data' FROM core.outbox WHERE payload ->> 'event' = %s ORDER BY id"
    )
    return ask(url, query, event)


def test_the_watch_stores_the_clock_that_was_shown_before(market: Market, clock: SetClock) -> None:
    schedule = {"timezone": "Europe/Paris", "windows": [{"days": ["sun"], "from": "10:00", "to": "11:04"}]}
    buyer, _ = buy(market, 1, schedule=schedule)
    before = buyer.get("/sales")
    assert before["items"][0]["contact_due_at"] == "2026-11-29T09:01:00Z"
    assert run_due(clock.now())["contact_clocks"] == 1
    assert buyer.get("/sales") == before
    assert run_due(clock.now())["contact_clocks"] == 0


def test_more_sales_than_a_batch_holds_get_their_clock_and_their_alert(
    market: Market, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_watch, "BATCH", 3)
    buy(market, 7)
    done = run_due(minutes(6))
    assert (done["contact_clocks"], done["contacts_late"]) == (7, 7)
    assert len(news_of(database_url, "sale.contact_late")) == 7


def test_a_look_far_ahead_misses_no_later_sale(market: Market, clock: SetClock) -> None:
    buy(market, 1)
    assert run_due(START + timedelta(days=20))["contact_clocks"] == 1
    clock.advance(days=1)
    buy(market, 2)
    assert run_due(clock.now())["contact_clocks"] == 2


def test_a_late_sale_is_told_to_its_buyer_once_and_not_a_moment_early(market: Market, database_url: str) -> None:
    buy(market, 1)
    assert run_due(minutes(5))["contacts_late"] == 0
    assert [run_due(minutes(6))["contacts_late"] for _ in range(2)] == [1, 0]
    [(accounts, data)] = news_of(database_url, "sale.contact_late")
    [[account]] = ask(database_url, "SELECT buyer_id FROM marketplace.sales")
    assert accounts == [str(account)] and datetime.fromisoformat(data["due_at"]) == minutes(5)


def test_a_touched_sale_is_not_late(market: Market, clock: SetClock) -> None:
    buyer, _ = buy(market, 1)
    clock.instant = minutes(30)
    say(buyer, buyer.get("/sales")["items"][0]["id"])
    assert run_due(minutes(60))["contacts_late"] == 0


def test_what_went_back_is_not_announced(market: Market, database_url: str) -> None:
    buyer, _ = buy(market, 1)
    dispute = buyer.post(f"/sales/{buyer.get('/sales')['items'][0]['id']}/disputes", {"reason": "bot"})
    market.make_operator().post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    run_due(minutes(60))
    assert news_of(database_url, "sale.contact_late") == []


def test_workers_that_watch_at_once_announce_each_sale_once(app: Flask, market: Market, database_url: str) -> None:
    buyer, _ = buy(market, 12, contact_sla=True)

    def watch() -> dict[str, int]:
        with app.app_context():
            return run_due(minutes(300))

    done = at_once([watch] * 6)
    run_due(minutes(300))
    assert sum(each["orders_paused"] for each in done) <= 1
    assert len(news_of(database_url, "sale.contact_late")) == 12
    assert len(news_of(database_url, "order.paused")) == 1
    assert [one["status"] for one in buyer.get("/orders")["items"]] == ["paused"]


def test_a_follow_up_is_told_once_for_each_agreed_time(market: Market, clock: SetClock, database_url: str) -> None:
    buyer, _ = buy(market, 1)
    sale = buyer.get("/sales")["items"][0]["id"]
    for hour in (2, 4):
        clock.advance(minutes=1)
        say(buyer, sale, "contacted", follow_up_at=as_rfc3339(minutes(60 * hour)))
        assert run_due(minutes(60 * hour - 1))["follow_ups_due"] == 0
        assert [run_due(minutes(60 * hour))["follow_ups_due"] for _ in range(2)] == [1, 0]
    assert [datetime.fromisoformat(data["follow_up_at"]) for _, data in news_of(database_url, "sale.follow_up_due")] == [
        minutes(120), minutes(240)]  # fmt: skip


def test_an_order_that_asked_is_paused_when_its_leads_are_left_alone(market: Market, database_url: str) -> None:
    buyer, order = buy(market, 10, contact_sla=True)
    assert order["contact_sla"] is True
    for sale in buyer.get("/sales")["items"][:6]:
        say(buyer, sale["id"])
    assert run_due(minutes(239))["orders_paused"] == 0
    assert run_due(minutes(240))["orders_paused"] == 1
    paused = buyer.get(f"/orders/{order['id']}")
    assert (paused["status"], paused["version"]) == ("paused", 2)
    why = "4 of 10 leads untouched within the open hours for it"
    events = ask(database_url, "SELECT move, actor, why FROM marketplace.events WHERE move = 'active>paused'")
    assert events == [("active>paused", "system:contact", why)]
    assert [data["why"] for _, data in news_of(database_url, "order.paused")] == [why]
    assert market.make_publisher().post("/leads", market.lead())["status"] == "unsold"


def test_several_orders_are_paused_while_their_buyer_changes_them(
    market: Market, database_url: str, app: Flask
) -> None:
    owners = [buy(market, 10, region, contact_sla=True) for region in ("FR-IDF", "FR-ARA", "FR-BRE")]

    def watch() -> None:
        with app.app_context():
            run_due(minutes(240))

    def rename(buyer: Member, order: str) -> None:
        assert buyer.request("PATCH", f"/orders/{order}", {"name": "another name"}).status_code == 200

    with no_deadlocks(database_url, app):
        renames = [lambda buyer=buyer, order=order: rename(buyer, order["id"]) for buyer, order in owners]
        at_once([*[watch] * 3, *renames])
    run_due(minutes(240))
    shown = [buyer.get(f"/orders/{order['id']}") for buyer, order in owners]
    assert [(one["status"], one["name"], one["version"]) for one in shown] == [("paused", "another name", 3)] * 3
    assert len(news_of(database_url, "order.paused")) == 3


@pytest.mark.parametrize(("sales", "touched", "asked"), [(10, 7, True), (9, 0, True), (10, 0, False)])
def test_other_orders_are_not_paused(market: Market, sales: int, touched: int, asked: bool) -> None:
    buyer, order = buy(market, sales, **({"contact_sla": True} if asked else {}))
    for sale in buyer.get("/sales")["items"][:touched]:
        say(buyer, sale["id"])
    assert run_due(minutes(600))["orders_paused"] == 0
    assert buyer.get(f"/orders/{order['id']}")["status"] == "active"


def test_who_resumes_the_order_starts_anew(market: Market, clock: SetClock) -> None:
    buyer, order = buy(market, 10, contact_sla=True)
    clock.instant = minutes(240)
    assert run_due(clock.now())["orders_paused"] == 1
    buyer.request("PATCH", f"/orders/{order['id']}", {"status": "active"})
    assert run_due(minutes(500))["orders_paused"] == 0
    publisher = market.make_publisher()
    for _ in range(10):
        publisher.post("/leads", market.lead())
    assert run_due(minutes(480))["orders_paused"] == 1


def test_closed_hours_do_not_count_against_an_order(market: Market) -> None:
    # Sold on a Sunday at 11:00 in Paris; the order closes at noon and opens on Monday at nine.
    hours = [{"days": ["sun"], "from": "10:00", "to": "12:00"}, {"days": ["mon"], "from": "09:00", "to": "18:00"}]
    buy(market, 10, contact_sla=True, schedule={"timezone": "Europe/Paris", "windows": hours})
    monday_noon = datetime.fromisoformat("2026-11-23T12:00:00+01:00")
    assert run_due(monday_noon - timedelta(seconds=1))["orders_paused"] == 0
    assert run_due(monday_noon)["orders_paused"] == 1
