"""The Python face says in Money what the ledger knows in minor units."""

from datetime import UTC, datetime, timedelta

import pytest

import billing
from billing import HoldRequest, Posting
from core.db import db, transaction
from core.errors import Conflict, Invalid
from core.ids import new_id
from core.money import Money

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def eur(minor):
    return Money(minor, "EUR")


def credit(account, minor, key="a"):
    with transaction():
        return billing.credit_wallet(account, eur(minor), key, "seen at the bank", "op", NOON)


def hold(account, minor, hold_id=None):
    hold_id = hold_id or new_id()
    with transaction():
        assert billing.place_hold(hold_id, account, eur(minor), "cpl", f"sale:{hold_id}:hold", "api", NOON)
    return hold_id


def test_an_unknown_wallet_and_earner_have_nothing(app):
    assert billing.wallet_of(new_id(), "EUR").spendable == eur(0)
    assert billing.earnings_of(new_id(), "EUR").payable == eur(0)


def test_a_credit_answers_what_became_of_it(app):
    account = new_id()
    assert credit(account, 10_000) == Posting("committed")
    assert credit(account, 10_000) == Posting("repeated")
    assert credit(account, 10_001) == Posting("conflict", "key_reused")
    assert credit(account, 0, "b") == Posting("refused", "amount")
    assert billing.wallet_of(account, "EUR").available == eur(10_000)


def test_the_platform_pays_an_earner_once_a_key_and_out_of_its_own_pocket(app):
    earner = new_id()

    def compensate(minor, key="a"):
        with transaction():
            return billing.compensate(earner, eur(minor), key, "not his fault", "op", NOON)

    assert compensate(1_400) == Posting("committed")
    assert compensate(1_400) == Posting("repeated")
    with pytest.raises(Conflict):
        compensate(1_401)
    with pytest.raises(Invalid):
        compensate(0, "b")
    assert billing.earnings_of(earner, "EUR").payable == eur(1_400)


def test_opening_twice_is_opening_once(app):
    account = new_id()
    for _ in range(2):
        with transaction():
            billing.open_wallet(account, "EUR")
            billing.open_earner(account, "EUR")
    assert billing.wallet_of(account, "EUR").held == eur(0)


def test_a_hold_is_placed_or_not(app):
    account = new_id()
    credit(account, 100)
    hold(account, 60)
    with transaction():
        assert not billing.place_hold(new_id(), account, eur(41), "cpl", "sale:x:hold", "api", NOON)
    assert billing.wallet_of(account, "EUR").spendable == eur(40)


def test_a_hold_key_used_for_something_else_is_a_conflict(app):
    account = new_id()
    credit(account, 100)
    hold_id = hold(account, 60)
    with pytest.raises(Conflict), transaction():
        billing.place_hold(hold_id, account, eur(10), "cpl", f"sale:{hold_id}:hold", "api", NOON)


def test_a_batch_is_answered_in_the_order_asked(app):
    account, earner = new_id(), new_id()
    credit(account, 10_000)
    first, second, missing = hold(account, 4_000), hold(account, 1_000), new_id()
    until = NOON + timedelta(days=30)
    requests = [
        HoldRequest(second, 0, reason="withdrawn"),
        HoldRequest(missing, 5),
        HoldRequest(first, 4_000, earner, 2_800, 280, until, "settled"),
    ]
    for states in (["resolved", "missing", "resolved"], ["repeated", "missing", "repeated"]):
        with transaction():
            assert [outcome.state for outcome in billing.resolve_holds(requests, "worker", NOON)] == states
    earned = billing.earnings_of(earner, "EUR")
    assert (earned.payable, earned.reserve, earned.paid, earned.owed) == (eur(2_520), eur(280), eur(0), eur(0))
    with transaction():
        assert billing.mature_reserves(until, 100, "worker") == 1
    assert billing.earnings_of(earner, "EUR").payable == eur(2_800)


def test_an_empty_batch_is_answered_with_nothing(app):
    assert billing.resolve_holds([], "worker", NOON) == []


def test_a_request_that_makes_no_sense_is_invalid(app):
    account = new_id()
    credit(account, 100)
    hold_id = hold(account, 60)
    with pytest.raises(Invalid), transaction():
        billing.resolve_holds([HoldRequest(hold_id, 60, None, 30)], "worker", NOON)


def test_promotional_credit_is_not_available_money(app):
    account = new_id()
    with transaction():
        billing.grant_promo(account, eur(500), "welcome", "welcome", "op", NOON)
    wallet = billing.wallet_of(account, "EUR")
    assert (wallet.available, wallet.promo, wallet.spendable) == (eur(0), eur(500), eur(500))


def test_history_shows_the_newest_first_in_the_owners_favour_and_pages(app):
    account = new_id()
    credit(account, 10_000)
    hold_id = hold(account, 4_000)
    with transaction():
        billing.resolve_holds([HoldRequest(hold_id, 1_000)], "worker", NOON)
    items = billing.history_of(account, "EUR")
    assert [item.changes for item in items] == [
        {"wallet:held": eur(-4_000), "wallet:available": eur(3_000)},
        {"wallet:available": eur(-4_000), "wallet:held": eur(4_000)},
        {"wallet:available": eur(10_000)},
    ]
    assert billing.history_of(account, "EUR", limit=1) == items[:1]
    assert billing.history_of(account, "EUR", before=items[0].transaction_id) == items[1:]
    assert billing.history_of(account, "USD") == []


def test_the_audit_takes_a_session(app):
    credit(new_id(), 100)
    assert billing.audit(db.session).ok
