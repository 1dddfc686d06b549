"""A simulated quarter: documents are the books, to the cent, on both sides, and the same history gives the same bytes.

`LEADBOURSE_HISTORIES=300` plays that many random quarters.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from billing import Document, month_content_of, unexplained
from core.db import transaction
from marketplace.audit import audit_all
from tests.marketplace.documents.printed import printed
from tests.marketplace.documents.proofs import ask, lines, months, prove
from tests.marketplace.documents.quarter import REASONS, Quarter, empty_quarter

HISTORIES = int(os.environ.get("LEADBOURSE_HISTORIES", "2"))
TIERS = ("new", "standard", "trusted", "top")


@pytest.fixture(scope="module")
def quarter(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    """One quarter for all tests of this module: making it takes longer than looking at it."""
    with empty_quarter(postgres, "test_quarter", tmp_path_factory.mktemp("quarter")) as made:
        yield made.run()


def test_a_quarter_has_all_that_befalls_a_market(quarter: Quarter) -> None:
    with transaction():
        documents = months()
        kinds = Counter(line.kind for line in lines(documents))
        closings = [month_content_of(one).closing for one in documents if one.kind == "statement"]
        taxed = [len(month_content_of(one).vat.parts) for one in documents]
        reviews = {tuple(row) for row in ask("SELECT verdict, after FROM affiliates.tier_reviews")}
        sold_as = {row[0] for row in ask("SELECT DISTINCT v.tier FROM marketplace.sales s JOIN affiliates.terms_versions v"
                                         " ON v.account_id = s.publisher_id AND v.version = s.terms_version")}  # fmt: skip
        claims = {row[0] for row in ask("SELECT DISTINCT state FROM marketplace.disputes")}
        appealed = {row[0] for row in ask("SELECT DISTINCT against FROM marketplace.appeals")}
        papers = {tuple(row) for row in ask("SELECT DISTINCT kind, currency FROM billing.documents")}
        periods = {one.period for one in documents}
    assert {"sale", "refund", "mature", "payout", "payout_back", "transfer_back", "unpaid", "clawback", "compensate",
            "vat_statement"} <= kinds.keys(), kinds  # fmt: skip
    assert any(one.owed_minor for one in closings), "a negative balance is carried"
    assert max(taxed) > 1, "a rate changes within a month"
    assert {("promoted", tier) for tier in TIERS[1:]} <= reviews and "demoted" in {verdict for verdict, _ in reviews}
    assert sold_as == set(TIERS) and {"upheld", "rejected", "partial"} <= claims and {"upheld", "rejected"} <= appealed
    assert papers == {("receipt", "EUR"), ("credit_note", "EUR"), *((kind, currency) for kind in ("invoice", "statement")
                      for currency in ("EUR", "USD"))} and len(periods) >= 3  # fmt: skip
    assert quarter.paying.befell == {
        "paid", "given_up", "came_back", "failed", "later", "refused", "taken_back",
    }  # fmt: skip


def test_a_quarter_adds_up_on_every_side(quarter: Quarter) -> None:
    prove(quarter)


@pytest.mark.parametrize("kind", ["invoice", "statement"])
@pytest.mark.parametrize("column", ["amount_minor", "promo_minor", "payable_minor", "reserve_minor", "owed_minor"])
def test_a_planted_cent_is_named_by_its_line(quarter: Quarter, kind: str, column: str) -> None:
    with transaction():
        longest = max(months(kind), key=lambda one: len(lines([one])))
        place, document_id = len(lines([longest])) // 2, longest.id
    with changed(f"UPDATE billing.document_lines SET {column} = {column} + 1 WHERE document_id = '{document_id}' AND "
                 f"line = {place}") as connection:  # fmt: skip
        found = unexplained(connection.get_one(Document, document_id))
        named = [(one.line, one.what, one.minor) for one in found if one.line is not None]
        assert named == [(place, column.removesuffix("_minor"), 1)]
        assert [check.name for check in audit_all(connection).checks if not check.ok][:1] == [
            "each line of an invoice or statement is what its transaction moved"
        ]


@contextmanager
def changed(statement: str) -> Iterator[Any]:
    """Have the books changed behind the triggers' back, as only a superuser can, and as they were afterwards."""
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))
        yield session
        session.rollback()


def test_the_same_history_run_twice_gives_the_same_documents_byte_for_byte(
    quarter: Quarter, postgres: str, tmp_path: Path
) -> None:
    first = printed(quarter)
    with empty_quarter(postgres, "test_quarter_again", tmp_path) as other:
        again = printed(other.run())

    assert len(first) > 100 and list(first) == list(again)
    assert [name for name, data in first.items() if data != again[name]] == []


WHICH, DECISIONS = st.integers(0, 19), st.sampled_from(["uphold", "reject", "partial"])
DEEDS = st.one_of(
    st.tuples(st.just("sell"), WHICH, st.booleans()),
    st.tuples(st.just("sell"), WHICH, st.just(False)),
    st.tuples(st.just("claim"), WHICH, st.sampled_from(REASONS)),
    st.tuples(st.just("decide"), WHICH, DECISIONS),
    st.tuples(st.just("appeal"), WHICH, DECISIONS),
    st.tuples(st.just("claim_late"), WHICH),
    st.tuples(st.just("set_tier"), WHICH, st.sampled_from(TIERS)),
    st.tuples(st.just("tax"), WHICH, st.sampled_from(["none", "rate", "reverse_charge"])),
    st.tuples(st.just("top_up"), st.integers(0, 3), st.sampled_from(["0.01", "33.33"])),
    st.tuples(st.just("wait"), st.integers(1, 26)),
)
BEFALLS = st.lists(st.sampled_from(["paid", "given_up", "came_back", "failed", "later"]), min_size=1, max_size=4)


@pytest.mark.timeout(900 + 60 * HISTORIES)
def test_any_small_quarter_adds_up(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    numbers = count()

    @settings(
        max_examples=HISTORIES, deadline=None, derandomize=HISTORIES == 2, suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate) if HISTORIES == 2 else tuple(Phase),
    )  # fmt: skip
    @given(st.lists(DEEDS, min_size=12, max_size=30), BEFALLS)
    def play(deeds: list[tuple[Any, ...]], befalls: list[str]) -> None:
        number = next(numbers)
        folder = tmp_path_factory.mktemp("small")
        with empty_quarter(postgres, f"test_small_{number}", folder, with_cards=False) as made:
            made.open()
            made.paying.befalls = befalls
            for name, *chosen in deeds:
                do(made, name, *chosen)
            for _ in range(5):
                do(made, "wait", 21)
            prove(made)

    play()


def do(quarter: Quarter, name: str, *chosen: Any) -> None:
    """Do one drawn deed; days go by with `wait` alone."""
    if name == "wait":
        quarter.clock.instant += timedelta(days=chosen[0])
        quarter.let_pass()
    elif name == "tax":
        which, treatment = chosen
        rest = {"none": {}, "rate": {"country": "FI"}, "reverse_charge": {"country": "NL", "vat_number": "NL1"}}
        quarter.tax(which, treatment=treatment, **rest[treatment])
    elif name == "sell":
        quarter.sell(chosen[0], dollars=chosen[1])
    else:
        getattr(quarter, name)(*chosen)
