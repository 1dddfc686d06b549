"""`leadbourse payouts`: files made, saved again, handed on or given up, results taken in, what waits counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from billing import Payee, say_bank_account
from core.db import db, transaction
from core.errors import Conflict
from marketplace.cli import leadbourse
from tests.billing.payouts.conftest import ANNA, House, sql


@pytest.fixture
def run(house: House, monkeypatch: pytest.MonkeyPatch):
    """Run a command on this test's database, and read what it prints."""
    monkeypatch.setattr("marketplace.cli.running.running_app", house.till.app.app_context)

    def command(*words: str, refused: type[Exception] | None = None) -> Any:
        done = CliRunner().invoke(leadbourse, ["payouts", *words])
        if refused:
            assert isinstance(done.exception, refused), done.exception
            return done.exception
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.output) if "--json" in words else done.output

    yield command
    db.session.rollback()


def test_a_file_goes_its_whole_way_by_the_command_line(house: House, run, tmp_path: Path) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    payout = house.draft(earner, 10_000)
    assert run("file", "sepa", "--folder", str(tmp_path), refused=Conflict).code == "no_bank_account"
    with transaction():
        say_bank_account(Payee("EUR", "Exchange", "FR7630006000011234567890189", "AGRIFRPP"), ANNA, house.now)
    assert run("waiting", "--json")["payouts"][0] == {
        "state": "approved", "rail": "sepa", "count": 1, "amount": {"amount": "100.00", "currency": "EUR"}}  # fmt: skip

    made = run("file", "sepa", "--folder", str(tmp_path), "--json")
    assert made["lines"] == 1 and payout.hex.encode() in Path(made["saved"]).read_bytes()
    run("save", made["file"], str(tmp_path / "again.xml"))
    assert (tmp_path / "again.xml").read_bytes() == Path(made["saved"]).read_bytes()
    run("handed-on", made["file"])
    assert house.state(payout) == "sent" and run("give-up", made["file"], refused=Conflict).code == "file_ended"
    sheet = tmp_path / "results.csv"
    sheet.write_text(f"reference,status\n{payout.hex},paid\n", encoding="utf-8")
    assert [run("results", "sepa", str(sheet), "--json")["is_new"] for _ in range(2)] == [True, False]

    assert house.cents(earner) == (0, 0, 10_000) and run("waiting") == ""
    assert [row[0] for row in sql("SELECT actor FROM marketplace.events WHERE move LIKE 'payout%' ORDER BY id")] == ["operator:command-line"] * 3  # fmt: skip


def test_a_file_is_given_up_by_the_command_line(house: House, run, tmp_path: Path) -> None:
    earner = house.earner(10_000)
    house.sepa(earner)
    with transaction():
        say_bank_account(Payee("EUR", "Exchange", "FR7630006000011234567890189", "AGRIFRPP"), ANNA, house.now)
    house.draft(earner, 10_000)
    made = run("file", "sepa", "--folder", str(tmp_path), "--json")

    run("give-up", made["file"], "--json")

    assert house.cents(earner) == (10_000, 0, 0)
