"""A suggested price: its factors add up, it wins what it says, and seeds stand in where trade is thin."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.db import db
from core.money import Money
from marketplace.market.rows import SourceQuality
from marketplace.market.seeds import ONE, price_seeds
from marketplace.market.steps import step_above
from marketplace.market.suggestion import FACTORS, Segment, Wish, suggest
from tests.conftest import SetClock
from tests.factories import Market, Member
from tests.marketplace.market_days import count, make_trade
from tests.marketplace.test_portal_pages import queries, visitor_of
from tests.visitor import words_of

PRICES = st.dictionaries(st.integers(100, 9000), st.integers(1, 40), min_size=1, max_size=12).map(Counter)
WISHES = st.builds(
    Wish, st.none() | st.integers(1, 500), st.lists(st.sampled_from(["cold", "warm", "hot"]), unique=True),
    st.lists(st.sampled_from(["quick", "registration", "interested"]), unique=True), st.none() | st.integers(1, 9000),
)  # fmt: skip
SEGMENTS = st.builds(
    lambda here, lately, whole, more, **said: Segment(here, lately, whole, sum(here.values()) + more, 30, **said),
    PRICES, PRICES | st.just(Counter()), PRICES, st.integers(0, 100), place_bp=st.integers(1000, 20_000),
    corridor=st.none() | st.just((1800, 4000)), least_minor=st.integers(1, 900),
    thin=st.none() | st.just("few_decisions"), thin_everywhere=st.none() | st.just("few_decisions"),
    orders=st.none() | st.integers(3, 90), buyers=st.none() | st.integers(3, 9),
    good_bp=st.none() | st.integers(5000, 9999), good_of_all_bp=st.none() | st.integers(5000, 9999),
)  # fmt: skip


@given(SEGMENTS, WISHES)
def test_the_base_and_five_factors_add_up_to_the_price(segment: Segment, wish: Wish) -> None:
    found = suggest(segment, wish, price_seeds())
    if found is None:
        assert segment.thin_everywhere and segment.corridor is None
        return
    assert [one.name for one in found.factors] == list(FACTORS)
    together = sum(one.effect_minor for one in found.factors)
    assert found.price_minor == step_above(max(together, segment.least_minor))
    assert (found.basis == "seeds") == bool(segment.thin_everywhere)
    if found.win_bp is not None:
        assert 0 <= found.win_bp <= ONE


@given(SEGMENTS, st.integers(1, 200))
def test_whoever_wants_more_is_told_a_price_that_is_no_lower(segment: Segment, leads: int) -> None:
    few, many = (suggest(segment, Wish(one), price_seeds()) for one in (leads, leads * 2))
    if few and many:
        assert many.price_minor >= few.price_minor and (many.win_bp or 0) >= (few.win_bp or 0)


def test_without_trade_the_seeds_stand_in_and_say_so() -> None:
    nothing: Counter[int] = Counter()
    bare = Segment(nothing, nothing, nothing, 0, 30, 12_500, (1800, 4000), 420, "few_decisions", "few_decisions")
    found = suggest(bare, Wish(temperatures=("hot",)), price_seeds())
    assert found is not None
    assert (found.price_minor, found.basis, found.withheld) == (6300, "seeds", "few_decisions")
    assert {one.name: one.effect_minor for one in found.factors if one.effect_minor} == {
        "base": 2900, "quality": 2610, "geography": 725
    }  # fmt: skip
    assert found.win_bp is None and found.leads_a_day is None
    assert suggest(without_corridor(bare), Wish(), price_seeds()) is None


def without_corridor(segment: Segment) -> Segment:
    """Return a segment of a vertical in which leads are not usual."""
    return replace(segment, corridor=None)


def test_better_sources_are_worth_more() -> None:
    prices = Counter({2000: 50})
    segment = Segment(prices, Counter(), prices, 50, 30, ONE, None, 420, good_bp=9600, good_of_all_bp=8000)
    found = suggest(segment, Wish(), price_seeds())
    assert found is not None and {one.name: one.effect_minor for one in found.factors}["know_how"] == 400


def suggested(member: Member, query: str = "") -> Any:
    return member.get(f"/market/suggestion?vertical=education&region=FR-IDF{query}")


def test_over_the_market_it_says_what_the_price_wins(market: Market, clock: SetClock) -> None:
    trade = make_trade(market, caps={"day": 4})
    trade.post(12)
    count(clock.now())
    half, all_ = suggested(trade.buyers[0], "&price=25.00"), suggested(trade.buyers[0], "&leads_a_day=12")
    assert (half["basis"], half["withheld"], half["price"]["amount"]) == ("market", None, "25.50")
    assert (half["win_rate"], half["own_win_rate"]) == (0.6666, 0.3333)
    assert (all_["price"]["amount"], all_["win_rate"], all_["leads_a_day"]) == ("30.50", 1.0, 0.4)
    assert {one["factor"] for one in half["factors"]} == set(FACTORS)
    assert sum(Money.parse(one["effect"]["amount"], "EUR").minor for one in half["factors"]) == 2550
    assert "30.01" not in str(half) and "25.01" not in str(half) and "20.01" not in str(half)


def test_where_trade_is_thin_over_the_market_the_seeds_are_named(market: Market, clock: SetClock) -> None:
    buyer = market.make_buyer()
    found = suggested(buyer, "&exclusivity=shared")
    assert (found["basis"], found["withheld"], found["price"]["amount"]) == ("seeds", "few_decisions", "12.60")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("&leads_a_day=0", "leads_a_day", "out_of_range"),
        ("&leads_a_day=many", "leads_a_day", "out_of_range"),
        ("&temperatures=hot,boiling", "temperatures", "not_allowed_value"),
        ("&price=1.234", "price", "bad_amount"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused(market: Market, query: str, field: str, code: str) -> None:
    refused = market.make_buyer().request("GET", f"/market/suggestion?vertical=education{query}")
    assert refused.status_code == 400
    assert (refused.json["errors"][0]["field"], refused.json["errors"][0]["code"]) == (field, code)


def test_the_editor_of_an_order_shows_it_and_stays_within_its_queries(
    app: Flask, market: Market, clock: SetClock
) -> None:
    trade = make_trade(market, caps={"day": 4}, regions=["FR-IDF"])
    trade.post(12)
    count(clock.now())
    visitor = visitor_of(market, trade.buyers[2])
    with queries(app) as said:
        page = words_of(visitor.open(f"/buyer/orders/{trade.orders[2]['id']}"))
    assert len(said) <= 12, said
    assert "The price in the form would have won 0% of the leads offered." in page
    assert "Know-how of the sources" in page and "4 wanted a day; 12 were offered in 30 days" in page
    fresh = words_of(visitor.open("/buyer/orders/new?vertical=travel"))
    assert "From prices that are usual in the trade" in fresh


def test_the_sources_of_the_market_are_what_was_counted(market: Market, clock: SetClock) -> None:
    trade = make_trade(market)
    trade.post(3)
    count(clock.now())
    db.session.rollback()
    [row] = db.session.scalars(db.select(SourceQuality))
    assert (row.source_name, row.judged, row.counted_at) == ("default", 0, clock.now())
