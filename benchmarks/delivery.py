"""How long a bought lead is on its way: from its arrival over HTTP to the buyer's endpoint, at a constant rate.

Counted from `received_at`, which is before the publisher is answered, to the moment at which the endpoint has read the
request; both clocks are this machine's. The endpoints answer at once.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.sale import FIRST_PERSON, SOLD, Posts, request_bytes
from benchmarks.stage.figures import Figure, at_most, must_be
from benchmarks.stage.load import pour
from benchmarks.stage.market import PROJECT, REGIONS, Market, open_market, place_delivered, web_server
from core.db import db

RATE = 50
LINES = 16
WARM_UP_SECONDS = 2
PATIENCE_SECONDS = 30


class Arrivals(ThreadingHTTPServer):
    """The buyers' endpoint: notes how old each lead is that arrives."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ages: dict[str, float] = {}
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the name is the library's
        body = self.rfile.read(int(self.headers["Content-Length"]))
        age = datetime.now(UTC) - datetime.fromisoformat(json.loads(body)["data"]["received_at"])
        assert isinstance(self.server, Arrivals)
        with self.server.lock:
            self.server.ages.setdefault(self.headers["webhook-id"], age.total_seconds())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def run(short: bool) -> Iterator[Figure]:
    """Measure the age of leads at the buyer's endpoint, in milliseconds; RuntimeError when leads get lost."""
    os.environ["LEADBOURSE_ALLOW_PRIVATE_TARGETS"] = "1"
    with open_market() as market, _arrivals() as arrivals:
        place_delivered(f"http://127.0.0.1:{arrivals.server_port}/leads")
        with _worker(market), web_server(market) as address:
            posts = Posts((request_bytes(REGIONS[0], market.secret),), FIRST_PERSON)
            warm = pour(address, LINES, WARM_UP_SECONDS, posts, SOLD, RATE)
            _wait_until_arrived(arrivals, len(warm.waits))
            arrivals.ages.clear()
            posts = Posts(posts.templates, FIRST_PERSON + 1_000_000)
            sent = pour(address, LINES, 10 if short else 60, posts, SOLD, RATE)
            _wait_until_arrived(arrivals, len(sent.waits))
        ages = sorted(arrivals.ages.values())
        yield at_most("delivery_p50", ages[len(ages) // 2] * 1000, "ms", 200)
        yield at_most("delivery", ages[int(len(ages) * 0.95)] * 1000, "ms", 200)
        yield must_be("lost", len(sent.waits) - len(ages), "leads sold that did not arrive", 0)
        db.session.rollback()
        yield must_be("books", len(market.faults_of_books()), "checks that do not hold", 0)


def _wait_until_arrived(arrivals: Arrivals, number: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(arrivals.ages) < number and time.monotonic() < deadline:
        time.sleep(0.05)


@contextmanager
def _arrivals() -> Iterator[Arrivals]:
    server = Arrivals()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _worker(market: Market) -> Iterator[None]:
    environment = os.environ | {"DATABASE_URL": market.url, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "marketplace", "worker"]
    with subprocess.Popen(command, env=environment, cwd=PROJECT) as worker:
        try:
            yield
        finally:
            worker.terminate()
