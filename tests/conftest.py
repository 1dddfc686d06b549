"""What every test may ask for: a database as the migrated template is, and an application on it.

The tests run on the real PostgreSQL and really commit. After a test that had a database, its books are audited.
"""

import gc
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from hypothesis import HealthCheck, settings
from werkzeug.routing import Rule

from core.config import Seller, Settings
from core.db import db, migrate, pool_of, transaction
from core.garbage import keep_what_is_loaded
from core.identity import accounts
from core.postgres import create_database, discard_embedded, open_database
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals
from tests.compiled import CompiledTemplates, once_a_query, once_a_route
from tests.databases import Databases
from tests.factories import Market

# No test fails for the slowness of a machine: neither of drawing values nor of what is done with them.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SELLER = Seller(vat_id="FR40303265045")  # whoever taxes needs a number
TEMPLATE = "template_of_tests"


def pytest_configure() -> None:
    """Let the programs that tests start end by Ctrl-C, be it that whoever runs the tests ignores it (`run test &`)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Have the collector of garbage never again look at what is loaded by now: the program and all tests."""
    gc.collect()
    keep_what_is_loaded()


@dataclass
class SetClock:
    """A clock that stands still until a test moves it."""

    instant: datetime = field(default=START)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant

    def advance(self, **by: float) -> datetime:
        """Move on by some days, hours, minutes … and return the new instant."""
        self.instant += timedelta(**by)
        return self.instant


def _without_durability(url: str) -> None:
    """Let a server forget what it wrote when the machine loses power: nobody misses a test's database."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Hash passwords cheaply: the made accounts of tests protect nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Let every application of the session share what is compiled of a route, a template and a query."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "compile", once_a_route(Rule.compile))
        patch.setattr(Flask, "jinja_options", {**Flask.jinja_options, "bytecode_cache": CompiledTemplates()})
        patch.setattr(SQLAlchemy, "_make_engine", once_a_query(SQLAlchemy._make_engine))
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a PostgreSQL for the session and return the URL of a migrated database to clone."""
    place = Settings(data_folder=Path(tmp_path_factory.mktemp("postgres")))
    with open_database(place) as database:
        _without_durability(database.url)
        url = create_database(database.url, TEMPLATE)
        app = create_app(place, url, SetClock())
        with app.app_context():
            migrate()
            with transaction():
                ship_verticals(START)
            db.engine.dispose()
        pool_of(app).close()
        yield url
    discard_embedded(place)


@pytest.fixture(scope="session")
def databases(postgres: str) -> Iterator[Databases]:
    """Keep the database that the session's tests use one after another."""
    kept = Databases(postgres, TEMPLATE)
    yield kept
    kept.drop()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Lend one test a database that is as the template."""
    yield databases.lend()
    databases.take_back()


@pytest.fixture
def clock() -> SetClock:
    """Give a clock to set."""
    return SetClock()


@pytest.fixture
def app(databases: Databases, database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    """Make an application on a database that is as the template, and audit the books when the test is over."""
    with databases.pooled():
        place = Settings(data_folder=tmp_path, database_url=database_url, pool_size=20, seller=SELLER)
        made = create_app(place, database_url, clock)
    with made.app_context():
        yield made
        db.session.rollback()
        db.session.remove()
    assert databases.differences() == {}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give an HTTP client without a key."""
    return app.test_client()


@pytest.fixture
def market(app: Flask, clock: SetClock) -> Market:
    """Give a market to fill with publishers, buyers, orders and leads over HTTP."""
    return Market(app, clock)
