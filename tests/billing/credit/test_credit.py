"""A wallet draws from its line only what it lacks, pays what is due with what comes in, and stops when it is overdue."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.ids import new_id
from tests.billing.conftest import NOON

DUE = datetime(2026, 4, 2, tzinfo=UTC)  # thirty days after the end of NOON's day


def entries(books, key):
    query = """SELECT e.account, e.amount_minor FROM billing.entries e JOIN billing.transactions t
        ON t.id = e.transaction_id WHERE t.key = %s ORDER BY e.line"""
    return books.connection.execute(query, (key,)).fetchall()


def test_a_hold_draws_what_promotion_and_money_lack_in_a_transaction_of_its_own(books):
    account = new_id()
    books.credit(account, 300)
    books.credit(account, 100, kind="promo")
    books.line(account, 1_000)

    hold = books.hold(account, 700)

    assert books.wallet(account) == (0, 700, 0) and books.debts(account) == (300, 0)
    assert entries(books, f"sale:{hold}:draw") == [(1110, 300), (2000, -300)]
    assert entries(books, f"sale:{hold}:hold") == [(2030, 100), (2000, 600), (2010, -700)]
    assert books.value("SELECT amount_minor FROM billing.draws WHERE hold_id = %s", hold) == 300
    assert books.value("SELECT due_at FROM billing.debts") == DUE


def test_money_that_suffices_leaves_the_line_alone(books):
    account = new_id()
    books.credit(account, 700)
    books.line(account, 1_000)
    books.hold(account, 700)
    assert books.debts(account) == (0, 0) and books.value("SELECT count(*) FROM billing.draws") == 0


def test_a_hold_that_money_covers_never_asks_for_credit(books):
    account = new_id()
    books.credit(account, 700)
    books.line(account, 1_000)
    books.connection.execute("ALTER FUNCTION billing.draw RENAME TO taken_away")
    assert books.hold(account, 700)
    with pytest.raises(psycopg.errors.UndefinedFunction):
        books.hold(account, 1)


def test_nothing_is_drawn_above_the_limit(books):
    account = new_id()
    books.credit(account, 50)
    books.line(account, 100)
    assert books.hold(account, 151) is None
    assert books.wallet(account) == (50, 0, 0) and books.debts(account) == (0, 0)
    assert books.hold(account, 150)


def test_what_could_be_held_is_told_to_the_cent(books):
    account = new_id()
    books.credit(account, 50)
    books.credit(account, 20, kind="promo")
    books.line(account, 100)
    query = "SELECT s FROM billing.spendable(%s, 'EUR') s"
    assert books.value(query, account) == 170
    books.hold(account, 100)
    assert books.value(query, account) == 70
    books.line(account, 10)  # below what is drawn
    assert books.value(query, account) == 0 and books.debts(account) == (30, 0)
    assert books.hold(account, 1) is None


def test_the_same_hold_again_draws_nothing_more(books):
    account, hold = new_id(), new_id()
    books.line(account, 1_000)
    for _ in range(3):
        assert books.hold(account, 400, hold) == hold
    assert books.debts(account) == (400, 0) and books.wallet(account) == (0, 400, 0)
    with pytest.raises(psycopg.errors.UniqueViolation):
        books.hold(account, 401, hold)
    assert books.debts(account) == (400, 0)


def test_a_hold_that_is_set_free_gives_money_back_and_the_draw_stays_until_its_day(books):
    account = new_id()
    books.line(account, 1_000)
    hold = books.hold(account, 400)
    books.resolve(hold, 0)
    assert books.wallet(account) == (400, 0, 0) and books.debts(account) == (400, 0)
    books.hold(account, 150)
    assert books.debts(account) == (400, 0)
    assert books.collect(DUE - timedelta(seconds=1)) == 0
    assert books.collect(DUE) == 1
    assert books.wallet(account) == (0, 150, 0) and books.debts(account) == (150, 0)


def test_draws_of_a_day_fall_due_together(books):
    account = new_id()
    books.line(account, 1_000)
    first, second = books.hold(account, 100), books.hold(account, 200)
    books.line(account, 1_000, 7)
    third = books.hold(account, 300)
    query = """SELECT array_agg(r.hold_id ORDER BY r.hold_id) FROM billing.draws r JOIN billing.debts d
        ON d.id = r.debt_id GROUP BY d.due_at ORDER BY d.due_at"""
    assert [row[0] for row in books.connection.execute(query)] == [[third], sorted([first, second])]


def test_the_day_of_a_draw_is_that_of_utc_whatever_the_zone_of_the_session(books):
    account = new_id()
    books.line(account, 1_000)
    books.hold(account, 100)
    books.connection.execute("SET TimeZone = 'America/New_York'")
    books.hold(account, 200)
    assert books.value("SELECT array_agg(due_at) FROM billing.debts") == [DUE]


def test_what_is_owed_and_what_is_at_stake_take_room_of_the_line(books):
    account = new_id()
    books.line(account, 1_000)
    books.charge(account, 900)
    assert books.value("SELECT s FROM billing.spendable(%s, 'EUR') s", account) == 100
    books.connection.execute("UPDATE billing.wallets SET at_stake = 60")
    assert books.value("SELECT s FROM billing.spendable(%s, 'EUR') s", account) == 40
    assert books.hold(account, 41) is None
    assert books.hold(account, 40)
    books.connection.execute("UPDATE billing.wallets SET at_stake = 0")


def test_a_payment_of_an_earlier_instant_sets_no_stopped_wallet_going(books):
    account = new_id()
    books.line(account, 1_000)
    books.hold(account, 500)
    assert books.stop(DUE, DUE + timedelta(days=5)) == 1
    books.value("SELECT billing.post_credit(%s, 'EUR', 1, 'credit:early', 'test', 'tester', %s)", account, NOON)
    assert books.value("SELECT stopped_at FROM billing.wallets") is not None


def test_money_that_comes_in_pays_what_is_due_and_no_more(books):
    account = new_id()
    books.line(account, 1_000)
    books.hold(account, 400)
    books.credit(account, 100)  # at noon, long before the day
    assert books.wallet(account) == (100, 400, 0) and books.debts(account) == (400, 0)

    later = "SELECT billing.post_credit(%s, 'EUR', %s, %s, 'test', 'tester', %s)"
    books.value(later, account, 350, "credit:later", DUE)
    assert books.wallet(account) == (50, 400, 0) and books.debts(account) == (0, 0)
    [(debt,)] = books.connection.execute("SELECT id FROM billing.debts").fetchall()
    assert entries(books, f"debt:{debt}:pay:1") == [(2000, 400), (1110, -400)]


def test_promotion_pays_no_debt(books):
    account = new_id()
    books.charge(account, 100)
    books.credit(account, 500, kind="promo")
    assert books.collect(DUE) == 0 and books.debts(account) == (0, 100) and books.wallet(account) == (0, 0, 500)


def test_a_part_is_paid_oldest_first_each_payment_under_a_key_of_its_own(books):
    account = new_id()
    books.charge(account, 100)
    books.charge(account, 200, NOON + timedelta(days=1))
    for amount in (50, 70):
        books.value(
            "SELECT billing.post_credit(%s, 'EUR', %s, %s, 'test', 'tester', %s)",
            account,
            amount,
            f"credit:{amount}",
            DUE,
        )
    query = "SELECT p.number, p.amount_minor FROM billing.debt_payments p JOIN billing.debts d ON d.id = p.debt_id " \
            "ORDER BY d.due_at, p.number"  # fmt: skip
    assert books.connection.execute(query).fetchall() == [(1, 50), (2, 50), (1, 20)]
    assert books.debts(account) == (0, 180)


def test_a_lost_chargeback_is_due_at_once_and_paid_by_what_is_there(books):
    account = new_id()
    books.credit(account, 60)
    assert books.charge(account, 100) == "committed"
    assert books.wallet(account) == (0, 0, 0) and books.debts(account) == (0, 40)


def test_whoever_pays_early_pays_what_is_there_once(books):
    account = new_id()
    books.line(account, 1_000)
    books.hold(account, 400)
    books.credit(account, 300)
    assert books.pay(account, datetime(9999, 1, 1, tzinfo=UTC)) == 300
    assert books.pay(account, datetime(9999, 1, 1, tzinfo=UTC)) == 0
    assert books.debts(account) == (100, 0)
    assert books.hold(account, 900)  # what is paid is room again
    assert books.debts(account) == (1_000, 0)


def test_an_overdue_debt_stops_the_wallet_until_what_is_due_is_paid(books):
    account = new_id()
    books.line(account, 1_000)
    books.credit(account, 40, kind="promo")
    books.hold(account, 440)
    five_days = DUE + timedelta(days=5)
    assert books.stop(five_days - timedelta(days=5, seconds=1), five_days) == 0
    assert books.stop(DUE, five_days) == 1
    assert books.stop(DUE, five_days) == 0
    assert books.value("SELECT s FROM billing.spendable(%s, 'EUR') s", account) is None
    assert books.hold(account, 1) is None

    pay = "SELECT billing.post_credit(%s, 'EUR', %s, %s, 'test', 'tester', %s)"
    books.value(pay, account, 399, "credit:nearly", five_days)
    assert books.hold(account, 1) is None
    books.value(pay, account, 1, "credit:whole", five_days)
    assert books.value("SELECT stopped_at FROM billing.wallets") is None and books.hold(account, 1)
    told = books.connection.execute("SELECT payload ->> 'event' FROM core.outbox WHERE topic = 'notice' ORDER BY id")
    assert [row[0] for row in told] == ["credit.overdue", "credit.paid"]


def test_a_line_changes_by_rows_that_stay_and_one_at_a_time(books):
    account = new_id()
    books.line(account, 1_000)
    books.line(account, 500, 7)
    query = "SELECT version, limit_minor, days FROM billing.credit_lines ORDER BY version"
    assert books.connection.execute(query).fetchall() == [(1, 1_000, 30), (2, 500, 7)]
    late = "SELECT billing.set_credit_line(%s, 'EUR', 9, 7::smallint, 0, 1, 'test', 'tester', %s)"
    assert books.value(late, account, NOON) is False
    assert books.value("SELECT credit_limit FROM billing.wallets") == 500
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        books.connection.execute("UPDATE billing.credit_lines SET limit_minor = 9")
    with pytest.raises(psycopg.errors.CheckViolation):
        books.line(account, 500, 8)


def test_no_posting_pays_a_debt_past_its_own_verb(books):
    account = new_id()
    books.charge(account, 100)
    with pytest.raises(psycopg.errors.CheckViolation):
        books.charge(account, -100)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE billing.wallets SET drawn = drawn + 1, available = available + 1", "what a wallet drew and owes"),
        ("UPDATE billing.debts SET paid_minor = 1", "a debt is its draws"),
        ("UPDATE billing.draws SET amount_minor = amount_minor - 1", "debts are booked as they say"),
        ("DELETE FROM billing.draws", "debts are booked as they say"),
        ("DELETE FROM billing.holds", "each draw is part of its hold"),
        ("UPDATE billing.wallets SET credit_limit = 5", "a wallet's limit is that of its newest line"),
    ],
)
def test_the_audit_finds_it(books, change, found):
    account = new_id()
    books.line(account, 1_000)
    books.hold(account, 400)
    books.tamper(change)
    assert any(check.name.startswith(found) for check in books.audit().checks if not check.ok)
