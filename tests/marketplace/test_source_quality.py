"""The public quality of sources: from what came back and what buyers report, told of many sales only, without a name."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from core.db import db, transaction
from marketplace.jobs import run_due
from marketplace.leads.source_codes import public_codes
from marketplace.market.quality import counts_of
from marketplace.market.rows import SourceQuality
from marketplace.market.scores import Quality, score
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.market_days import count
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of


def quality_of(judged: int, returned: int = 0, unreachable: int = 0, least: int = 30) -> Quality:
    row = SourceQuality(source_name="x", source_code="src-x", publisher_code="pub-x", judged=judged, returned=returned,
                        unreachable=unreachable, reported=0, reached=0, won=0, buyers=3)  # fmt: skip
    return score(row, least, 3)


def test_below_thirty_sales_nothing_is_told() -> None:
    assert not quality_of(29).is_told and quality_of(29).good_bp is None
    told = quality_of(30, returned=3)
    assert (told.good_bp, told.low_bp, told.high_bp) == (9000, 7437, 9655)


@given(st.integers(30, 5000), st.integers(0, 30), st.integers(0, 30))
def test_each_sale_that_came_back_lowers_the_score_and_each_good_one_raises_it(
    judged: int, back: int, gone: int
) -> None:
    back, gone = min(back, judged // 3), min(gone, judged // 3)
    here = quality_of(judged, back, gone)
    worse, better = quality_of(judged, back + 1, gone), quality_of(judged + 1, back, gone)
    assert (worse.low_bp or 0) <= (here.low_bp or 0) <= (better.low_bp or 0)
    assert (here.low_bp or 0) <= (here.good_bp or 0) <= (here.high_bp or 0) <= 10_000


@pytest.fixture
def sold(market: Market, clock: SetClock) -> tuple[Member, Member, list[str]]:
    """Sell 36 leads of a source to three buyers, twelve each, and return who bought the first twelve.

    Four come back, three are reported unreachable by one buyer each, two won, and the rest is settled.
    """
    publisher, operator = market.make_publisher(), market.make_operator()
    buyers = [market.make_buyer("5000.00") for _ in range(3)]
    for buyer, price in zip(buyers, ("22.00", "21.00", "20.00"), strict=True):
        market.make_order(buyer, price, caps={"total": 12})
    sales = [publisher.post("/leads", market.lead(source={"name": "north"}))["sales"][0]["id"] for _ in range(36)]
    for place in (0, 1, 12, 24):
        dispute = buyers[place // 12].post(f"/sales/{sales[place]}/disputes", {"reason": "prank"})
        operator.post(f"/disputes/{dispute['id']}/resolve", {"decision": "uphold"})
    for place in (2, 13, 25):
        buyers[place // 12].post(
            f"/sales/{sales[place]}/disposition", {"status": "unreachable", "at": clock.now().isoformat()}
        )
    for place in (3, 14):
        buyers[place // 12].post(f"/sales/{sales[place]}/disposition", {"status": "won", "at": clock.now().isoformat()})
    count(clock.now())
    run_due(clock.advance(days=40))
    count(clock.advance(hours=25))  # everybody may read it, so it is told late
    db.session.rollback()
    return publisher, buyers[0], sales


def counted() -> SourceQuality:
    db.session.rollback()
    row: SourceQuality = db.session.scalars(db.select(SourceQuality)).one()
    return row


def test_sales_are_counted_by_how_they_ended(sold: Any) -> None:
    row = counted()
    assert (row.source_name, row.judged, row.returned, row.unreachable) == ("north", 36, 4, 3)
    assert (row.reported, row.reached, row.won) == (5, 2, 2)
    assert row.verticals and row.counted_at is not None


def test_everybody_reads_it_under_a_code_without_a_name(app: Flask, market: Market, sold: Any) -> None:
    answer = app.test_client().get("/api/v1/market/sources?vertical=education")
    [shown] = answer.json["items"]
    row = counted()
    assert (shown["publisher"], shown["source"]) == public_codes(row.publisher_id, "north")
    assert (shown["judged"], shown["returned"], shown["unreachable"], shown["withheld"]) == (36, 4, 3, None)
    assert shown["score"] == int(shown["low"] * 100) and shown["low"] < shown["good"] < shown["high"]
    assert "north" not in answer.text and sold[0].id not in answer.text
    assert app.test_client().get("/api/v1/market/sources?vertical=travel").json["items"] == []


def test_its_publisher_and_its_buyers_see_it(market: Market, sold: Any) -> None:
    publisher, buyer, sales = sold
    page = words_of(visitor_of(market, publisher).open("/publisher/sources"))
    assert "29 of 36 sales were good" in page and "lower end of the interval" in page
    assert "29 of 36 sales were good" in words_of(visitor_of(market, buyer).open(f"/buyer/leads/{sales[10]}"))
    assert "src-" in words_of(visitor_of(market, buyer).open("/market/now?vertical=education"))


def test_too_few_are_not_told_on_pages_either(market: Market, sold: Any) -> None:
    with transaction() as session:
        session.execute(text("INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
                             " ('market.quality_least', 1, '', '37', 'user:x', 'a test', now())"))  # fmt: skip
    publisher, buyer, sales = sold
    assert "not told yet: too few sales have ended (36)" in words_of(
        visitor_of(market, publisher).open("/publisher/sources")
    )
    page = words_of(visitor_of(market, buyer).open(f"/buyer/leads/{sales[10]}"))
    assert "not told yet: too few sales have ended" in page and "ended (36)" not in page
    assert market.app.test_client().get("/api/v1/market/sources").json["items"] == []


def test_of_few_buyers_nothing_is_told_so_that_nobodys_volume_is(market: Market, sold: Any) -> None:
    with transaction() as session:
        session.execute(text("INSERT INTO core.overrides (key, version, country, value, actor, reason, at) VALUES"
                             " ('market.least_buyers', 1, '', '4', 'user:x', 'a test', now())"))  # fmt: skip
    _, buyer, sales = sold
    assert market.app.test_client().get("/api/v1/market/sources").json["items"] == []
    page = words_of(visitor_of(market, buyer).open(f"/buyer/leads/{sales[10]}"))
    assert "not told yet: too few buyers had its sales" in page


def had(unreachable: int, judged: int = 20) -> Any:
    return SimpleNamespace(judged=judged, returned=0, unreachable=unreachable, reported=unreachable, reached=0, won=0,
                           verticals=[1])  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "counted"), [([20, 0, 0], 0), ([20, 1, 0], 2), ([3, 2, 2], 7), ([5, 5], 10), ([7], 0), ([], 0)]
)
def test_nobody_alone_talks_a_source_down(reports: list[int], counted: int) -> None:
    said = counts_of([had(one) for one in reports])
    assert (said["unreachable"], said["buyers"], said["judged"]) == (counted, len(reports), 20 * len(reports))


def test_what_everybody_may_read_of_a_source_is_as_late_as_the_market(sold: Any, clock: SetClock) -> None:
    judged = counted().judged
    with transaction() as session:
        session.execute(text("UPDATE marketplace.sales SET ended_at = :at WHERE id = (SELECT min(id::text)::uuid"
                             " FROM marketplace.sales)"), {"at": clock.now()})  # fmt: skip
    count(clock.advance(hours=7))
    assert counted().judged == judged - 1
    count(clock.advance(hours=18))
    assert counted().judged == judged


def test_what_ended_long_ago_counts_no_more(sold: Any, clock: SetClock) -> None:
    count(clock.advance(days=120))
    assert counted().judged == 0


def test_the_database_refuses_counts_that_cannot_be(sold: Any) -> None:
    for wrong in ("returned = judged + 1", "won = reached + 1", "source_code = NULL"):
        with pytest.raises(Exception, match=r"violates"), transaction() as session:
            session.execute(text(f"UPDATE marketplace.source_qualities SET {wrong}"))
