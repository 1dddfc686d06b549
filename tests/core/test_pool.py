"""The pool of connections outlives connections that die in use, and what it lends again is as new."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from psycopg.pq import TransactionStatus
from psycopg_pool import PoolTimeout
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core import db as core_db
from core.config import Settings
from core.db import db, lend, pool_of
from core.errors import Unavailable
from marketplace.app import create_app
from tests.at_once import ask, wait_until
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


def test_what_came_back_last_is_lent_first(small: Flask) -> None:
    pool = pool_of(small)
    first, second = pool.take(), pool.take()
    for connection in (first, second):
        pool.give_back(connection)
    assert [pool.take(), pool.take()] == [second, first]
    for connection in (first, second):
        pool.give_back(connection)


def test_sessions_get_what_is_at_hand(small: Flask) -> None:
    pool = pool_of(small)
    for connection in [pool.take() for _ in range(SIZE)]:
        pool.give_back(connection)
    with small.app_context():
        assert db.session.scalar(text("SELECT 1")) == 1
    for connection in [pool.getconn(timeout=5) for _ in range(SIZE)]:
        pool.putconn(connection)


def test_who_waits_gets_what_comes_back(small: Flask) -> None:
    pool = pool_of(small)
    lent = [pool.take() for _ in range(SIZE)]
    with ThreadPoolExecutor(1) as waiting:
        waits = waiting.submit(pool.getconn, 30)
        wait_until(lambda: pool.get_stats()["requests_waiting"])
        pool.give_back(lent[0])
        assert waits.result(30) is lent[0]
    for connection in lent:
        pool.putconn(connection)


def test_when_nothing_comes_back_the_wait_ends(small: Flask) -> None:
    pool = pool_of(small)
    lent = [pool.take() for _ in range(SIZE)]
    with pytest.raises(PoolTimeout):
        pool.getconn(timeout=0.6)
    for connection in lent:
        pool.give_back(connection)


def test_nothing_is_at_hand_of_a_pool_that_is_closed_or_was_drained_meanwhile(small: Flask) -> None:
    pool = pool_of(small)
    with lend(pool) as old:
        pool.drain()
    with lend(pool) as new:
        assert new is not old
        pool.close()
    assert old.closed and new.closed


def test_a_connection_at_hand_that_died_costs_one_call(small: Flask, database_url: str) -> None:
    with lend(pool_of(small)) as connection:
        pid = connection.info.backend_pid
    assert ask(database_url, "SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
    with pytest.raises(Unavailable), lend(pool_of(small)) as connection:
        connection.execute("SELECT 1")
    with lend(pool_of(small)) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_comes_back_in_a_transaction_is_not_lent_as_it_is(small: Flask) -> None:
    with lend(pool_of(small)) as connection:
        connection.execute("BEGIN")
    with lend(pool_of(small)) as connection:
        assert connection.info.transaction_status is TransactionStatus.IDLE


def test_now_and_then_one_at_hand_is_looked_after_by_the_pool(small: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_db, "_LOOK_AFTER", 2)
    pool = pool_of(small)
    left = []
    for _ in range(4):
        with lend(pool):
            pass
        left.append(len(pool._at_hand))  # the figures of the pool also count one that is still being opened
    assert left == [1, 0, 1, 0]


def end_backend(url: str) -> None:
    """End the backend of the present session behind its back."""
    pid = db.session.scalar(text("SELECT pg_backend_pid()"))
    assert ask(url, "SELECT pg_terminate_backend(%s, 5000)", pid) == [(True,)]
