"""Doing many things at once: the same calls from many threads that start together, and what the server says of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeVar

import psycopg
from flask import Flask

from core.db import db, pool_of

T = TypeVar("T")
THREADS = 16


def at_once(calls: Sequence[Callable[[], T]], threads: int = THREADS) -> list[T]:
    """Run calls on threads that all start together and return the answers in the order of the calls."""
    threads = min(threads, len(calls))
    barrier = Barrier(threads)
    with ThreadPoolExecutor(threads, initializer=lambda: barrier.wait(60)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


@contextmanager
def no_deadlocks(url: str, *apps: Flask) -> Iterator[None]:
    """Assert that PostgreSQL broke no deadlock in this database; a backend reports its own when it ends.

    Wants the context of one of the applications, whose session it ends.
    """
    broken = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = ask(url, broken)  # of tests before this one in the same database
    yield
    db.session.remove()
    pids = [row[0] for row in ask(url, "SELECT pid FROM pg_stat_activity"
                                       " WHERE datname = current_database() AND application_name = 'leadbourse'")]  # fmt: skip
    for app in apps:
        pool_of(app).drain()
    wait_until(lambda: not ask(url, "SELECT FROM pg_stat_activity WHERE pid = ANY (%s)", pids))
    assert ask(url, broken) == before


def ask(url: str, query: str, *values: Any, first: str = "SELECT") -> list[tuple[Any, ...]]:
    """Return the rows of a query, asked on a connection of its own after the statement `first`."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(first)
        return connection.execute(query, values or None).fetchall()


def wait_until(holds: Callable[[], object], seconds: float = 300) -> None:
    """Wait until something holds; fails after a time in which it must have come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
