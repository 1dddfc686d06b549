"""How fast sales are settled when their release has come: by one worker, and by two that share the work.

The sales are made by the sale function, to a hundred buyers who dispute nothing. A worker does what the clock's job
does, a batch a transaction, until nothing is left. Afterwards the reserves mature, and the books must hold.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from benchmarks.sale import sale_script
from benchmarks.stage.figures import Figure, at_least, must_be
from benchmarks.stage.market import Market, open_market
from benchmarks.stage.pgbench import pgbench
from core.db import db
from core.errors import Conflict
from marketplace.jobs import settle_due
from marketplace.leads.settlement import mature_batch, settle_batch

TARGET = 2_000
CLIENTS = 16
RELEASED = timedelta(days=90)  # after any window, time to decide and days of a tier
MATURED = timedelta(days=365)
Step = Callable[[datetime], int]


def run(short: bool) -> Iterator[Figure]:
    """Measure settling, the headline figure `settle` last but for the books; Conflict when they do not hold."""
    seconds, now = (3 if short else 15), datetime.now(UTC)
    with open_market() as market:
        _sell(market, 1)
        _pace(market, 1, settle_batch, now + RELEASED)  # warm up: plans, the functions' caches
        _sell(market, seconds)
        yield at_least("settle_two_workers", _pace(market, 2, settle_batch, now + RELEASED), "sales/s", TARGET)
        _sell(market, seconds)
        yield at_least("settle_reserves", _pace(market, 1, mature_batch, now + MATURED), "reserves/s", TARGET)
        yield at_least("settle", _pace(market, 1, settle_batch, now + RELEASED), "sales/s", TARGET)
        yield from _proof(market)


def _sell(market: Market, seconds: int) -> None:
    pgbench(market.url, sale_script(market), seconds, CLIENTS)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(db.text("VACUUM (ANALYZE)"))  # what a server does by itself between sale and release


def _pace(market: Market, workers: int, step: Step, as_of: datetime) -> float:
    """Let workers do a step until nothing is due any more, and return how many a second they did together."""

    def work(_: int) -> int:
        with market.app.app_context():
            return settle_due(as_of, {"done": step})["done"]

    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        done = sum(pool.map(work, range(workers)))
    return done / (time.perf_counter() - started)


def _proof(market: Market) -> Iterator[Figure]:
    left = "SELECT count(*) FROM marketplace.sales WHERE state <> 'settled'"
    twice = "SELECT count(*) - count(DISTINCT subject_id) FROM marketplace.events WHERE move = 'delivered>settled'"
    with db.engine.connect() as connection:
        counts = [int(connection.execute(db.text(query)).scalar_one()) for query in (left, twice)]
    faults = market.faults_of_books()
    yield must_be("settle_left", counts[0], "sales that were not settled", 0)
    yield must_be("settle_twice", counts[1], "sales that were settled twice", 0)
    yield must_be("books", len(faults), "checks that do not hold", 0)
    if faults or any(counts):
        raise Conflict("bench_went_wrong", "\n".join([*faults, f"left, twice: {counts}"]))
