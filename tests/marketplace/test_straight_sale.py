"""A lead that goes straight to its sole buyer leaves the same rows as one that is judged the long way."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask

from core.db import db, transaction
from core.ids import parse_id
from core.outbound import Outbound
from core.prepared import PreparedStatement
from marketplace.leads import intake
from tests.at_once import ask, wait_until
from tests.factories import Market, Member

UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# Every table that a sale writes; what differs by nature (identities, seals, the instants of the machine) is left out.
WRITTEN = {
    "marketplace.leads": "id, publisher_id, vertical_id, region, status, reasons, contact_class, temperature, score, test,"
                         " external_id, source_name, received_at, details, contact_key, decision",
    "marketplace.sales": "id, lead_id, order_id, order_version, buyer_id, publisher_id, state, currency, price_minor,"
                         " payout_minor, reserve_minor, reserve_days, credited_minor, window_ends_at, release_at, sold_at,"
                         " delivered_at, ended_at",
    "marketplace.deliveries": "*",
    "marketplace.events": "subject_id, at, move, actor, why",
    "marketplace.person_keys": "vertical_id, lead_id, claimed_at",
    "core.outbox": "topic, payload",
    "billing.holds": "*",
    "billing.transactions": "id, key, kind, currency, fingerprint, source, actor, reason, reverses, occurred_at",
    "billing.entries": "*",
}  # fmt: skip


@contextmanager
def missing(function: str) -> Iterator[None]:
    """Take a function away, so that whoever calls it fails."""
    _rename(function, f"no_{function}")
    try:
        yield
    finally:
        _rename(f"no_{function}", function)


def _rename(old: str, new: str) -> None:
    with transaction():
        db.session.execute(db.text(f"ALTER FUNCTION marketplace.{old} RENAME TO {new}"))


def rows_of(answer: dict[str, Any], before: dict[str, set[str]]) -> list[str]:
    """Return what was written since, with its ids told apart by their first appearance only."""
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"<{len(names)}>")

    written = [row for table, rows in stored().items() for row in sorted(rows - before[table], key=_without_ids)]
    assert answer["status"] == "sold" and len(written) >= 10
    return [UUIDS.sub(named, row) for row in written]


def _without_ids(row: str) -> str:
    return UUIDS.sub("", row)


def stored() -> dict[str, set[str]]:
    with transaction():
        return {
            table: set(
                db.session.execute(
                    db.text(f"SELECT to_jsonb(r)::text FROM (SELECT {what} FROM {table}) AS r")
                ).scalars()
            )
            for table, what in WRITTEN.items()
        }


@pytest.mark.parametrize("delivery", [None, {"kind": "webhook", "url": "https://127.0.0.1/leads"}])
def test_both_ways_write_the_same_rows(app: Flask, market: Market, delivery: dict[str, str] | None) -> None:
    app.extensions["leadbourse_outbound"] = Outbound(allow_private=True)
    publisher = market.make_publisher()
    market.make_order(market.make_buyer(), "20.00", caps={"day": 10}, delivery=delivery)
    market.make_order(market.make_buyer(), "10.00")
    publisher.post("/leads", market.lead())  # the first sale of an hour begins the order's periods
    leads = [market.lead(external_id="the same") for _ in range(2)]

    before = stored()
    with missing("post_lead"):
        straight = rows_of(publisher.post("/leads", leads[0]), before)
    before = stored()
    judged = rows_of(publisher.post("/leads", leads[1], Idempotency_Key="judged"), before)
    assert straight == judged


def test_a_known_person_is_a_duplicate_and_one_of_long_ago_is_sold_again(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "20.00")
    lead = market.lead()
    answers = [publisher.post("/leads", lead), publisher.post("/leads", lead)]
    market.clock.advance(days=91)  # type: ignore[attr-defined]  # the tests' clock
    again = lead | {"consent": market.lead()["consent"]}
    answers.append(publisher.post("/leads", again))
    assert [answer["status"] for answer in answers] == ["sold", "rejected", "sold"]


def test_the_first_sale_of_an_hour_is_plain_too(market: Market, publisher: Member) -> None:
    market.make_order(market.make_buyer(), "20.00", caps={"hour": 1})
    sold = []
    with missing("post_lead"):
        for _ in range(2):
            sold.append(publisher.post("/leads", market.lead())["status"])
            market.clock.advance(hours=1)  # type: ignore[attr-defined]  # the tests' clock
    assert sold == ["sold", "sold"]


def test_two_who_begin_an_hour_at_once_both_count(market: Market, publisher: Member, database_url: str) -> None:
    market.make_order(market.make_buyer(), "20.00", caps={"hour": 3})
    publisher.post("/leads", market.lead())
    count = """SELECT marketplace.count_sale(order_id, zone_version, (SELECT array_agg(s + 3600) FROM unnest(starts) AS s),
        2000, last_sold_at, NULL) FROM marketplace.order_counters"""
    waiting = (
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT marketplace.count_sale%'"
    )
    with psycopg.connect(database_url) as first, ThreadPoolExecutor(1) as elsewhere:
        assert first.execute(count).fetchone() == (True,)
        second = elsewhere.submit(ask, database_url, count)
        wait_until(lambda: ask(database_url, waiting))
        first.commit()
        assert second.result() == [(True,)]
    none_was_sold = (
        "UPDATE marketplace.order_counters SET total_leads = total_leads - 2, total_spend = total_spend - 4000"
    )
    ask(database_url, "SELECT", first=none_was_sold)


def test_a_lead_that_may_be_resold_goes_the_general_way_and_is_kept(
    market: Market, publisher: Member, database_url: str
) -> None:
    market.make_order(market.make_buyer(), "20.00")
    lead = market.lead()
    answers = [
        publisher.post("/leads", one) for one in (lead | {"consent": lead["consent"] | {"resale": True}}, market.lead())
    ]
    assert [answer["status"] for answer in answers] == ["sold", "sold"]
    kept = ask(database_url, "SELECT lead_id FROM marketplace.kept_leads")
    assert kept == [(parse_id("lead", answers[0]["id"]),)]


def test_what_forbids_a_sale_forbids_the_straight_one(market: Market, publisher: Member, database_url: str) -> None:
    market.make_order(market.make_buyer(), "20.00")

    def post(**said: Any) -> tuple[str, list[str]]:
        answer = publisher.post("/leads", market.lead(**said))
        return answer["status"], answer["reasons"]

    assert [post()[0] for _ in range(2)] == ["sold", "sold"]  # the way is open, and the hour has begun
    assert post(min_price={"amount": "14.01", "currency": "EUR"}) == ("unsold", [])  # 70 % of 20.00 are 14.00
    assert post(min_price={"amount": "14.00", "currency": "EUR"}) == ("sold", [])
    assert post(test=True) == ("unsold", ["test"])
    ask(database_url, "SELECT", first="UPDATE affiliates.publishers SET standing = 'paused'")
    assert post() == ("rejected", ["publisher_paused"])


@pytest.mark.parametrize("terms", [{"caps": {"day": 1}}, {"budget": {"total": {"amount": "30.00", "currency": "EUR"}}}])
def test_where_the_best_has_no_room_the_next_one_buys(market: Market, publisher: Member, terms: dict[str, Any]) -> None:
    market.make_order(market.make_buyer(), "20.00", **terms)
    market.make_order(market.make_buyer("15.00"), "12.00")
    market.make_order(market.make_buyer(), "10.00")
    sold = [publisher.post("/leads", market.lead())["sales"][0]["price"]["amount"] for _ in range(3)]
    assert sold == ["20.00", "12.00", "10.00"]


def test_a_best_one_that_did_not_buy_costs_the_next_lead_no_second_call(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.make_order(market.make_buyer(), "20.00", caps={"day": 1})
    market.make_order(market.make_buyer(), "10.00")
    calls, call = [], PreparedStatement.value

    def counted(*asked: Any) -> bytes | None:
        calls.append(asked)
        return call(*asked)

    monkeypatch.setattr(PreparedStatement, "value", counted)
    monkeypatch.setattr(intake, "PASSED_OVER_SECONDS", 3600.0)
    publisher.post("/leads", market.lead())  # loads the book, and fills the best order
    before, numbers = len(calls), []
    for _ in range(2):
        publisher.post("/leads", market.lead())
        numbers.append(len(calls) - before)
    assert numbers == [2, 3]


@pytest.mark.parametrize(("funds", "calls"), [(["1.00"], [2, 1, 1]), (["1.00"] * 5, [2, 2, 2])])
def test_buyers_without_money_cost_few_calls(
    market: Market, publisher: Member, monkeypatch: pytest.MonkeyPatch, funds: list[str], calls: list[int]
) -> None:
    for place, each in enumerate(funds):
        market.make_order(market.make_buyer(each), f"{20 - place}.00")
    publisher.post("/leads", market.lead(test=True))  # loads the book
    monkeypatch.setattr(intake, "PASSED_OVER_SECONDS", 3600.0)
    seen, call = [], PreparedStatement.value

    def counted(*asked: Any) -> bytes | None:
        seen.append(asked)
        return call(*asked)

    monkeypatch.setattr(PreparedStatement, "value", counted)
    numbers = []
    for _ in range(3):
        before = len(seen)
        assert publisher.post("/leads", market.lead())["status"] == "unsold"
        numbers.append(len(seen) - before)
    assert numbers == calls


@pytest.fixture
def publisher(market: Market) -> Member:
    return market.make_publisher()
