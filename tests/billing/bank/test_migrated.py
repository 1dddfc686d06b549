"""Entries that were booked before batches and days counted are known again after the migration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from core.config import Settings
from core.db import db, pool_of, transaction
from core.postgres import create_database, drop_database
from marketplace.app import create_app
from marketplace.audit import audit_all
from tests.billing.bank.conftest import Counter
from tests.billing.bank.statements import BIC, IBAN, Told, camt, statement
from tests.conftest import SetClock
from tests.factories import Market

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
LONG = "R" * 90
THEN = [Told(700, bank="A1"), Told(700, bank="A1"), Told(800, bank=LONG), Told(900, "no reference")]
BOOKED = """
    INSERT INTO billing.bank_accounts (id, currency, payee, iban, bic, actor, said_at)
    VALUES (uuidv7(), 'EUR', 'Example Exchange', :iban, :bic, 'user:op', now());
    INSERT INTO billing.bank_imports (id, form, file_name, digest, state, lines, next_line, actor, sent_at, ended_at)
    VALUES (:import, 'camt.053', 'then.xml', '', 'done', 3, 4, 'user:op', now(), now());
    INSERT INTO billing.bank_statements (import_id, number, iban, currency, name, opening_minor, closing_minor, is_proven, sent_at)
    VALUES (:import, 1, :iban, 'EUR', '1', 0, 2200, true, now());
    INSERT INTO billing.bank_lines (import_id, number, statement, line, booked_on, amount_minor, mark, bank_reference,
        reference, said, counterparty, counterparty_iban, is_reversal, doubt, outcome, code, says, entry_id)
    SELECT :import, n, 1, n, '2026-11-20', minor, 'ref:' || bank || ':' || minor, bank, '', '', '', '', false, '',
           'suspense', 'no_reference', '', uuidv7()
    FROM (VALUES (1, 700, 'A1'), (2, 700, 'A1'), (3, 800, :long)) v (n, minor, bank);
    SELECT billing.post('bank_suspense', 'bank:' || entry_id, 'EUR',
        ARRAY[ROW(1030::smallint, NULL, amount_minor)::billing.line, ROW(2900::smallint, NULL, -amount_minor)::billing.line],
        entry_id::text, 'user:op', 'no_reference', now()) FROM billing.bank_lines;
    INSERT INTO billing.bank_entries (id, iban, currency, identity, import_id, number, booked_on, amount_minor, outcome, reason)
    SELECT entry_id, :iban, 'EUR', mark || CASE number WHEN 2 THEN ':#1' ELSE '' END, import_id, number, booked_on,
           amount_minor, 'suspense', 'no_reference' FROM billing.bank_lines
"""


@pytest.fixture
def old(postgres: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    url = create_database(postgres, "old_bank")
    app = create_app(Settings(data_folder=tmp_path, database_url=url), url, clock)
    with app.app_context():
        upgrade(directory=str(MIGRATIONS), revision="0036")
        yield app
        db.session.remove()
    pool_of(app).close()
    drop_database(postgres, "old_bank")


def test_what_was_booked_then_is_not_booked_again(old: Flask, clock: SetClock) -> None:
    values = {"iban": IBAN, "bic": BIC, "import": "01900000-0000-7000-8000-000000000001", "long": LONG}
    with transaction() as session:
        for one in BOOKED.split(";"):
            session.execute(text(one), {name: told for name, told in values.items() if f":{name}" in one})
    upgrade(directory=str(MIGRATIONS))
    market = Market(old, clock)
    counter = Counter(old, market, clock, market.make_buyer("0"))

    assert counter.came(counter.bring(camt(statement(*THEN)))) == {"repeated": 3, "suspense": 1}
    assert counter.account(1030) == 3_100 and audit_all(db.session).ok
