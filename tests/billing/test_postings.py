"""The journal takes what balances, once, and never changes."""

import psycopg
import pytest
from psycopg import errors

from core.ids import new_id

BOOKS = ("chart_of_accounts", "transactions", "entries", "holds", "hold_resolutions", "lot_resolutions", "refusals")


def post(connection: psycopg.Connection, *amounts: int, currency: str = "EUR", entries_in: str = "EUR") -> None:
    """Write a transaction with these entries on the bank, within the caller's database transaction."""
    posted = new_id()
    connection.execute(
        "INSERT INTO billing.transactions (id, key, kind, currency, actor, occurred_at)"
        " VALUES (%s, %s, 'test', %s, 'tester', now())",
        (posted, f"test:{posted}", currency),
    )
    for line, amount in enumerate(amounts, 1):
        connection.execute(
            "INSERT INTO billing.entries (transaction_id, line, account, currency, amount_minor)"
            " VALUES (%s, %s, 1030, %s, %s)",
            (posted, line, entries_in, amount),
        )


def test_a_balanced_transaction_is_committed(books):
    with psycopg.connect(books.url) as connection:
        post(connection, 100, -100)
    assert books.value("SELECT count(*) FROM billing.entries") == 2


@pytest.mark.parametrize("amounts", [(100, -99), (100,), ()])
def test_an_unbalanced_transaction_is_refused_at_commit(books, amounts):
    connection = psycopg.connect(books.url)
    post(connection, *amounts)
    with pytest.raises(errors.CheckViolation, match="does not balance"):
        connection.commit()
    connection.close()
    assert books.value("SELECT count(*) FROM billing.transactions") == 0


def test_entries_in_another_currency_than_their_transaction_are_refused_at_commit(books):
    connection = psycopg.connect(books.url)
    post(connection, 100, -100, currency="EUR", entries_in="USD")
    with pytest.raises(errors.CheckViolation):
        connection.commit()
    connection.close()


def test_a_committed_transaction_cannot_grow(books):
    books.credit(new_id(), 100)
    with pytest.raises(errors.ForeignKeyViolation, match="same database transaction"):
        books.connection.execute(
            "INSERT INTO billing.entries (transaction_id, line, account, currency, amount_minor)"
            " SELECT id, l, 1030, 'EUR', l * 10 - 35 FROM billing.transactions, (VALUES (3), (4)) AS x (l)"
        )


def test_an_entry_without_a_transaction_is_refused(books):
    with pytest.raises(errors.ForeignKeyViolation):
        books.connection.execute(
            "INSERT INTO billing.entries (transaction_id, line, account, currency, amount_minor)"
            " VALUES (uuidv7(), 1, 1030, 'EUR', 5)"
        )


@pytest.mark.parametrize("table", BOOKS)
@pytest.mark.parametrize(
    "change", ["UPDATE billing.{} SET {} = {}", "DELETE FROM billing.{}", "TRUNCATE billing.{} CASCADE"]
)
def test_the_books_refuse_to_be_changed(books, table, change):
    column = books.value(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'billing' AND table_name = %s"
        " ORDER BY ordinal_position LIMIT 1",
        table,
    )
    with pytest.raises(errors.InsufficientPrivilege, match="only added to"):
        books.connection.execute(change.format(table, column, column))


@pytest.mark.parametrize("table", ["wallets", "earners", "reserve_lots"])
def test_a_guarded_account_is_never_deleted(books, table):
    with pytest.raises(errors.InsufficientPrivilege):
        books.connection.execute(f"DELETE FROM billing.{table}")


def test_entries_may_stand_exactly_on_the_accounts_of_the_chart(books):
    chart = dict(books.connection.execute("SELECT code, is_owned FROM billing.chart_of_accounts").fetchall())
    for code in range(0, 7000, 5):
        for owned in (False, True):
            for divided in (False, True):
                owner, part = "uuidv7()" if owned else "NULL", "'part'" if divided else "NULL"
                may = books.value(
                    f"SELECT billing.is_entry(ROW(uuidv7(), 1, {code}, {part}, {owner}, 'EUR', 1)::billing.entries)"
                )
                assert may == (code in chart and owned == chart[code] and divided == (code == 4000))


def test_a_credit_is_booked_once(books):
    account = new_id()
    assert [books.credit(account, 10_000, "credit:a") for _ in range(3)] == ["committed", "repeated", "repeated"]
    assert books.wallet(account) == (10_000, 0, 0)


def test_the_same_key_with_another_amount_or_account_is_a_conflict(books):
    account = new_id()
    books.credit(account, 10_000, "credit:a")
    assert books.credit(account, 10_001, "credit:a") == "conflict"
    assert books.credit(new_id(), 10_000, "credit:a") == "conflict"
    assert books.credit(account, 10_000, "credit:a", kind="promo") == "conflict"
    assert books.wallet(account) == (10_000, 0, 0)


def test_a_refused_posting_stays_refused_when_its_reason_is_gone(books):
    account = new_id()
    books.credit(account, 100)
    books.connection.execute("UPDATE billing.wallets SET suspended_at = now()")
    assert books.credit(account, 500, "credit:a") == "refused:wallet_suspended"
    books.connection.execute("UPDATE billing.wallets SET suspended_at = NULL")
    assert books.credit(account, 500, "credit:a") == "refused:wallet_suspended"
    assert books.credit(account, 501, "credit:a") == "conflict"
    assert books.wallet(account) == (100, 0, 0)
    assert books.credit(account, 500, "credit:b") == "committed"


@pytest.mark.parametrize("amount", [0, -1, -(10**15), 10**15 + 1, 2**63 - 1])
def test_a_credit_that_is_no_amount_is_refused(books, amount):
    assert books.credit(new_id(), amount) == "refused:amount"


def test_a_wallet_cannot_outgrow_the_limit_of_the_ledger(books):
    account = new_id()
    assert books.credit(account, 10**15) == "committed"
    assert books.credit(account, 1) == "refused:balance_limit"
    assert books.wallet(account) == (10**15, 0, 0)


def test_a_key_in_flight_is_waited_for_and_free_again_after_a_rollback(books):
    account = new_id()
    other = psycopg.connect(books.url)
    other.execute("SELECT billing.post_credit(%s, 'EUR', 100, 'credit:a', 'r', 'tester', now())", (account,))
    books.connection.execute("SET lock_timeout = '200ms'")
    with pytest.raises(errors.LockNotAvailable):
        books.credit(account, 100, "credit:a")
    other.rollback()
    other.close()
    assert books.credit(account, 100, "credit:a") == "committed"
