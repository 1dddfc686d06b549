"""The pool of connections outlives connections that die in use, and what it lends again is as new."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.config import Settings
from core.db import db, lend, pool_of
from marketplace.app import create_app
from tests.at_once import ask
from tests.conftest import SetClock

SIZE = 2


@pytest.fixture
def small(database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[Flask]:
    """An application with two connections, in whose context nobody is."""
    made = create_app(Settings(data_folder=tmp_path, database_url=database_url, pool_size=SIZE), database_url, clock)
    yield made
    pool_of(made).close()


def test_connections_that_die_under_a_session_leave_room_for_others(small: Flask, database_url: str) -> None:
    for _ in range(SIZE + 1):
        with small.app_context():
            end_backend(database_url)
            with pytest.raises(OperationalError):
                db.session.execute(text("SELECT 1"))
    with lend(pool_of(small)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_dies_after_the_last_statement_spoils_no_answer(small: Flask, database_url: str) -> None:
    for _ in range(SIZE + 1):
        with small.app_context():
            end_backend(database_url)
    with small.app_context():
        assert db.session.scalar(text("SELECT 1")) == 1


def test_a_notice_is_told_once_however_many_sessions_a_connection_had(
    small: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        with small.app_context():
            db.session.execute(text("SELECT 1"))
    with caplog.at_level("INFO", "sqlalchemy.dialects.postgresql"), lend(pool_of(small)) as connection:
        connection.execute("DO $$ BEGIN RAISE NOTICE 'told'; END $$")
    assert caplog.text.count("told") == 1


def end_backend(url: str) -> None:
    """End the backend of the present session behind its back."""
    pid = db.session.scalar(text("SELECT pg_backend_pid()"))
    assert ask(url, "SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
