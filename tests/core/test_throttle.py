"""Tries are counted in the database, by person and by network address, and what is refused stays on record."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from core.db import db, transaction
from core.identity.throttle import (
    LIMITS,
    forget_attempts,
    forgive,
    network_of,
    refused_lately,
    start_of,
    subject_of,
    wait_after_try,
)  # fmt: skip
from tests.at_once import at_once
from tests.core.test_sign_in import email_of
from tests.factories import Market
from tests.visitor import Visitor, words_of

AT = datetime(2026, 11, 26, 12, 5, tzinfo=UTC)
ADA, GRACE, HERE = (subject_of(b"key", name) for name in ("ada", "grace", "192.0.2.1"))


def tried(action: str, person: bytes | None, address: bytes, at: datetime = AT) -> int:
    with transaction():
        return wait_after_try(action, person, address, at)


@pytest.mark.parametrize("action", sorted(LIMITS))
def test_the_last_try_within_the_limit_counts_and_the_next_waits_for_the_window(app: Flask, action: str) -> None:
    limit = LIMITS[action]
    assert [tried(action, ADA, HERE) for _ in range(limit.person)] == [0] * limit.person
    end = start_of(action, AT) + limit.window
    assert tried(action, ADA, HERE) == int((end - AT).total_seconds())
    assert tried(action, GRACE, HERE) == 0
    assert tried(action, ADA, HERE, end) == 0


def test_an_address_is_counted_whomever_it_asks_about(app: Flask) -> None:
    limit = LIMITS["sign_in"].address
    waits = [tried("sign_in", subject_of(b"key", f"person {number}"), HERE) for number in range(limit + 1)]
    assert waits[:limit] == [0] * limit and waits[limit] > 0


def test_of_many_tries_at_once_none_goes_beyond_the_limit(app: Flask) -> None:
    def once(_: int) -> int:
        with app.app_context():
            return tried("sign_in", ADA, HERE)

    waits = at_once([lambda number=number: once(number) for number in range(16)])
    assert sum(wait == 0 for wait in waits) == LIMITS["sign_in"].person
    assert refused_lately(ADA) == 16 - LIMITS["sign_in"].person


def test_who_has_shown_who_they_are_begins_anew_and_refusals_stay_on_record(app: Flask) -> None:
    for _ in range(LIMITS["sign_in"].person + 2):
        tried("sign_in", ADA, HERE)
    with transaction():
        forgive("sign_in", ADA, AT)
    assert tried("sign_in", ADA, HERE) == 0 and refused_lately(ADA) == 2


def test_what_was_counted_is_forgotten_after_thirty_days(app: Flask) -> None:
    tried("mail", ADA, HERE, datetime.now(UTC) - timedelta(days=31))
    tried("mail", GRACE, HERE, datetime.now(UTC))
    db.session.rollback()
    forget_attempts()
    assert db.session.scalar(db.text("SELECT count(*) FROM core.attempts")) == 2


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("2001:db8:1:2::9", "2001:db8:1:2::"),
    ("", ""), ("unix:", "unix:"),
])  # fmt: skip
def test_an_ipv6_network_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_guessing_a_password_ends_after_the_documented_tries_even_with_the_right_one(market: Market) -> None:
    email, known = email_of(market, "buyer"), Visitor(market.app)
    stranger = Visitor(market.app, "192.0.2.66")
    for visitor, name in ((known, email), (stranger, "nobody@example.com")):
        for _ in range(LIMITS["sign_in"].person):
            assert visitor.sign_in(name, "a wrong guess").status_code == 200
    refused = [known.sign_in(email), stranger.sign_in("nobody@example.com")]
    for answer in refused:
        assert answer.status_code == 429 and 0 < int(answer.headers["Retry-After"]) <= 900
        assert "Try again in" in words_of(answer)


def test_a_second_factor_is_not_guessed_either(market: Market) -> None:
    visitor = Visitor(market.app)
    answers = [visitor.open("/tf-validate", "POST", {"code": str(number)}).status_code for number in range(101)]
    assert answers[-1] == 429 and 429 not in answers[:-1]


def test_the_numbers_stand_in_the_documents() -> None:
    rows = re.findall(
        r"\| `(\w+)` \|.*\| (\d+) minutes \| (\d+) \| (\d+) \|", Path("docs/sign-in.md").read_text("utf-8")
    )
    said = {name: (int(minutes), int(person), int(address)) for name, minutes, person, address in rows}
    assert said == {
        name: (limit.window.total_seconds() / 60, limit.person, limit.address) for name, limit in LIMITS.items()
    }
