"""A day run again: as it was it comes out as it was, to the cent; otherwise than it was, with the difference."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from core.db import transaction
from marketplace.cli.accounts import credit_by_hand
from marketplace.what_if.change import NOTHING, change_of
from marketplace.what_if.recorded import read_only
from marketplace.what_if.running import judged, run_again
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.factories import Market
from tests.marketplace.what_if.day import Day, close, euros, live_a_day

END = START + timedelta(days=2)
FIGURES = ("leads", "sold", "sales", "turnover", "returned", "payout")
OF_THE_RECORD = """
    SELECT count(DISTINCT l.id), count(DISTINCT l.id) FILTER (WHERE s.id IS NOT NULL), count(s.id),
           coalesce(sum(s.price_minor), 0), coalesce(sum(CASE s.state WHEN 'returned' THEN s.price_minor ELSE s.credited_minor END), 0),
           coalesce(sum(s.payout_minor) FILTER (WHERE s.state <> 'returned'), 0)
    FROM marketplace.leads l
    LEFT JOIN marketplace.sales s ON s.lead_id = l.id AND s.state NOT IN ('refused', 'failed')
    WHERE NOT l.test AND l.received_at >= %s AND l.received_at < %s
"""


def again(change: Any = None, since: Any = START, until: Any = END, **how: Any) -> Any:
    with transaction():
        read_only()
        asked = NOTHING if change is None else change_of(change)
        return run_again(since, until, judged(asked, since, until), **how)


def recorded(url: str, since: Any = START, until: Any = END) -> dict[str, Any]:
    [row] = ask(url, OF_THE_RECORD, since, until)
    amounts = (f"{int(minor) // 100}.{int(minor) % 100:02}" for minor in row[3:])
    return dict(zip(FIGURES, (*row[:3], *amounts), strict=True))


@pytest.fixture
def day(app: Flask, market: Market, clock: SetClock) -> Day:
    return live_a_day(app, market, clock)


def test_a_day_as_it_was_comes_out_as_it_was_to_the_cent(day: Day, database_url: str) -> None:
    for how in ({}, {"by_model": True}):
        report = again(**how)
        [vertical] = report["verticals"]
        assert {name: vertical["happened"][name] for name in FIGURES} == recorded(database_url)
        assert vertical["what_if"] == vertical["happened"]
        assert report["decided"]["otherwise"] == 0


def changed_orders(day: Day) -> Any:
    return {
        "orders": {
            day.orders["capped"]: {"caps": {"hour": 1, "day": 4}},
            day.orders["sharing"]: {"price": euros("9.70"), "budget": {"day": euros("60.00")}},
            day.orders["by_lead"]: {"status": "paused"},
            day.orders["laddered"]: {"ladder": {"period": "day", "steps": [{"from": 2, "price": euros("16.00")}]}},
        },
        "funds": [{"buyer": day.buyers["poor"].id, "amount": euros("100.00")}],
    }


def change_orders(day: Day) -> None:
    for order, patch in changed_orders(day)["orders"].items():
        name = next(name for name, known in day.orders.items() if known == order)
        assert day.buyers[name].request("PATCH", f"/orders/{order}", patch).status_code == 200
    credit_by_hand(day.buyers["poor"].id, "100.00", "EUR", "paid in")


RULES_OF_A_SOURCE = {"source": "narrow", "vertical": "education", "most_buyers": 3, "min_price": euros("9.10")}
MARGIN = [{"from": "0.00", "bp": 1000}]
CASES = {
    "orders": (changed_orders, change_orders, {}, {}),
    "sources": (
        lambda day: {"sources": [{"publisher": day.publishers[0].id} | RULES_OF_A_SOURCE]},
        lambda day: day.publishers[0].request("PUT", "/source-rules", RULES_OF_A_SOURCE), {}, {},
    ),
    "verticals": (
        lambda day: {"verticals": {"education": {
            "margin": MARGIN, "min_prices": [{"amount": "8.60", "region": "FR-IDF"}], "buyers_ceiling": 2,
            "distribution": {"rule": "round_robin", "contest": "shared"}}}},
        lambda day: None,
        {"margin": MARGIN, "min_prices": [{"amount": "8.60", "region": "FR-IDF"}],
         "distribution": {"rule": "round_robin", "contest": "shared", "fall_back": True},
         "share": {"buyers": 2, "buyers_ceiling": 2, "new_publisher_bp": 7000}}, {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_run_says_what_comes_when_the_change_is_really_made(
    app: Flask, market: Market, clock: SetClock, database_url: str, case: str
) -> None:
    said, do, vertical, _ = CASES[case]
    before = clock.now()
    day = live_a_day(app, market, clock, refusals=False)
    close(day)
    clock.instant = START + timedelta(days=7)
    other = clock.now()
    live_a_day(app, market, clock, refusals=False, name="b", first=do, vertical=vertical)
    happened, really = recorded(database_url, before, other), recorded(database_url, other, other + timedelta(days=7))
    for how in ({}, {"by_model": True}):
        [supposed] = again(said(day), before, before + timedelta(days=6), **how)["verticals"]
        assert {name: supposed["happened"][name] for name in FIGURES} == happened
        assert {name: supposed["what_if"][name] for name in FIGURES} == really != happened
