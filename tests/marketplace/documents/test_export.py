"""The ledger for accountants: complete, balanced, accepted by beancount, and never run by a spreadsheet."""

import csv
import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from billing import beancount_text, exported
from billing.exporting import beancount_account
from core.db import db, transaction
from core.errors import Invalid
from marketplace.cli.accounts import credit_by_hand
from marketplace.reports.ledger_sheet import read_span
from tests.command_line import run_program
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.documents.quarter import Quarter, id_of
from tests.marketplace.test_portal_pages import visitor_of

FIRST, LAST = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)


def bean_check(ledger: str, folder: Path) -> str:
    """Ask beancount itself; it says nothing when all is right."""
    path = folder / "ledger.beancount"
    path.write_text(ledger, "utf-8")
    command = [sys.executable, "-m", "beancount.scripts.check", "--no-cache", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return told.stdout + told.stderr + (f"exit {told.returncode}" if told.returncode else "")


def test_beancount_accepts_a_market_s_ledger_whole_and_in_part_with_the_balances_before(
    market: Market, clock: SetClock, tmp_path: Path
) -> None:
    quarter = Quarter(market, clock).run(selling=10, until=60)
    credit_by_hand(quarter.buyers[0].id, "10.00", "EUR", 'a "quoted" \\ reason\nof two lines =1+1')
    with transaction():
        whole = "".join(beancount_text(FIRST, LAST))
        part = "".join(beancount_text(datetime(2027, 1, 10, tzinfo=UTC), LAST))
    for name, ledger in (("whole", whole), ("part", part)):
        (tmp_path / name).mkdir()
        assert bean_check(ledger, tmp_path / name) == ""
    assert "opening balances" in part and "opening balances" not in whole
    assert whole.count('  key: "') == _count("SELECT count(*) FROM billing.transactions")
    assert 'a \\"quoted\\" \\\\ reason of two lines' in whole


def test_beancount_refuses_a_ledger_with_a_planted_cent(market: Market, tmp_path: Path) -> None:
    market.make_buyer("100.00")
    with transaction():
        ledger = "".join(beancount_text(FIRST, LAST))
    assert bean_check(ledger, tmp_path) == ""
    assert "does not balance" in bean_check(ledger.replace("  100.00 EUR", "  100.01 EUR", 1), tmp_path)


def test_the_sheet_has_each_entry_once_and_its_debits_are_its_credits(market: Market, clock: SetClock) -> None:
    quarter = Quarter(market, clock).run(selling=6, until=40)
    credit_by_hand(quarter.buyers[0].id, "10.00", "EUR", "=1+1")
    operator = visitor_of(market, quarter.operator)
    answer = operator.open("/operator/export/ledger?from=2026-11-01&to=2027-12-31&format=csv")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].endswith(
        "ledger-2026-11-01-2027-12-31.csv"
    )
    rows = list(csv.DictReader(io.StringIO(answer.data.decode())))
    answer.close()
    assert len(rows) == _count("SELECT count(*) FROM billing.entries")
    debit, credit = (sum(round(100 * float(row[side] or 0)) for row in rows) for side in ("debit", "credit"))
    assert debit == credit > 0
    assert "'=1+1" in {row["reason"] for row in rows}
    assert [row["occurred_at"] for row in rows] == sorted(row["occurred_at"] for row in rows)


def test_the_command_line_writes_the_same_to_stdout(market: Market, database_url: str, tmp_path: Path) -> None:
    market.make_buyer("100.00")

    def export(*options: str) -> subprocess.CompletedProcess[str]:
        surroundings = os.environ | {"DATABASE_URL": database_url, "LEADBOURSE_DATA": str(tmp_path)}
        return run_program("books", "export", "--to", "2027-12-31", *options, environment=surroundings)

    written = export("--from", "2026-11-01", "--format", "beancount")
    assert written.returncode == 0 and bean_check(written.stdout, tmp_path) == ""
    assert "100.00 EUR" in written.stdout
    assert len(export("--from", "2026-11-01").stdout.splitlines()) == 3, "a head and two entries"
    refused = export("--from", "yesterday", "--format", "pdf")
    assert refused.returncode == 1 and "(not_a_date)" in refused.stderr and "(not_allowed_value)" in refused.stderr


@pytest.mark.parametrize("form", ["csv", "beancount"])
def test_a_long_ledger_stays_at_the_server_and_is_fetched_a_piece_at_a_time(market: Market, form: str) -> None:
    for _ in range(3):
        market.make_buyer("100.00")
    with transaction() as session:
        lines = iter(read_span("2026-11-01", "2026-12-31", form).lines())
        while "100.00" not in next(lines).decode():
            pass
        assert session.scalar(text("SELECT count(*) FROM pg_cursors")) == 1
        assert list(lines) is not None


def test_a_span_begins_and_ends_with_its_days(market: Market, clock: SetClock) -> None:
    for day in (1, 2, 3):
        clock.instant = datetime(2026, 12, day, tzinfo=UTC)
        credit_by_hand(market.make_buyer("0").id, "1.00", "EUR", "x")
    with transaction():
        found = {one.occurred_at.day for one in exported(*_span("2026-12-02", "2026-12-02"))}
    assert found == {2}


def _span(first: str, last: str) -> tuple[datetime, datetime]:
    span = read_span(first, last, "csv")
    return datetime.combine(span.first, datetime.min.time(), UTC), datetime(2026, 12, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (("x", "2026-01-01", "csv"), {"from"}),
        (("2026-01-02", "2026-01-01", "csv"), {"to"}),
        (("", "", "pdf"), {"from", "to", "format"}),
        (("0001-01-01", "9999-12-31", "csv"), {"from", "to"}),
    ],
)
def test_a_span_that_makes_no_sense_is_refused_at_each_field(asked: tuple[str, str, str], fields: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_span(*asked)
    assert {fault.field for fault in refused.value.faults} == fields


def test_only_operators_export_and_a_bad_span_is_told(market: Market) -> None:
    path = "/operator/export/ledger?from=2026-12-02&to=2026-12-01&format=csv"
    assert visitor_of(market, market.make_buyer()).open(path).status_code == 403
    assert visitor_of(market, market.make_operator()).open(path).status_code == 422


def test_accounts_are_named_as_beancount_wants_them(market: Market) -> None:
    owner = UUID(int=0)
    assert beancount_account(2000, "wallet:available", None, owner).startswith("Liabilities:Wallet:Available:Acc-000")
    assert beancount_account(4000, "income", "cpl", None) == "Income:Income:Cpl"
    assert beancount_account(5000, "earner_share", None, None) == "Expenses:Earner-share"
    assert beancount_account(4000, "income", "été", None) == "Income:Income:X-t-"
    assert id_of(market.make_buyer("0")) != owner


def _count(query: str) -> int:
    with transaction():
        return int(db.session.scalar(text(query)) or 0)
