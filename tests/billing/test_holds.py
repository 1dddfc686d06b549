"""A hold takes what is there, ends once, and gives back exactly what was not captured."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import errors

from core.ids import new_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EARNER = new_id()


@pytest.fixture
def account(books):
    account = new_id()
    books.credit(account, 10_000)
    return account


def entries_of(books, key):
    query = """SELECT c.name, e.amount_minor FROM billing.entries e
               JOIN billing.transactions t ON t.id = e.transaction_id
               JOIN billing.chart_of_accounts c ON c.code = e.account WHERE t.key = %s"""
    return dict(books.connection.execute(query, (key,)).fetchall())


def test_a_hold_sets_money_aside(books, account):
    hold = books.hold(account, 4_000)
    assert books.wallet(account) == (6_000, 4_000, 0)
    assert entries_of(books, f"sale:{hold}:hold") == {"wallet:available": 4_000, "wallet:held": -4_000}


def test_held_money_cannot_be_held_again(books, account):
    assert books.hold(account, 6_000)
    assert books.hold(account, 4_001) is None
    assert books.wallet(account) == (4_000, 6_000, 0)
    assert books.hold(account, 4_000)


def test_a_hold_that_was_not_placed_leaves_its_key_free(books, account):
    hold = new_id()
    assert books.hold(account, 10_001, hold) is None
    assert books.value("SELECT count(*) FROM billing.transactions") == 1
    books.credit(account, 1)
    assert books.hold(account, 10_001, hold) == hold


def test_the_same_hold_twice_is_one_hold(books, account):
    hold = books.hold(account, 4_000)
    assert books.hold(account, 4_000, hold) == hold
    assert books.wallet(account) == (6_000, 4_000, 0)


def test_the_same_hold_twice_is_one_hold_even_when_the_wallet_is_empty(books, account):
    hold = books.hold(account, 10_000)
    assert books.hold(account, 10_000, hold) == hold


@pytest.mark.parametrize("amount", [3_999, 10_001])
def test_a_hold_key_with_another_amount_is_refused(books, account, amount):
    hold = books.hold(account, 4_000)
    with pytest.raises(errors.UniqueViolation):
        books.hold(account, amount, hold)
    assert books.wallet(account) == (6_000, 4_000, 0)


def test_a_hold_id_under_another_key_is_refused(books, account):
    hold = books.hold(account, 4_000)
    with pytest.raises(errors.UniqueViolation):
        books.hold(account, 4_000, hold, key="sale:other:hold")
    assert books.wallet(account) == (6_000, 4_000, 0)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_hold_needs_an_amount(books, account, amount):
    with pytest.raises(errors.CheckViolation):
        books.hold(account, amount)


def test_a_suspended_wallet_holds_nothing(books, account):
    books.connection.execute("UPDATE billing.wallets SET suspended_at = now()")
    assert books.hold(account, 1) is None
    assert books.value("SELECT sum(s) FROM billing.spendable(%s, 'EUR') AS s", account) is None


def test_spendable_counts_promotional_credit_and_not_what_is_held(books, account):
    books.credit(account, 500, kind="promo")
    books.hold(account, 500)
    assert books.value("SELECT billing.spendable(%s, 'EUR')", account) == 10_000
    assert books.value("SELECT sum(s) FROM billing.spendable(%s, 'USD') AS s", account) is None


def test_a_capture_books_the_example_of_the_chart(books, account):
    earner = new_id()
    hold = books.hold(account, 4_000)
    assert books.resolve(hold, 4_000, earner, 2_800, 280) == "resolved"
    assert entries_of(books, f"hold:{hold}:resolve") == {
        "wallet:held": 4_000, "income": -4_000, "earner_share": 2_800, "earner:payable": -2_520, "earner:reserve": -280,
    }  # fmt: skip
    assert books.wallet(account) == (6_000, 0, 0)
    assert books.earner(earner) == (2_520, 280)


def test_half_a_hold_is_captured_and_the_other_half_released(books, account):
    earner = new_id()
    hold = books.hold(account, 4_000)
    assert books.resolve(hold, 2_000, earner, 1_400, 140) == "resolved"
    assert books.wallet(account) == (8_000, 0, 0)
    assert books.earner(earner) == (1_260, 140)
    assert books.value("SELECT outcome FROM billing.hold_resolutions") == "split"


@pytest.mark.parametrize(("reason", "outcome"), [("withdrawn", "released"), ("expired", "expired")])
def test_a_released_hold_gives_everything_back(books, account, reason, outcome):
    hold = books.hold(account, 4_000)
    assert books.resolve(hold, 0, reason=reason) == "resolved"
    assert books.wallet(account) == (10_000, 0, 0)
    assert books.value("SELECT outcome FROM billing.hold_resolutions") == outcome


def test_a_released_hold_cannot_be_captured_any_more(books, account):
    hold = books.hold(account, 4_000)
    books.resolve(hold, 0)
    assert books.resolve(hold, 4_000, EARNER, 2_800) == "conflict"
    assert books.wallet(account) == (10_000, 0, 0)
    assert books.earner(EARNER) == (0, 0)


def test_a_repeated_release_answers_repeated_and_books_nothing_again(books, account):
    hold = books.hold(account, 4_000)
    assert [books.resolve(hold, 0) for _ in range(3)] == ["resolved", "repeated", "repeated"]
    assert books.wallet(account) == (10_000, 0, 0)


@pytest.mark.parametrize("change", [
    {"capture": 3_999}, {"share": 2_799}, {"reserve": 281}, {"earner": new_id()}, {"until": NOON + timedelta(days=1)},
])  # fmt: skip
def test_a_second_resolution_with_other_content_is_a_conflict(books, account, change):
    hold = books.hold(account, 4_000)
    content = {"capture": 4_000, "earner": EARNER, "share": 2_800, "reserve": 280, "until": NOON}
    assert books.resolve(hold, **content) == "resolved"
    assert books.resolve(hold, **content) == "repeated"
    assert books.resolve(hold, **content | change) == "conflict"
    assert books.earner(EARNER) == (2_520, 280)


def test_more_than_was_held_cannot_be_captured(books, account):
    hold = books.hold(account, 4_000)
    assert books.resolve(hold, 4_001) == "conflict"
    assert books.wallet(account) == (6_000, 4_000, 0)
    assert books.resolve(hold, 4_000) == "resolved"


def test_a_hold_that_does_not_exist_is_missing(books):
    assert books.resolve(new_id(), 0) == "missing"


@pytest.mark.parametrize("wrong", [
    {"capture": -1}, {"capture": 100, "share": 101, "earner": EARNER}, {"capture": 100, "share": 100},
    {"capture": 100, "share": 50, "reserve": 51, "earner": EARNER}, {"capture": 0, "share": 1, "earner": EARNER},
    {"capture": 100, "share": 50, "reserve": 5, "earner": EARNER, "until": None},
])  # fmt: skip
def test_a_request_that_makes_no_sense_is_refused_whole(books, account, wrong):
    hold = books.hold(account, 4_000)
    with pytest.raises(errors.CheckViolation):
        books.resolve(hold, **wrong)
    assert books.wallet(account) == (6_000, 4_000, 0)


def test_promotional_credit_is_held_first_and_restored_by_a_release(books, account):
    books.credit(account, 1_000, kind="promo")
    hold = books.hold(account, 4_000)
    assert books.wallet(account) == (7_000, 4_000, 0)
    assert entries_of(books, f"sale:{hold}:hold") == {
        "wallet:promo": 1_000, "wallet:available": 3_000, "wallet:held": -4_000,
    }  # fmt: skip
    books.resolve(hold, 0)
    assert books.wallet(account) == (10_000, 0, 1_000)


@pytest.mark.parametrize(("promo", "amount", "capture", "back"), [
    (1_000, 4_000, 2_000, 500), (1_000, 3_000, 1_000, 666), (1, 3, 1, 0), (2, 3, 2, 0), (3, 3, 1, 2), (3, 3, 3, 0),
])  # fmt: skip
def test_a_split_restores_promotional_credit_in_proportion_rounded_down(books, account, promo, amount, capture, back):
    books.credit(account, promo, kind="promo")
    hold = books.hold(account, amount)
    books.resolve(hold, capture)
    assert books.wallet(account) == (10_000 - (amount - promo) + (amount - capture - back), 0, back)


def test_a_reserve_matures_once_and_not_before_its_day(books, account):
    earner = new_id()
    hold = books.hold(account, 4_000)
    books.resolve(hold, 4_000, earner, 2_800, 280, until=NOON + timedelta(days=30))
    assert books.mature(NOON + timedelta(days=30, microseconds=-1)) == 0
    assert books.mature(NOON + timedelta(days=30)) == 1
    assert books.mature(NOON + timedelta(days=60)) == 0
    assert books.earner(earner) == (2_800, 0)


def test_reserves_mature_oldest_first_up_to_the_limit(books, account):
    earner = new_id()
    for days in (3, 1, 2):
        books.resolve(books.hold(account, 100), 100, earner, 100, 10 * days, until=NOON + timedelta(days=days))
    assert books.mature(NOON + timedelta(days=9), limit=2) == 2
    assert books.earner(earner) == (270, 30)
