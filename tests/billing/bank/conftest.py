"""An exchange with a bank account, a buyer who transfers, and operators who import and clear up."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from billing import (
    BankSheet,
    Payee,
    ProForma,
    Sent,
    agree_to_import,
    ask_pro_forma,
    book_lines,
    outcomes_of,
    say_bank_account,
    suspended,
    take_in,
    wallet_of,
)
from core.config import Settings
from core.db import db, pool_of, transaction
from core.ids import parse_id
from core.money import Money
from marketplace.app import create_app
from marketplace.audit import audit_all
from tests.billing.bank.statements import BIC, IBAN
from tests.conftest import SetClock
from tests.factories import Market, Member

AT_ONCE = 7  # few, so that tests cross the border between two pieces


@dataclass
class Counter:
    """The bank's counter, as the exchange stands at it."""

    app: Flask
    market: Market
    clock: SetClock
    buyer: Member

    def ask(self, minor: int = 10_000, currency: str = "EUR", buyer: Member | None = None) -> ProForma:
        """Have a buyer ask for a pro-forma."""
        with transaction() as session:
            who = parse_id("acc", (buyer or self.buyer).id)
            row = ask_pro_forma(who, Money(minor, currency), "user:test", self.clock.now())
            session.expunge(row)
            return row

    def bring(self, data: bytes, sheet: BankSheet | None = None, actor: str = "user:op", most: int = AT_ONCE) -> UUID:
        """Import a file whole."""
        sent = Sent(io.BytesIO(data), "statement.csv" if sheet else "statement.xml", sheet)
        import_id = take_in(sent, actor, self.clock.now())
        self.book(import_id, most)
        return import_id

    def take(self, file: io.BytesIO) -> UUID:
        """Take a sheet in without booking it."""
        return take_in(Sent(file, "sheet.csv", csv_of()), "user:op", self.clock.now())

    def book(self, import_id: UUID, most: int = AT_ONCE) -> None:
        more = True
        while more:
            with transaction():
                more = book_lines(import_id, self.clock.now(), most)

    def agree(self, import_id: UUID, actor: str = "user:second", most: int = AT_ONCE) -> None:
        """Have a second person agree to a file that waits, and book it."""
        with transaction():
            agree_to_import(import_id, actor)
        self.book(import_id, most)

    def came(self, import_id: UUID) -> dict[str, int]:
        with transaction():
            return outcomes_of(import_id)

    def available(self, buyer: Member | None = None, currency: str = "EUR") -> int:
        with transaction():
            return wallet_of(parse_id("acc", (buyer or self.buyer).id), currency).available.minor

    def in_suspense(self) -> list[Any]:
        with transaction():
            return suspended()

    def account(self, code: int) -> int:
        """Return what the entries of one account of the chart sum to, debit positive."""
        [[minor]] = self.sql("SELECT coalesce(sum(amount_minor), 0) FROM billing.entries WHERE account = :c", c=code)
        return int(minor)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with transaction() as session:
            done: Any = session.execute(text(statement), values)
            return list(done) if done.returns_rows else []


@pytest.fixture
def app(database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    settings = Settings(data_folder=tmp_path, database_url=database_url, pool_size=20)
    made = create_app(settings, database_url, clock)
    with made.app_context():
        yield made
        db.session.rollback()
        report = audit_all(db.session)
        db.session.remove()
    pool_of(made).close()
    assert report.ok, [check for check in report.checks if not check.ok]


@pytest.fixture
def counter(app: Flask, market: Market, clock: SetClock) -> Counter:
    with transaction():
        say_bank_account(Payee("EUR", "Example Exchange", IBAN, BIC), "user:op", clock.now())
    db.session.remove()
    return Counter(app, market, clock, market.make_buyer("0"))


def csv_of(iban: str = IBAN, **columns: str) -> BankSheet:
    return BankSheet(iban, "EUR", columns)
