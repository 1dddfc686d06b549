"""Whoever comes at once gets the same answer as whoever comes in turn; every call here really commits."""

from collections import Counter

import psycopg
import pytest

from core.ids import new_id


def test_64_equal_credits_at_once_are_one(books):
    account = new_id()
    answers = books.at_once([lambda own: own.credit(account, 500, "credit:same")] * 64)
    assert Counter(answers) == {"committed": 1, "repeated": 63}
    assert books.wallet(account) == (500, 0, 0)


def test_64_equal_holds_at_once_are_one(books):
    account, hold = new_id(), new_id()
    books.credit(account, 10_000)
    assert books.at_once([lambda own: own.hold(account, 4_000, hold)] * 64) == [hold] * 64
    assert books.wallet(account) == (6_000, 4_000, 0)


def test_64_equal_refused_credits_at_once_are_all_refused_and_kept_once(books):
    account = new_id()
    answers = books.at_once([lambda own: own.credit(account, -1, "credit:same")] * 64)
    assert set(answers) == {"refused:amount"}
    assert books.value("SELECT count(*) FROM billing.refusals WHERE key = 'credit:same'") == 1


def test_20_drains_of_a_wallet_that_can_pay_10_take_exactly_10(books):
    account = new_id()
    books.credit(account, 700)
    books.credit(account, 300, kind="promo")
    placed = books.at_once([lambda own: own.hold(account, 100)] * 20)
    assert sum(hold is not None for hold in placed) == 10
    assert books.wallet(account) == (0, 1_000, 0)


def test_no_update_of_a_hot_wallet_is_lost(books):
    account = new_id()
    books.credit(account, 16 * 20 * 3)

    def hold_and_release(own):
        for number in range(20):
            hold = own.hold(account, 3)
            own.credit(account, 7)
            assert own.resolve(hold, number % 4 and 3 - number % 3) == "resolved"

    books.at_once([hold_and_release] * 16)
    captured = sum(number % 4 and 3 - number % 3 for number in range(20))
    assert books.wallet(account) == (16 * 20 * (3 + 7) - 16 * captured, 0, 0)


def test_a_hold_resolved_in_two_ways_at_once_ends_in_one_of_them(books):
    account, earner = new_id(), new_id()
    books.credit(account, 10_000)
    for _ in range(10):
        hold = books.hold(account, 100)
        answers = books.at_once([
            lambda own, hold=hold: own.resolve(hold, 100, earner, 70, 7),
            lambda own, hold=hold: own.resolve(hold, 0),
        ])  # fmt: skip
        assert sorted(answers) == ["conflict", "resolved"]
    captured = books.value("SELECT count(*) FROM billing.hold_resolutions WHERE outcome = 'captured'")
    assert books.wallet(account) == (10_000 - 100 * captured, 0, 0)
    assert sum(books.earner(earner)) == 70 * captured


def test_batches_that_overlap_in_opposite_order_do_not_deadlock(books):
    accounts = [new_id() for _ in range(10)]
    for account in accounts:
        books.credit(account, 10_000)
    holds = [books.hold(account, 100) for account in accounts * 20]

    def resolve(own, order):
        return own.connection.execute(
            """SELECT state FROM billing.resolve_holds(ARRAY(SELECT ROW(h, 100, %s, 70, 7, '2026-04-01Z', '')
               ::billing.hold_request FROM unnest(%s::uuid[]) WITH ORDINALITY AS x (h, n) ORDER BY n), 't', now())""",
            (accounts[0], order),
        ).fetchall()

    calls = [lambda own, step=step: resolve(own, holds[::step]) for step in (1, -1) * 4]
    states = Counter(state for answer in books.at_once(calls) for (state,) in answer)
    assert states == {"resolved": 200, "repeated": 1_400}


def test_several_workers_mature_each_reserve_once(books):
    account, earner = new_id(), new_id()
    books.credit(account, 10_000)
    for _ in range(40):
        books.resolve(books.hold(account, 100), 100, earner, 70, 7)

    def work(own):
        done = 0
        while matured := own.mature(limit=3):
            done += matured
        return done

    assert sum(books.at_once([work] * 6)) == 40
    assert books.earner(earner) == (2_800, 0)


def test_a_hold_that_is_rolled_back_leaves_nothing(books):
    account = new_id()
    books.credit(account, 100)
    with psycopg.connect(books.url) as connection, pytest.raises(ZeroDivisionError), connection.transaction():
        connection.execute(
            "SELECT billing.place_hold(uuidv7(), %s, 'EUR', 100, 'cpl', 'sale:x:hold', 'tester', now())", (account,)
        )
        raise ZeroDivisionError
    assert books.wallet(account) == (100, 0, 0)
    assert books.value("SELECT count(*) FROM billing.holds") == 0
