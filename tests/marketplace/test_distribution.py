"""The sale in the database chooses as the model does, by every rule of a vertical and whoever competes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.ids import new_id, parse_id
from marketplace.leads.auction import Candidate, Chosen, Rules, choose, ranked
from marketplace.leads.pages import Listed
from marketplace.leads.turns import Turns
from marketplace.orders.terms import OrderTerms
from tests.factories import Market

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FUNDS = {"0": 0, "0.02": 2, "1000.00": 100_000}
CHOOSE = """
    SELECT d.outcome, d.tried, d.picked FROM marketplace.choose(
        ROW(%s,%s,%s,%s,%s,%s,%s,1,'{}','{}',%s,%s,NULL,%s,%s)::marketplace.offer,
        ROW('EUR','{}',0,0,0,0,0,%s,%s,%s,NULL,0)::marketplace.rules,
        ROW(NULL,'active','new',7000,0,0,0,0,now(),1)::affiliates.publishers) AS d
"""
BOOKS = st.lists(
    st.fixed_dictionaries(
        {
            "buyer": st.integers(0, 3), "price": st.integers(1, 4), "share": st.integers(1, 5),
            "hours": st.none() | st.integers(0, 3), "capped": st.sampled_from([False, False, True]),
            "priority": st.none() | st.integers(1, 3), "target": st.none() | st.integers(1, 4),
            "received": st.integers(0, 9), "deal": st.sampled_from([False, False, False, True]),
        }
    ),
    max_size=9,
)  # fmt: skip
RULES = st.sampled_from(["best_price", "priority", "round_robin", "weighted", "tiers"])
CONTESTS = st.sampled_from(["total_value", "first", "exclusive", "exclusive_only", "shared", "shared_only"])


def counted(connection: psycopg.Connection[Any], book: list[dict[str, Any]], buyers: list[UUID]) -> list[Candidate]:
    """Write the counters of a book's orders, and return what the model knows of them."""
    made = []
    for one in book:
        last = None if one["hours"] is None else NOON + timedelta(hours=one["hours"])
        most = one["received"] if one["capped"] else 2**40
        order = new_id()
        connection.execute(
            "INSERT INTO marketplace.order_counters (order_id, limited, starts, total_leads, weighed_from, last_sold_at,"
            " caps, budgets, leads_ceiling) VALUES (%s, true, '{1,1,1,1}', %s, 2, %s, %s, '{}', %s)",
            (order, one["received"] + 2, last, [None, None, None, None, most + 2], most + 2),
        )
        funds = list(FUNDS.values())[one["buyer"] % 3]
        refusal = "capped" if one["capped"] else None if funds >= one["price"] else "no_funds"
        made.append(Candidate(order, buyers[one["buyer"]], one["price"], 1 if one["deal"] else one["share"], last, refusal, one["priority"],
                              one["target"], one["received"], one["deal"]))  # fmt: skip
    return made


def asked(
    connection: psycopg.Connection[Any],
    offered: list[Candidate],
    rules: Rules,
    is_last: bool,
    together: int,
    bound: str | None = None,
) -> tuple[str, list[tuple[UUID, str]]]:
    """Let the database choose among these, by price the best first, and return the outcome and the story."""
    ranks = [one.target_share if rules.rule == "weighted" else one.priority for one in offered]
    row = connection.execute(CHOOSE, (
        [one.order_id for one in offered], [1] * len(offered), [one.buyer_id for one in offered],
        [one.price_minor for one in offered], [one.max_share for one in offered], [1] * 4 * len(offered), is_last, ranks,
        together, sum(one.is_deal for one in offered), bound, rules.rule, rules.contest, rules.most_buyers,
    )).fetchone()  # fmt: skip
    assert row is not None
    told = [connection.execute("SELECT %s::json", (each,)).fetchone()[0] for each in row[1]]  # type: ignore[index]
    return row[0], [(UUID(each[0]), each[2]) for each in told]


def most_together(offered: list[Candidate], most_buyers: int) -> int:
    """Return the bound that a book knows: what the best of those who share with as many pay in all."""
    sums = [0]
    for buyers in range(1, most_buyers + 1):
        best: dict[UUID, int] = {}
        for one in ranked(each for each in offered if not each.is_deal):
            if one.max_share >= max(buyers, 2) and len(best) < buyers:
                best.setdefault(one.buyer_id, one.price_minor)
        sums.append(sum(best.values()))
    return max(sums)


def agrees(found: tuple[str, list[tuple[UUID, str]]], chosen: Chosen) -> bool:
    """Tell whether the database chose as the model did; it need not look at those who change nothing."""
    outcome, seen = found
    sold = {each for each in chosen.outcomes if each[1] == "sold"}
    return (outcome == ("sold" if sold else "unsold") and seen == list(chosen.outcomes[: len(seen)])
            and sold <= set(seen))  # fmt: skip


@pytest.fixture
def buyers(market: Market) -> list[UUID]:
    return [parse_id("acc", market.make_buyer(list(FUNDS)[n % 3]).id) for n in range(4)]


def test_the_database_chooses_as_the_model(app: Flask, buyers: list[UUID], database_url: str) -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(BOOKS, RULES, CONTESTS, st.integers(1, 5), st.integers(1, 9))
    def run(book: list[dict[str, Any]], rule: str, contest: str, most_buyers: int, seen: int) -> None:
        rules = Rules(rule, contest, most_buyers)
        with connection.transaction(force_rollback=True):
            candidates = counted(connection, book, buyers)
            offered = sorted(candidates, key=lambda one: (not one.is_deal, -one.price_minor))
            together, chosen = most_together(candidates, most_buyers), choose(candidates, rules)
            assert agrees(asked(connection, offered, rules, True, together), chosen)
            if rule == "best_price":
                seen = max(seen, sum(one.is_deal for one in offered))
                while (
                    0 < seen < len(offered)
                    and not offered[seen - 1].is_deal
                    and offered[seen].price_minor == offered[seen - 1].price_minor
                ):
                    seen += 1  # whole tiers, as the book hands them out
                found = asked(connection, offered[:seen], rules, seen >= len(offered), together)
                assert found[0] == "more" or agrees(found, chosen)

    with psycopg.connect(database_url) as connection:
        run()


def listed(one: Candidate) -> Listed:
    """Write a candidate as the book has it."""
    terms = OrderTerms(name="", vertical="", currency="EUR", price_minor=one.price_minor, max_share=one.max_share,
                       priority=one.priority or 0, target_share=one.target_share or 0)  # fmt: skip
    return Listed(one.order_id, one.buyer_id, 1, terms)


def test_some_who_come_first_by_what_was_known_once_decide_as_all_do_or_ask_for_more(
    app: Flask, buyers: list[UUID], database_url: str
) -> None:
    decided = []

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(BOOKS, RULES.filter(lambda rule: rule != "best_price"), CONTESTS, st.integers(1, 5), st.integers(1, 6),
           st.lists(st.integers(0, 4), min_size=9, max_size=9))  # fmt: skip
    def run(book: list[dict[str, Any]], rule: str, contest: str, most_buyers: int, most: int, ago: list[int]) -> None:
        rules = Rules(rule, contest, most_buyers)
        with connection.transaction(force_rollback=True):
            candidates = counted(connection, book, buyers)
            deals = sorted((one for one in candidates if one.is_deal), key=lambda one: -one.price_minor)
            market = [one for one in candidates if not one.is_deal]
            # What is known is older than what the counters say, by so many purchases and hours.
            book_now = [listed(one) for one in sorted(market, key=lambda one: -one.price_minor)]
            turns = Turns(rule, book_now, (
                (one.order_id, one.last_sold_at and one.last_sold_at - timedelta(hours=late) if late < 4 else None,
                 max(one.received - late, 0))
                for one, late in zip(market, ago, strict=False)
            ))  # fmt: skip
            by_id = {one.order_id: one for one in market}
            page, bound = turns.first(book_now, most)
            offered = deals + [by_id[one.order_id] for one in page]
            chosen = choose(candidates, rules)
            found = asked(connection, offered, rules, bound is None, most_together(candidates, most_buyers), bound)
            assert (found[0] == "more" and bound) or agrees(found, chosen)
            decided.append((bound is not None, found[0]))

    with psycopg.connect(database_url) as connection:
        run()
    assert (True, "sold") in decided and (True, "more") in decided  # or nothing is shown
