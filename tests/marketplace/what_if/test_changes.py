"""What a change may say, and what it may not: each fault with its own code and sentence, all of them at once."""

import json
import os
import subprocess
from contextlib import nullcontext
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import as_rfc3339
from core.db import db, transaction
from core.errors import Invalid
from marketplace.cli import running, what_if
from marketplace.what_if.change import NOTHING, change_of, read_change
from marketplace.what_if.fates import Fate
from marketplace.what_if.recorded import read_only
from marketplace.what_if.running import judged, run_again
from tests.at_once import ask
from tests.command_line import run_program
from tests.conftest import START, SetClock
from tests.factories import Market
from tests.marketplace.test_distributed import change
from tests.marketplace.what_if.day import euros

END = START + timedelta(days=1)
LOST = "ord_01h455vb4pex5vsknk084sn02q"
NOBODY = "acc_01h455vb4pex5vsknk084sn02q"


def faults(change: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught, transaction():
        judged(change_of(change), START, END)
    assert caught.value.code == "invalid_change"
    assert all(fault.message for fault in caught.value.faults)
    return [(fault.field, fault.code) for fault in caught.value.faults]


def test_an_empty_change_supposes_nothing() -> None:
    for nothing in ("", "{}", "orders: {}", "# only a remark"):
        assert read_change(nothing) == NOTHING


def test_unknown_keys_wrong_types_and_what_cannot_change_are_named_together() -> None:
    with pytest.raises(Invalid) as caught:
        read_change("""
orders: {ord_x: {prize: 1, delivery: {kind: none}, price: 12.50}}
verticals: {education: {currency: USD, dedupe_days: 5, buyers_ceiling: 9, rule: tiers}}
publishers: {acc_x: {share_bp: 10001}}
places: [{order: ord_x, priority: 0}]
colour: red
""")
    assert sorted((fault.field, fault.code) for fault in caught.value.faults) == [
        ("colour", "unknown_field"), ("orders.ord_x.delivery", "cannot_change"), ("orders.ord_x.price", "wrong_type"),
        ("orders.ord_x.prize", "unknown_field"), ("places.0.priority", "out_of_range"),
        ("publishers.acc_x.share_bp", "out_of_range"), ("verticals.education.buyers_ceiling", "out_of_range"),
        ("verticals.education.currency", "cannot_change"), ("verticals.education.dedupe_days", "cannot_change"),
        ("verticals.education.rule", "unknown_field"),
    ]  # fmt: skip
    with pytest.raises(Invalid) as caught:
        read_change("orders: [")
    assert [fault.code for fault in caught.value.faults] == ["not_yaml"]


def test_what_is_not_there_is_named(app: Flask, market: Market, clock: SetClock) -> None:
    order = market.make_order(market.make_buyer())["id"]
    publisher = market.make_publisher()
    clock.advance(minutes=1)
    publisher.post("/leads", market.lead())
    new = {"name": "n", "vertical": "astrology", "price": euros("9.00")}
    assert faults({
        "orders": {LOST: {"status": "paused"}, "x": {}}, "verticals": {"astrology": {}},
        "places": [{"order": LOST}, {"order": order}, {"order": order}], "publishers": {NOBODY: {"share_bp": 5000}},
        "sources": [{"publisher": publisher.id, "source": "other", "vertical": "education"},
                    {"publisher": NOBODY, "source": "default", "vertical": "astrology"}],
        "new_orders": [{"buyer": publisher.id, "order": new}], "funds": [{"buyer": NOBODY, "amount": euros("1.00")}],
    }) == [
        (f"orders.{LOST}", "unknown_order"), ("orders.x", "unknown_order"), ("places.0.order", "unknown_order"),
        ("places.2.order", "said_twice"), ("verticals.astrology", "unknown_vertical"),
        ("new_orders.0.buyer", "unknown_buyer"), ("new_orders.0.order.vertical", "unknown_vertical"),
        ("sources.0.source", "unknown_source"), ("sources.1.publisher", "unknown_publisher"),
        ("sources.1.vertical", "unknown_vertical"), (f"publishers.{NOBODY}", "unknown_publisher"),
        ("funds.0.buyer", "unknown_buyer"),
    ]  # fmt: skip


def test_values_that_contradict_are_named(app: Flask, market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer(), market.make_publisher()
    order = market.make_order(buyer)["id"]
    brief = buyer.post("/briefs", {"order": {"name": "b", "vertical": "education", "price": euros("12.00")}, "volume": 3,
                                   "ends_at": as_rfc3339(END)})  # fmt: skip
    publisher.post(f"/briefs/{brief['id']}/accept")
    [[deal]] = [[one["id"] for one in buyer.get("/orders")["items"] if one["id"] != order]]
    clock.advance(minutes=1)
    publisher.post("/leads", market.lead())
    source = {"publisher": publisher.id, "source": "default", "vertical": "education"}
    assert faults({
        "orders": {order: {"price": euros("1.00"), "caps": {"day": 0}, "filters": [
            {"field": "attributes.age_of_moon", "op": "eq", "value": 1}]}, deal: {"price": euros("15.00")}},
        "verticals": {"education": {"margin": [{"from": "1.00", "bp": 5}],
                                    "distribution": {"rule": "tiers", "contest": "first", "fall_back": False}}},
        "sources": [source | {"exclusive_only": True, "most_buyers": 2, "min_price": {"amount": "1.00", "currency": "USD"}},
                    source | {"min_price": euros("0.00")}],
    }) == [
        (f"orders.{order}.price.amount", "below_minimum_price"), (f"orders.{order}.filters.0.field", "unknown_field"),
        (f"orders.{order}.caps.day", "out_of_range"), (f"orders.{deal}", "deal_stands"),
        ("verticals.education.margin.0.from", "out_of_order"),
        ("verticals.education.distribution.fall_back", "not_for_contest"),
        ("sources.0.min_price.currency", "wrong_currency"), ("sources.0", "one_of_two"),
        ("sources.1.min_price", "not_positive"),
    ]  # fmt: skip


def test_a_period_that_ends_before_it_begins_is_refused(app: Flask) -> None:
    with pytest.raises(Invalid) as caught, transaction():
        judged(NOTHING, END, START)
    assert (caught.value.code, caught.value.faults[0].code) == ("invalid_period", "ends_before_it_begins")


def test_a_run_cannot_write_and_leaves_no_row(app: Flask, market: Market, clock: SetClock, database_url: str) -> None:
    market.make_order(market.make_buyer())
    clock.advance(minutes=1)
    market.make_publisher().post("/leads", market.lead())
    db.session.rollback()
    counted = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
    with transaction() as session:
        read_only()
        before = session.scalar(text(counted))
        report = run_again(START, END, judged(NOTHING, START, END))
        assert session.scalar(text("SHOW transaction_read_only")) == "on" and session.scalar(text(counted)) == before
        with pytest.raises(DBAPIError) as caught:
            session.execute(text("UPDATE marketplace.leads SET score = 1"))
        assert isinstance(caught.value.orig, psycopg.errors.ReadOnlySqlTransaction)
        db.session.rollback()
    assert report["in_all"][0]["happened"]["sold"] == 1
    assert ask(database_url, "SELECT count(*) FROM marketplace.leads WHERE score = 1") == [(0,)]


def test_a_new_order_more_money_and_a_share_move_the_figures(app: Flask, market: Market, clock: SetClock) -> None:
    buyer, publisher = market.make_buyer("25.00"), market.make_publisher()
    market.make_order(buyer, "20.00")
    for _ in range(3):
        clock.advance(minutes=5)
        publisher.post("/leads", market.lead())

    def moved(**change: Any) -> tuple[Any, ...]:
        with transaction():
            read_only()
            [one] = run_again(START, END, judged(change_of(change), START, END))["in_all"]
        return tuple(one["difference"][name] for name in ("sold", "turnover", "payout", "margin"))

    clock.advance(minutes=5)
    other = market.make_buyer("100.00")
    new = {"name": "n", "vertical": "education", "price": euros("12.00")}
    assert moved() == (0, "0.00", "0.00", "0.00")
    assert moved(funds=[{"buyer": buyer.id, "amount": euros("15.00")}]) == (1, "20.00", "14.00", "6.00")
    assert moved(new_orders=[{"buyer": other.id, "order": new}]) == (0, "0.00", "0.00", "0.00")  # he had no money then
    assert moved(new_orders=[{"buyer": buyer.id, "order": new}]) == (0, "0.00", "0.00", "0.00")
    paid_in = {"buyer": other.id, "amount": euros("12.00")}
    assert moved(new_orders=[{"buyer": other.id, "order": new}], funds=[paid_in]) == (1, "12.00", "8.40", "3.60")
    assert moved(publishers={publisher.id: {"share_bp": 8000}}) == (0, "0.00", "2.00", "-2.00")
    assert moved(verticals={"education": {"min_price": euros("21.00")}}) == (-1, "-20.00", "-14.00", "-6.00")


def test_a_partial_credit_is_kept_in_proportion() -> None:
    class Made:
        price_minor, payout_minor = 1000, 700

    fate = Fate("settled", START, 2000, 500)
    assert (fate.credit_of(1000), fate.back_of(1000), fate.payout_of(Made())) == (250, 250, 525)
    assert Fate("refused", START).back_of(1000) == 1000 and Fate("refused", START).payout_of(Made()) == 0


def test_the_command_prints_a_table_and_names_what_it_cannot_read(
    market: Market, clock: SetClock, database_url: str, tmp_path: Path
) -> None:
    order = market.make_order(market.make_buyer())["id"]
    clock.advance(minutes=1)
    market.make_publisher().post("/leads", market.lead())
    (tmp_path / "change.yaml").write_text(f"orders: {{{order}: {{status: paused}}}}")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return run_program("what-if", *more, environment=os.environ | {"DATABASE_URL": database_url})

    done = run("--from", "2026-11-22", "--to", "2026-11-23", "--change", str(tmp_path / "change.yaml"))
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["turnover", "20.00", "0.00", "-20.00"] in lines and ["no_order", "0", "1", "1"] in lines
    wrong = run("--from", "tomorrow", "--to", "never", "--json")
    assert wrong.returncode == 1 and wrong.stderr.count("(not_an_instant)") == 2
    as_json = json.loads(run("--from", "2026-11-22T00:00:00Z", "--to", "2026-11-23", "--json").stdout)
    assert as_json["in_all"][0]["difference"]["sold"] == 0 and as_json["from"] == "2026-11-22T00:00:00Z"


def test_places_hold_from_the_first_lead_on_whatever_was_received_before(
    app: Flask, market: Market, clock: SetClock
) -> None:
    operator, publisher = market.make_operator(), market.make_publisher()
    dear, cheap = (market.make_order(market.make_buyer("9000.00"), price)["id"] for price in ("20.00", "10.00"))
    assert change(operator, market, distribution={"rule": "weighted", "contest": "first", "fall_back": True})
    placed = [{"order": order, "target_share": 1} for order in (dear, cheap)]
    assert operator.request("PUT", "/verticals/education/places", {"orders": placed}).status_code == 200
    for _ in range(20):
        clock.advance(minutes=5)
        publisher.post("/leads", market.lead())
    since = clock.now() - timedelta(minutes=58)
    db.session.rollback()
    with transaction():
        read_only()
        asked = {"places": [{"order": dear, "target_share": 3}, {"order": cheap, "target_share": 1}]}
        [found] = run_again(since, END, judged(change_of(asked), since, END))["in_all"]
    assert (found["happened"]["turnover"], found["what_if"]["turnover"]) == ("180.00", "210.00")  # 9 : 3 of the last 12


def test_a_run_without_a_change_that_does_not_come_out_as_it_happened_ends_with_an_error(
    app: Flask, market: Market, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.make_publisher().post("/leads", market.lead())
    db.session.rollback()
    with transaction():
        report = run_again(START, END, judged(NOTHING, START, END))
    for name, ends_with in (("sold", 1), ("leads", 1), (None, 0)):
        wrong = deepcopy(report)
        if name:
            wrong["verticals"][0]["what_if"][name] += 1
        monkeypatch.setattr(what_if, "_of_period", lambda *_, said=wrong: said)
        monkeypatch.setattr(running, "running_app", nullcontext)
        done = CliRunner().invoke(what_if.what_if_command, ["--from", "2026-11-22", "--to", "2026-11-23", "--json"])
        assert done.exit_code == ends_with, done.output
