"""Random leads against random orders with every condition there is: the book agrees with a plain scan of all of them,
and with one plain query.

A few of each by default; with LEADBOURSE_ALL_MATCHES ten thousand leads by a thousand orders, which takes minutes.
"""

import os
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from msgspec import structs

from benchmarks.match import COUNTRIES, make_parts
from benchmarks.match import make_book as make_market
from marketplace.leads.matching import Book, LeadFacts, Listed
from marketplace.orders.contact_hours import may_call
from marketplace.orders.filters import lead_fields
from marketplace.orders.prices import Modifier
from marketplace.orders.terms import encode_terms
from marketplace.orders.where import Radius
from tests.marketplace.test_matching import MONDAY, pays, wants
from tests.marketplace.test_matching_sql import COMPARE, WANTED, asked_of

LEADS, ORDERS = (10_000, 1_000) if "LEADBOURSE_ALL_MATCHES" in os.environ else (150, 300)


def made_orders(dice: Random) -> list[Listed]:
    """Return the benchmark's market with the newer conditions scattered over it."""
    return [structs.replace(one, terms=structs.replace(one.terms, **_more(dice)))
            for one in make_market(ORDERS, dice).orders]  # fmt: skip


def _more(dice: Random) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if dice.random() < 0.2:
        country = f"C{dice.randrange(COUNTRIES)}"
        more["postal_prefixes"] = tuple(sorted({f"{country}:{dice.randrange(100):02}" for _ in range(40)}))
    if dice.random() < 0.2:
        more["radius"] = Radius("x", "", dice.choice((30, 900)), dice.uniform(40, 55), dice.uniform(-5, 10))
    if dice.random() < 0.4:
        more["modifiers"] = tuple(_modifier(dice) for _ in range(dice.randrange(1, 4)))
        more["price_ceiling_minor"], more["least_minor"] = dice.choice((0, 4_500)), 420
    return more | {"contact_hours": dice.random() < 0.1}


def _modifier(dice: Random) -> Modifier:
    fields = (("temperature", ("hot", "warm")), ("region", (f"C{dice.randrange(COUNTRIES)}",)),
              ("contact_class", ("quick",)), ("verified", (dice.random() < 0.5,)))  # fmt: skip
    field, values = dice.choice(fields)
    if dice.random() < 0.5:
        return Modifier(field, values, percent=dice.choice((-50, -15, 3, 25, 100)))
    return Modifier(field, values, amount_minor=dice.choice((-200, 1, 150)))


def made_facts(dice: Random, suppressed: frozenset[UUID] = frozenset()) -> LeadFacts:
    parts = make_parts(dice)
    parts["hour"], parts["verified"] = dice.randrange(24), dice.random() < 0.5
    fields = lead_fields(**parts)
    if dice.random() < 0.7:
        fields["place"] = (dice.uniform(40, 55), dice.uniform(-5, 10))
    return LeadFacts(parts["regions"], fields, parts["score"], parts["temperature"], parts["contact_class"],
                     verified=parts["verified"], exclusive_only=dice.random() < 0.2,
                     min_price_minor=dice.choice((0, 0, 1_500)), suppressed=suppressed)  # fmt: skip


def test_the_book_agrees_with_a_plain_scan_for_every_lead() -> None:
    dice = Random(20261127)
    orders = made_orders(dice)
    book, met = Book(orders), 0
    for number in range(LEADS):
        facts, at = made_facts(dice), MONDAY + timedelta(minutes=7 * number)
        wanting = [
            (-pays(one.terms, facts), one.order_id.int) for one in orders
            if wants(one.terms, facts, at) and (not one.terms.contact_hours or may_call(facts.regions[0], at))
        ]  # fmt: skip
        assert [(-one.price_minor, one.order_id.int) for one in book.candidates(facts, at)] == sorted(wanting)
        met += len(wanting)
    assert met > LEADS / 10


def test_the_book_agrees_with_one_plain_query_for_every_lead(database_url: str) -> None:
    dice = Random(20261128)
    orders = made_orders(dice)
    buyers = [UUID(int=number) for number in range(1, 31)]
    orders = [structs.replace(one, buyer_id=dice.choice(buyers)) for one in orders]
    book, met, kept_away = Book(orders), 0, 0
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TEMP TABLE now (order_id uuid, buyer_id uuid, terms jsonb)")
        rows = [(one.order_id, one.buyer_id, encode_terms(one.terms).decode()) for one in orders]
        connection.cursor().executemany("INSERT INTO now VALUES (%s, %s, %s)", rows)
        connection.execute(COMPARE)
        query = "WITH" + WANTED.strip().removeprefix(",")
        for number in range(LEADS):
            suppressed = frozenset(dice.sample(buyers, dice.choice((0, 0, 1, 5))))
            facts, at = made_facts(dice, suppressed), MONDAY + timedelta(minutes=11 * number)
            found = [(one.order_id, one.price_minor) for one in book.candidates(facts, at)]
            assert found == connection.execute(query, asked_of(facts, at)).fetchall(), number
            met += len(found)
            kept_away += len(found) < sum(
                1 for _ in book.candidates(structs.replace(facts, suppressed=frozenset()), at)
            )
    assert met > LEADS / 10 and kept_away > 0
