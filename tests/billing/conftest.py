"""A ledger of its own for each test: cloned from a migrated template, really committed, audited when the test ends."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine

from billing import AuditReport, audit
from core.db import connect_app, pool_of
from core.ids import new_id

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Books:
    """One ledger as a test sees it; every call commits on its own."""

    url: str
    connection: psycopg.Connection[Any]
    is_tampered: bool = False

    def value(self, query: str, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    def credit(self, account: UUID, amount: int, key: str | None = None, kind: str = "credit") -> str:
        query = f"SELECT billing.post_{kind}(%s, 'EUR', %s, %s, 'test', 'tester', %s)"
        return str(self.value(query, account, amount, key or f"{kind}:{new_id()}", NOON))

    def hold(self, account: UUID, amount: int, hold: UUID | None = None, key: str | None = None) -> UUID | None:
        hold = hold or new_id()
        query = "SELECT billing.place_hold(%s, %s, 'EUR', %s, 'cpl', %s, 'tester', %s)"
        return hold if self.value(query, hold, account, amount, key or f"sale:{hold}:hold", NOON) else None

    def resolve(
        self, hold: UUID, capture: int, earner: UUID | None = None, share: int = 0, reserve: int = 0, reason: str = "",
        until: datetime | None = NOON,
    ) -> str:  # fmt: skip
        query = """SELECT state FROM billing.resolve_holds(
            ARRAY[ROW(%s, %s, %s, %s, %s, %s, %s)::billing.hold_request], 'tester', %s)"""
        return str(self.value(query, hold, capture, earner, share, reserve, until, reason, NOON))

    def refund(self, hold: UUID, refund: int, share: int, key: str | None = None) -> str:
        query = "SELECT billing.refund_capture(%s, %s, %s, %s, 'why', 'tester', %s)"
        return str(self.value(query, hold, refund, share, key or f"refund:{new_id()}", NOON))

    def net(self, limit: int = 1000) -> int:
        return int(self.value("SELECT billing.net_owed(%s, 'tester', %s)", limit, NOON))

    def owed(self, account: UUID) -> int:
        return self.value("SELECT owed FROM billing.earners WHERE account_id = %s", account) or 0

    def mature(self, at: datetime = NOON, limit: int = 1000) -> int:
        return int(self.value("SELECT billing.mature_reserves(%s, %s, 'tester')", at, limit))

    def line(self, account: UUID, limit: int, days: int = 30) -> None:
        query = """SELECT billing.set_credit_line(%s, 'EUR', %s, %s::smallint, 0, (SELECT count(*)::int
            FROM billing.credit_lines WHERE account_id = %s), 'test', 'tester', %s)"""
        assert self.value(query, account, limit, days, account, NOON)

    def pay(self, account: UUID, until: datetime) -> int:
        return int(self.value("SELECT billing.pay_debts(%s, 'EUR', %s, 'tester', %s)", account, until, NOON))

    def collect(self, at: datetime) -> int:
        return int(self.value("SELECT billing.collect_due(1000, 'tester', %s)", at))

    def stop(self, since: datetime, at: datetime) -> int:
        return int(self.value("SELECT count(*) FROM billing.stop_overdue(%s, 1000, %s)", since, at))

    def debts(self, account: UUID) -> tuple[int, int]:
        """Return what a wallet drew and owes otherwise."""
        query = "SELECT ARRAY[drawn, owed] FROM billing.wallets WHERE account_id = %s"
        drawn, owed = self.value(query, account) or (0, 0)
        return drawn, owed

    def charge(self, account: UUID, minor: int, at: datetime = NOON) -> str:
        """Book a debt that is due at once, as a lost chargeback does."""
        query = """SELECT billing.post('chargeback_lost', %s, 'EUR', ARRAY[ROW(1110::smallint, %s, %s),
            ROW(5200::smallint, NULL, %s)]::billing.line[], 'test', 'tester', NULL, %s)"""
        return str(self.value(query, f"chargeback:{new_id()}:lost", account, minor, -minor, at))

    def wallet(self, account: UUID) -> tuple[int, int, int]:
        query = "SELECT ARRAY[available, held, promo] FROM billing.wallets WHERE account_id = %s"
        available, held, promo = self.value(query, account) or (0, 0, 0)
        return available, held, promo

    def earner(self, account: UUID) -> tuple[int, int]:
        payable, reserve = self.value(
            "SELECT ARRAY[payable, reserve] FROM billing.earners WHERE account_id = %s", account
        ) or (0, 0)
        return payable, reserve

    def audit(self) -> AuditReport:
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.url))
        try:
            with engine.connect() as connection:
                return audit(connection)
        finally:
            engine.dispose()

    def tamper(self, statement: str, *values: Any) -> None:
        """Change the books behind the triggers' back, as only a superuser can."""
        self.is_tampered = True
        with psycopg.connect(self.url) as connection:
            connection.execute("SET session_replication_role = replica")
            assert connection.execute(statement, values).rowcount != 0

    def at_once(self, calls: list[Callable[["Books"], Any]]) -> list[Any]:
        """Run every call on a connection of its own, all released by one barrier."""
        barrier = Barrier(len(calls))

        def run(call: Callable[[Books], Any]) -> Any:
            with psycopg.connect(self.url, autocommit=True) as connection:
                barrier.wait(60)
                return call(Books(self.url, connection))

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))


@pytest.fixture
def books(database_url: str) -> Iterator[Books]:
    """An empty ledger; after the test its books must be right, unless the test tampered with them."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        books = Books(database_url, connection)
        yield books
        if not books.is_tampered:
            assert [check for check in books.audit().checks if not check.ok] == []


@pytest.fixture
def app(books: Books) -> Iterator[Flask]:
    """The smallest application that can open a transaction on these books."""
    app = make_app(books.url)
    with app.app_context():
        yield app
    pool_of(app).close()


def make_app(url: str) -> Flask:
    app = Flask(__name__)
    connect_app(app, url, 4)
    return app
