"""Whether limits of every kind hold when all leads come at once: races over two applications, each with its own market.

Each round posts 500 leads at once to orders that can take only some of them; afterwards nobody may have bought above
what limits it, nobody who could still buy may have been passed by, and the books must hold.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from flask import Flask
from psycopg.rows import scalar_row

from benchmarks.stage.figures import Figure, at_least, must_be
from benchmarks.stage.races import Race, race
from core.config import Settings
from core.db import db, migrate, pool_of, transaction
from core.errors import Conflict
from core.postgres import discard_embedded, open_database
from marketplace.app import create_app
from marketplace.catalog.shelf import ship_verticals

ROUNDS, SHORT = 100, 3
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Hands:
    """A clock that stands where it was last set, for all threads."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return that instant."""
        return self.at


def run(short: bool, rounds: int | None = None) -> Iterator[Figure]:
    """Hold the races, the headline figure `races`, what went wrong in all, last; Conflict when anything did."""
    wanted = rounds or (SHORT if short else ROUNDS)
    clock = Hands(NOON)
    with _two_applications(clock) as apps:
        races = [_race(apps, clock, number) for number in range(wanted)]
        deadlocks = _deadlocks(apps)
    yield at_least("races_rounds", len(races), "rounds", wanted)
    yield at_least("races_sold", sum(one.leads["sold"] for one in races), "leads sold", len(races))
    yield at_least("races_sales", sum(one.sales for one in races), "sales", len(races))
    yield must_be("races_deadlocks", deadlocks, "deadlocks that PostgreSQL broke", 0)
    wrong = [f"round {number}: {breach}" for number, one in enumerate(races) for breach in one.breaches]
    yield must_be("races", len(wrong), "limits that did not hold", 0)
    if wrong or deadlocks:
        raise Conflict("bench_went_wrong", "\n".join([*wrong, f"deadlocks: {deadlocks}"]))


def _race(apps: list[Flask], clock: Hands, number: int) -> Race:
    clock.at += timedelta(minutes=17)
    return race(apps, number, clock.now())


def _deadlocks(apps: list[Flask]) -> int:
    """Count the deadlocks that there were, by PostgreSQL; a process of it tells its own when it ends."""
    url = str(pool_of(apps[0]).conninfo)
    db.session.remove()
    for app in apps:
        pool_of(app).close()
    with psycopg.connect(url, autocommit=True, row_factory=scalar_row) as asking:
        while asking.execute(_STILL_THERE).fetchone():
            time.sleep(0.05)
        return int(asking.execute(_DEADLOCKS).fetchone() or 0)


_STILL_THERE = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leadbourse'"
_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@contextmanager
def _two_applications(clock: Hands) -> Iterator[list[Flask]]:
    """Open an exchange in a database of its own, inside the context of the first of two applications."""
    settings = Settings(data_folder=Path(tempfile.mkdtemp(prefix="leadbourse-bench-")), pool_size=20)
    try:
        with open_database(settings) as database:
            apps = [create_app(settings, database.url, clock) for _ in range(2)]
            with apps[0].app_context():
                migrate()
                with transaction():
                    ship_verticals(clock.now())
                yield apps
                db.session.remove()
            for app in apps:
                pool_of(app).close()
        discard_embedded(settings)
    finally:
        shutil.rmtree(settings.data_folder, ignore_errors=True)
