"""What is kept of a decision: below 2 KB at fifty candidates, read alike in both forms, and run again byte for byte."""

import json
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.db import transaction
from core.ids import new_id, parse_id
from marketplace.leads.decisions import Tried, tried_in, written
from marketplace.leads.replay import replay
from tests.at_once import ask
from tests.factories import Market, Member
from tests.marketplace.test_distributed import change

WORDS = ("sold", "outbid", "share_full", "other_way", "filtered", "below_min", "capped", "no_funds", "some_new_word")
TRIED = st.lists(
    st.builds(
        Tried, st.uuids(), st.integers(1, 10**6), st.sampled_from(WORDS),
        st.none() | st.sampled_from(["day cap 50 of 50", "mon cap 3 of 3, pace 4 of 4"]), st.none() | st.integers(1, 10**9),
    ),
    max_size=40,
)  # fmt: skip


@given(TRIED, st.booleans())
def test_what_is_written_is_read_back(tried: list[Tried], short: bool) -> None:
    assert tried_in(json.loads(written(7, "sold", tried, short=short))) == tried


def test_the_database_writes_both_forms_as_the_program_does(database_url: str) -> None:
    tried = [
        Tried(new_id(), place + 1, WORDS[place % len(WORDS)], "day cap 5 of 5" if place % 3 == 0 else None,
              None if place % 2 else 1250) for place in range(40)
    ]  # fmt: skip
    for many in (16, 17, 40):
        at_length = json.loads(written(7, "sold", tried[:many], short=False))["tried"]
        told = [json.dumps(one, separators=(",", ":")) for one in at_length]
        [[kept]] = ask(database_url, "SELECT array_to_string(marketplace.as_kept(%s), ',')", told)
        assert f'{{"book":7,"outcome":"sold","tried":[{kept}]}}' == written(7, "sold", tried[:many], short=many > 16)


@pytest.fixture
def crowd(market: Market) -> tuple[Member, list[str]]:
    """Fifty orders of five buyers, most of which can buy no more."""
    buyers = [market.make_buyer("3000.00" if place else "5.00") for place in range(5)]
    orders = []
    for place in range(50):
        limits = ({"caps": {"day": 1}}, {"caps": {"day": 5}, "budget": {"day": {"amount": "30.00", "currency": "EUR"}}},
                  {"exclusivity": "shared", "max_share": 3, "caps": {"hour": 2}}, {})[place % 4]  # fmt: skip
        orders.append(market.make_order(buyers[place % 5], f"{20 - place / 10:.2f}", **limits)["id"])
    return market.make_publisher(), orders


def test_fifty_candidates_take_less_than_2_kb_and_are_told_by_role(
    app: Flask, market: Market, crowd: tuple[Member, list[str]], database_url: str
) -> None:
    publisher, orders = crowd
    operator = market.make_operator()
    change(operator, market, distribution={"rule": "round_robin", "contest": "total_value", "fall_back": True})
    leads = [publisher.post("/leads", market.lead()) for _ in range(60)]
    rows: Any = ask(database_url, "SELECT id, octet_length(decision::text), json_array_length(decision -> 'tried') FROM"
                                  " marketplace.leads ORDER BY received_at")  # fmt: skip
    sizes = [row[1] for row in rows if row[2] == len(orders)]
    assert len(sizes) >= 10

    assert sum(sizes) / len(sizes) < 2048
    with app.app_context(), transaction():
        assert all(replay(row[0]).is_same for row in rows)
    last = leads[-1]
    told = operator.get(f"/leads/{last['id']}/why?limit=100")["items"]
    assert {one["order"] for one in told} == set(orders) and {"capped", "no_funds"} <= {one["outcome"] for one in told}
    assert any("day cap 1 of 1" in one["detail"] for one in told)
    theirs = publisher.get(f"/leads/{last['id']}/why?limit=100")["items"]
    assert [one["outcome"] for one in theirs] == [one["outcome"] for one in told]
    assert all(one["bid"] is None and one["order"] not in orders for one in theirs)


def test_a_long_decision_from_before_is_read_and_run_again(
    app: Flask, market: Market, crowd: tuple[Member, list[str]], database_url: str
) -> None:
    publisher, _ = crowd
    change(market.make_operator(), market, distribution={"rule": "round_robin", "contest": "first", "fall_back": True})
    lead = parse_id("lead", publisher.post("/leads", market.lead())["id"])
    [[kept]] = ask(database_url, "SELECT decision FROM marketplace.leads WHERE id = %s", lead)
    old = written(kept["book"], kept["outcome"], tried_in(kept), short=False)
    ask(database_url, "SELECT", first=f"UPDATE marketplace.leads SET decision = '{old}' WHERE id = '{UUID(str(lead))}'")
    with app.app_context(), transaction():
        again = replay(lead)
    assert again.stored == again.again == old
