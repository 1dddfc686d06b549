"""Market data: counted days that say what trade was, the same however often they are counted, and nobody's own figures."""

from collections import Counter
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text

from core.db import db, transaction
from core.ids import parse_id
from marketplace.jobs import run_due
from marketplace.leads.models import Lead
from marketplace.market import counting
from marketplace.market.counting import OVER_AFTER, bounds_of, is_due
from marketplace.market.depth import buys_in
from marketplace.market.reading import last_day
from marketplace.market.rows import EVERYWHERE, MarketDay, OrderDay
from tests.at_once import at_once
from tests.conftest import START, SetClock
from tests.factories import Market, Member
from tests.marketplace.market_days import Trade, count, count_anew, make_trade
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

DAY = START.date()


@pytest.fixture
def trade(market: Market) -> Trade:
    """Let four leads go to each of three buyers, by caps; a thirteenth finds nobody."""
    made = make_trade(market, caps={"day": 4})
    made.post(13)
    return made


def rows() -> dict[str, MarketDay]:
    db.session.rollback()
    return {row.region: row for row in db.session.scalars(select(MarketDay).where(MarketDay.day == DAY))}


def told(member: Member, region: str = "FR-IDF") -> Any:
    return member.get(f"/market/now?vertical=education&region={region}")


def test_a_day_says_what_was_offered_sold_and_for_how_much(trade: Trade, clock: SetClock) -> None:
    assert count(clock.now())["market_days"] == 31
    found = rows()
    assert set(found) == {"FR-IDF", "FR", EVERYWHERE}
    for row in found.values():
        assert (row.offered, row.sold, row.sales, row.value_minor) == (13, 12, 12, 4 * (3000 + 2500 + 2000))
        assert len(row.buyers) == 3 and row.last_price_minor == 2000


def test_what_one_order_more_would_have_had_to_pay_is_counted_from_the_decisions(trade: Trade, clock: SetClock) -> None:
    count(clock.now())
    assert rows()["FR"].alone == {"3001": 4, "2501": 4, "2001": 4, "420": 1}


def test_a_day_counted_again_is_the_same(trade: Trade, clock: SetClock) -> None:
    def everything() -> list[Any]:
        db.session.rollback()
        tables = ("market_days", "order_days")
        return [db.session.execute(text(f"SELECT * FROM marketplace.{one} ORDER BY 1, 2, 3")).all() for one in tables]

    count(clock.now())
    first = everything()
    assert first[0] and first[1]
    count_anew(clock.advance(minutes=20))
    assert everything() == first
    assert count(clock.now())["market_days"] == 0


def test_a_region_counts_with_all_that_it_holds(market: Market, clock: SetClock) -> None:
    trade = make_trade(market)
    trade.post(2, region="FR-75C")
    trade.post(3, region="FR-ARA")
    count(clock.now())
    assert {region: row.offered for region, row in rows().items()} == {
        "FR-75C": 2, "FR-IDF": 2, "FR-ARA": 3, "FR": 5, EVERYWHERE: 5
    }  # fmt: skip


def test_tests_and_leads_of_private_deals_are_no_market(market: Market, clock: SetClock) -> None:
    trade = make_trade(market)
    starts, ends = (clock.now() + timedelta(days=days) for days in (0, 5))
    order = {"name": "mine", "vertical": "education", "price": {"amount": "9.00", "currency": "EUR"}}
    said = {"order": order, "volume": 2, "starts_at": starts.isoformat(), "ends_at": ends.isoformat()}
    brief = trade.buyers[0].post("/briefs", said)
    trade.publisher.post(f"/briefs/{brief['id']}/accept", {"leads": 2})
    trade.post(3)
    trade.post(1, test=True)
    count(clock.now())
    assert (rows()["FR"].offered, rows()["FR"].value_minor) == (1, 3000)


def test_of_two_who_count_a_day_at_once_one_does(app: Flask, trade: Trade, clock: SetClock) -> None:
    done: list[int] = []

    def step_in_app() -> None:
        with app.app_context():
            for _ in range(31):
                with transaction():
                    done.append(counting.count_next_day(clock.now()))

    at_once([step_in_app] * 4)
    assert sum(done) == 31
    count(clock.now())
    assert rows()["FR"].offered == 13


def test_a_crash_in_the_middle_of_a_day_leaves_it_to_be_counted(
    trade: Trade, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: object) -> None:
        raise RuntimeError("the machine stops")

    with monkeypatch.context() as patch:
        patch.setattr(counting, "_store", fall)
        with pytest.raises(RuntimeError):
            count(clock.now())
    db.session.rollback()
    assert count(clock.now())["market_days"] == 1 and rows()["FR"].offered == 13


def test_a_day_is_counted_hourly_until_its_deliveries_are_over_and_then_once_more() -> None:
    end = bounds_of(DAY)[1]
    assert is_due(DAY, None, START) and is_due(DAY, START, START + timedelta(hours=1))
    assert not is_due(DAY, START, START + timedelta(minutes=59))
    assert not is_due(DAY, end + OVER_AFTER, end + timedelta(days=9))
    assert is_due(DAY, end + OVER_AFTER - timedelta(minutes=1), end + OVER_AFTER)


def test_the_figures_are_told_with_everything_that_they_rest_on(trade: Trade, clock: SetClock) -> None:
    count(clock.now())
    shown = told(trade.buyers[0])
    assert (shown["offered"], shown["sold"], shown["sales"], shown["sell_through"]) == (13, 12, 12, 0.923)
    assert shown["last_price"] == {"amount": "20.00", "currency": "EUR"}
    assert shown["average_price"] == {"amount": "25.00", "currency": "EUR"}
    assert {one["figure"]: one["reason"] for one in shown["withheld"]} == {
        "days_to_money": "few_settled", "depth": "few_buyers"
    }  # fmt: skip
    shares = {one["price"]["amount"]: one["share"] for one in shown["win_rates"]["exclusive"]}
    assert shares["20.00"] == 0.0769 and shares["25.00"] == 0.3846 and shares["35.00"] == 1.0
    assert sum(one["sold"] for one in shown["days"]) == 12


@pytest.mark.parametrize(("buyers", "leads", "reason"), [(3, 9, "few_leads"), (2, 12, "few_buyers")])
def test_small_numbers_are_withheld_with_the_reason(
    market: Market, clock: SetClock, buyers: int, leads: int, reason: str
) -> None:
    trade = make_trade(market, ("30.00",) * buyers)
    trade.post(leads)
    count(clock.now())
    shown = told(trade.publisher)
    for figure in ("last_price", "average_price", "win_rates", "sold", "sales", "sell_through", "last_sold_at"):
        assert shown[figure] is None, figure
    assert shown["days"] == []
    reasons = {one["figure"]: one["reason"] for one in shown["withheld"]}
    assert reasons["last_price"] == reasons["win_rates"] == reason


def test_few_sales_are_withheld_though_many_leads_were_offered(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, caps={"day": 3})
    trade.post(12)
    count(clock.now())
    shown = told(trade.publisher)
    assert shown["offered"] == 12 and shown["sold"] is None
    assert {one["reason"] for one in shown["withheld"] if one["figure"] == "sold"} == {"few_sales"}


def test_an_operator_changes_how_much_it_takes(market: Market, trade: Trade, clock: SetClock) -> None:
    count(clock.now())
    assert told(trade.publisher)["sold"] == 12
    with transaction() as session:
        session.execute(text("INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
                             " ('market.least_buyers', 1, '', '4', 'user:x', 'a test', now())"))  # fmt: skip
    assert told(trade.publisher)["sold"] is None


def test_the_price_decides_nothing_where_leads_go_round(market: Market, trade: Trade, clock: SetClock) -> None:
    count(clock.now())
    with transaction() as session:
        session.execute(text("UPDATE marketplace.verticals SET book_version = book_version + 1, definition ="
                             " jsonb_set(definition, '{distribution,rule}', '\"round_robin\"') WHERE slug = 'education'"))  # fmt: skip
    shown = told(trade.publisher)
    assert shown["win_rates"] is None and shown["sold"] == 12
    assert {one["reason"] for one in shown["withheld"] if one["figure"] == "win_rates"} == {"not_by_price"}


def test_how_long_a_lead_takes_to_become_money_is_counted_on_the_day_of_its_settlement(
    market: Market, trade: Trade, clock: SetClock
) -> None:
    clock.advance(days=31)
    run_due(clock.now())
    shown = told(trade.publisher)
    assert shown["days_to_money"] == {"median": 31, "p90": 31}
    assert {one["figure"]: one["reason"] for one in shown["withheld"]}["sold"] == "few_leads"


def test_the_depth_counts_who_could_buy_now_in_steps_that_show_nobody(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, ("30.00", "29.50", "25.00", "25.10", "21.00", "12.00", "11.00"))
    market.make_order(trade.buyers[0], "44.00", status="paused")
    market.make_order(market.make_buyer("5.00"), "43.00")  # without the money
    for buyer in trade.buyers[1:4]:
        market.make_order(buyer, "42.00", regions=["ES"])
    closed = {"timezone": "Europe/Paris", "windows": [{"days": ["mon"], "from": "09:00", "to": "10:00"}]}
    market.make_order(trade.buyers[2], "41.00", schedule=closed)
    full = market.make_order(trade.buyers[3], "40.00", caps={"total": 1})
    trade.post(1)
    count(clock.now())
    depth = told(trade.publisher)["depth"]
    assert (depth["orders"], depth["buyers"]) == (7, 7)
    assert [(one["price_from"]["amount"], one["orders"]) for one in depth["steps"]] == [("24.00", 4), ("11.00", 3)]
    assert full["id"] not in str(depth)


def test_an_order_for_a_country_buys_in_its_parts_and_counts_in_what_holds_it() -> None:
    assert buys_in(["FR"], "FR-75C") and buys_in(["FR-75C"], "FR") and buys_in([], "ES") and buys_in(["ES"], EVERYWHERE)
    assert not buys_in(["FR-ARA"], "FR-IDF") and not buys_in(["ES"], "FR")


def test_everybody_reads_the_market_a_day_late_without_a_key(app: Flask, trade: Trade, clock: SetClock) -> None:
    reader = app.test_client()
    path = "/api/v1/market?vertical=education&region=FR"
    count(clock.now())
    early = reader.get(path)
    assert early.status_code == 200 and early.json["offered"] is None and early.json["until"] == "2026-11-20"
    count(clock.advance(days=1, hours=15))  # 01:00 on the 24th: the 22nd is over for 25 hours
    late = reader.get(path)
    assert (late.json["sold"], late.json["until"], late.json["delay_hours"]) == (12, "2026-11-22", 24)
    assert late.headers["Cache-Control"] == "public, max-age=300"
    again = reader.get(path, headers={"If-None-Match": late.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(
    ("hours", "last"),
    [(24, date(2026, 11, 20)), (0, date(2026, 11, 21)), (10, date(2026, 11, 21)), (11, date(2026, 11, 20))],
)
def test_a_day_is_told_once_it_was_over_for_the_delay(hours: int, last: date) -> None:
    assert last_day(START, hours) == last


def test_what_cannot_be_read_is_refused(app: Flask, client: Any) -> None:
    assert client.get("/api/v1/market").status_code == 404
    refused = client.get("/api/v1/market?vertical=education&region=Paris")
    assert (refused.status_code, refused.json["code"], refused.json["errors"][0]["code"]) == (
        400,
        "bad_filter",
        "unknown_region",
    )
    assert client.get("/api/v1/market/now?vertical=education").status_code == 401


def test_a_network_address_may_read_so_often_a_minute(app: Flask) -> None:
    with transaction() as session:
        session.execute(text("INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
                             " ('market.reads_a_minute', 1, '', '3', 'user:x', 'a test', now())"))  # fmt: skip
    reader = app.test_client()
    asked = [reader.get("/api/v1/market?vertical=education", environ_overrides={"REMOTE_ADDR": address}).status_code
             for address in ("192.0.2.1",) * 4 + ("192.0.2.2",)]  # fmt: skip
    assert asked == [200, 200, 200, 429, 200]


def test_orders_are_counted_by_what_became_of_them(trade: Trade, clock: SetClock) -> None:
    count(clock.now())
    db.session.rollback()
    ids: dict[UUID, int] = {parse_id("ord", order["id"]): place for place, order in enumerate(trade.orders)}
    found = {ids[row.order_id]: row for row in db.session.scalars(select(OrderDay))}
    assert found[0].outcomes == {"won": 4, "cap": 9}
    assert found[1].outcomes["won"] == 4 and found[1].outcomes["cap"] == 5
    assert found[2].outcomes == {"won": 4, "cap": 1}


def test_only_fresh_sales_make_the_price_of_a_day(trade: Trade, clock: SetClock) -> None:
    with transaction() as session:
        late = "UPDATE marketplace.sales SET sold_at = sold_at + interval '25 hours' WHERE price_minor = 3000"
        session.execute(text(late))
    count(clock.now())
    assert (rows()["FR"].sold, rows()["FR"].value_minor) == (8, 4 * (2500 + 2000))


def test_a_sale_that_came_to_nothing_is_no_trade(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, ("30.00",), delivery={"kind": "webhook", "url": "https://buyer.example/leads"})
    trade.post(1)
    assert run_due(clock.advance(hours=3))["deliveries"]
    count(clock.now())
    assert (rows()["FR"].offered, rows()["FR"].sold) == (1, 0)


def test_decisions_in_short_texts_are_counted_alike(market: Market, clock: SetClock) -> None:
    trade, poor = make_trade(market, caps={"day": 4}), market.make_buyer("1.00")
    for _ in range(18):
        market.make_order(poor, "40.00")
    trade.post(12)
    count(clock.now())
    assert isinstance(db.session.scalars(select(Lead.decision)).first()["tried"][0], str)
    assert rows()["FR"].alone == {"2001": 4, "2501": 4, "3001": 4} and rows()["FR"].sold == 12
    outcomes: Counter[str] = Counter()
    for row in db.session.scalars(select(OrderDay)):
        outcomes.update(row.outcomes)
    assert (outcomes["won"], outcomes["funds"], outcomes["cap"]) == (12, 18 * 12, 8 + 4)
    sale = next(one for buyer in trade.buyers for one in buyer.get("/sales")["items"])
    owner = next(one for one in trade.buyers if one.get("/sales")["items"])
    assert "stood first: nobody else gets it." in words_of(visitor_of(market, owner).open(f"/buyer/leads/{sale['id']}"))
