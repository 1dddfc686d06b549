"""Whoever draws, pays and stops at once leaves the same books as whoever does in turn."""

from datetime import UTC, datetime, timedelta

from core.ids import new_id
from tests.billing.conftest import NOON

EVER = datetime(9999, 1, 1, tzinfo=UTC)


def test_20_holds_at_once_on_a_line_that_pays_10_take_exactly_10(books):
    account = new_id()
    books.credit(account, 250)
    books.line(account, 750)
    placed = books.at_once([lambda own: own.hold(account, 100)] * 20)
    assert sum(hold is not None for hold in placed) == 10
    assert books.wallet(account) == (0, 1_000, 0) and books.debts(account) == (750, 0)


def test_the_same_hold_16_times_at_once_draws_once(books):
    account, hold = new_id(), new_id()
    books.line(account, 1_000)
    assert books.at_once([lambda own: own.hold(account, 300, hold)] * 16) == [hold] * 16
    assert books.debts(account) == (300, 0)


def test_money_that_comes_in_and_the_round_at_once_pay_a_debt_once(books):
    account = new_id()
    books.line(account, 10_000)
    for _ in range(5):
        books.hold(account, 100)
    at = NOON + timedelta(days=40)
    pay = "SELECT billing.post_credit(%s, 'EUR', 70, %s, 'test', 'tester', %s)"
    works = []
    for number in range(5):
        works.append(lambda own, number=number: own.value(pay, account, f"credit:{number}", at))
        works.append(lambda own: own.collect(at))
        works.append(lambda own: own.pay(account, EVER))
    books.at_once(works)
    assert books.debts(account) == (150, 0) and books.wallet(account) == (0, 500, 0)
    books.credit(account, 200)
    books.at_once([lambda own: own.pay(account, EVER)] * 8)
    assert books.debts(account) == (0, 0) and books.wallet(account) == (50, 500, 0)


def test_holds_and_payments_at_once_lose_nothing(books):
    account = new_id()
    books.line(account, 1_000)

    def trade(own):
        placed = 0
        for number in range(10):
            placed += own.hold(account, 40) is not None
            own.credit(account, 30)
            own.pay(account, EVER)
            if number % 3 == 0:
                own.collect(NOON + timedelta(days=60))
        return placed

    placed = sum(books.at_once([trade] * 8))
    available, held, _ = books.wallet(account)
    assert held == placed * 40 and available - books.debts(account)[0] == 80 * 30 - held


def test_holds_and_the_stop_at_once_end_stopped_with_nothing_held_afterwards(books):
    at = NOON + timedelta(days=50)
    for _ in range(5):
        account = new_id()
        books.line(account, 100_000)
        books.hold(account, 100)
        placed = books.at_once([lambda own, a=account: own.hold(a, 10)] * 8 + [lambda own: own.stop(at, at)])
        taken = sum(one is not None for one in placed[:-1])
        assert placed[-1] == 1 and books.hold(account, 10) is None
        assert books.wallet(account)[1] == 100 + 10 * taken
        books.value("SELECT billing.post_credit(%s, 'EUR', 100000, %s, 'test', 'tester', %s)", account,
                    f"credit:{account}", at)  # fmt: skip
