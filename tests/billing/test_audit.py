"""The audit finds every way in which books can be wrong, names the place, and says so by its exit code."""

import json

import pytest
from sqlalchemy import create_engine

from billing import audit
from billing.audit_checks import CHECKS
from billing.cli import print_audit
from core.ids import new_id

HALF_OF_A_PAIR = "UPDATE billing.entries SET amount_minor = amount_minor + 1 WHERE account = 1030"
# What is broken, and the invariants that must say so (others may fail with them).
TAMPERINGS = {
    "an entry of the bank is changed": (HALF_OF_A_PAIR, {"I1", "I2"}),
    "an entry changes its currency": (
        "UPDATE billing.entries SET currency = 'USD' WHERE account = 1030",
        {"I1"},
    ),
    "a transaction loses its entries": (
        "DELETE FROM billing.entries WHERE account IN (1030, 5300)",
        {"I1"},
    ),
    "a transaction is deleted": (
        "DELETE FROM billing.transactions WHERE kind = 'credit'",
        {"I1"},
    ),
    "a cached balance is changed": (
        "UPDATE billing.wallets SET available = available + 1",
        {"I2", "I3", "I14"},
    ),
    "a wallet is deleted": (
        "DELETE FROM billing.wallets",
        {"I2", "I3", "I5", "I14"},
    ),
    "a balance is moved within a wallet": (
        "UPDATE billing.wallets SET available = 0, promo = promo + available",
        {"I3", "I14"},
    ),
    "money is held without a hold": (
        "DELETE FROM billing.holds WHERE id NOT IN (SELECT hold_id FROM billing.hold_resolutions)",
        {"I5", "I12"},
    ),
    "a reserve has no lot": (
        "DELETE FROM billing.reserve_lots WHERE closed_at IS NULL",
        {"I5", "I12"},
    ),
    "money is in flight without a payout": (
        "UPDATE billing.earners SET in_flight = 5",
        {"I3", "I6"},
    ),
    "a refused key is also posted": (
        "INSERT INTO billing.refusals VALUES ('credit:1', 'credit', 'amount', '', 'x', now())",
        {"I10"},
    ),
    "a resolution is lost": (
        "DELETE FROM billing.hold_resolutions WHERE captured_minor > 0",
        {"I5", "I11", "I12"},
    ),
    "a resolution points elsewhere": (
        """UPDATE billing.hold_resolutions v SET transaction_id = h.transaction_id
        FROM billing.holds h WHERE h.id = v.hold_id""",
        {"I11", "I12"},
    ),
    "a lot is closed without a resolution": (
        "UPDATE billing.reserve_lots SET closed_at = now()",
        {"I11"},
    ),
    "a lot matures to another amount": (
        "UPDATE billing.lot_resolutions SET matured_minor = 1",
        {"I11"},
    ),
    "a resolution says another amount": (
        """UPDATE billing.hold_resolutions SET captured_minor = captured_minor + 1,
        share_minor = share_minor + 1, earner_id = uuidv7()""",
        {"I12"},
    ),
    "a hold says another amount": (
        "UPDATE billing.holds SET amount_minor = amount_minor + 1",
        {"I5", "I12"},
    ),
    "a compensation is taken from a wallet": (
        """UPDATE billing.entries SET account = 2000, owner_id = (SELECT account_id FROM billing.wallets LIMIT 1)
        WHERE account = 5000 AND transaction_id IN (SELECT id FROM billing.transactions WHERE kind = 'compensate')""",
        {"I3", "I12"},
    ),
    "a refund is larger than it says": (
        """UPDATE billing.entries SET amount_minor = amount_minor + 1 WHERE account IN (2000, 4000)
        AND transaction_id IN (SELECT transaction_id FROM billing.refunds)""",
        {"I12"},
    ),
    "a refund is above what was captured": (
        "UPDATE billing.refunds SET refunded_minor = refunded_minor + 200",
        {"I12"},
    ),
    "what is owed is forgotten": (
        "UPDATE billing.earners SET owed = 0 WHERE owed > 0",
        {"I2", "I3", "I14"},
    ),
    "a fee goes to the income of holds": (
        "UPDATE billing.entries SET account = 4000, sub_account = 'cpl' WHERE account = 4100",
        {"I12"},
    ),
    "the platform's margin goes to the earner": (
        """UPDATE billing.entries SET amount_minor = amount_minor + 10 * CASE WHEN account = 5000 THEN 1 ELSE -1 END
        WHERE account IN (5000, 2100) AND line >= 5""",
        {"I3", "I12", "I14"},
    ),
}


@pytest.fixture
def used_books(books):
    """Books with each kind of fact in them: open, captured, split and released holds, lots, a compensation."""
    account, earner = new_id(), new_id()
    books.credit(account, 10_000, "credit:1")
    books.credit(account, 1_000, "promo:1", kind="promo")
    books.hold(account, 300)
    books.resolve(books.hold(account, 4_000), 4_000, earner, 2_800, 280)
    books.mature()
    books.resolve(books.hold(account, 400), 200, earner, 140, 14)
    books.resolve(books.hold(account, 500), 0)
    books.value("SELECT billing.compensate(%s, 'EUR', 70, 'compensation:1', 'why', 'op', now())", earner)
    part = books.hold(account, 250)
    books.resolve(part, 250, earner, 175, 17)
    books.refund(part, 125, 87)
    owing = new_id()
    hold = books.hold(account, 100)
    books.resolve(hold, 100, owing, 70)
    books.connection.execute("UPDATE billing.earners SET payable = 0, owed = 0 WHERE account_id = %s", (owing,))
    books.refund(hold, 100, 70)  # all of it owed
    books.connection.execute("UPDATE billing.earners SET payable = 70 WHERE account_id = %s", (owing,))
    books.value("SELECT billing.charge_fee(%s, 'EUR', 50, 'fee:1', 'why', 'op', now())", account)
    books.value("SELECT billing.charge_fee(%s, 'EUR', 50, 'fee:2', 'why', 'op', now())", account)
    books.value("SELECT billing.return_fee('fee:2', 'why', 'op', now())")
    return books


def failed(report):
    return {check.invariant for check in report.checks if not check.ok}


def test_right_books_pass_every_check(used_books, capsys):
    assert failed(used_books.audit()) == set()
    assert print_audit(used_books.audit()) == 0
    assert "The books are right." in capsys.readouterr().out


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampered_books_fail_and_exit_1_when(used_books, name, capsys):
    statement, invariants = TAMPERINGS[name]
    used_books.tamper(statement)
    report = used_books.audit()
    assert invariants <= failed(report)
    assert print_audit(report) == 1
    assert "WRONG" in capsys.readouterr().out


def test_a_negative_balance_is_found_even_where_its_constraint_was_dropped(used_books):
    used_books.tamper("ALTER TABLE billing.wallets DROP CONSTRAINT wallets_check")
    used_books.tamper("UPDATE billing.wallets SET frozen = -1")
    assert "I4" in failed(used_books.audit())


def test_a_hold_resolved_twice_is_found_even_where_its_key_was_dropped(used_books):
    used_books.tamper("ALTER TABLE billing.hold_resolutions DROP CONSTRAINT hold_resolutions_pkey CASCADE")
    used_books.tamper("INSERT INTO billing.hold_resolutions SELECT * FROM billing.hold_resolutions")
    assert "I11" in failed(used_books.audit())


def test_every_invariant_that_decides_has_a_tampering(used_books):
    assert {check.invariant for check in CHECKS} - {"I4"} <= set().union(*(found for _, found in TAMPERINGS.values()))


def test_the_difference_names_the_tampered_transaction(used_books):
    used_books.tamper(HALF_OF_A_PAIR)
    (difference,) = used_books.audit().checks[0].differences
    assert difference["key"] == "credit:1"
    assert difference["sum_minor"] == 1


def test_the_json_report_lists_every_check_and_figure(used_books, capsys):
    assert print_audit(used_books.audit(), as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True
    assert {check["invariant"] for check in report["checks"]} == {check.invariant for check in CHECKS}
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert figures["clearing_age"] == {
        "invariant": "I7",
        "name": "clearing_age",
        "value": {},
        "reason": None,
        "warns": False,
    }
    assert figures["stripe_difference"]["value"] is None and figures["stripe_difference"]["reason"]


def test_solvency_counts_what_outsiders_could_ask_for(used_books):
    # Bank 10,000; the wallet's own 10,000 less 3,200 captured of it, earners 2,940, and no promotional credit.
    figure = next(figure for figure in used_books.audit().figures if figure.name == "solvency")
    owed = used_books.value(
        "SELECT (SELECT available + held FROM billing.wallets) + (SELECT sum(payable + reserve) FROM billing.earners)"
        " - (SELECT sum(promo_minor) FROM billing.holds h WHERE NOT EXISTS"
        " (SELECT FROM billing.hold_resolutions v WHERE v.hold_id = h.id))"
    )
    assert figure.value == {"EUR": 10_000 - owed}


def test_the_audit_runs_on_a_connection_and_changes_nothing(used_books):
    engine = create_engine(used_books.url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        assert audit(connection).ok
    engine.dispose()
