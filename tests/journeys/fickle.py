"""A buyer's endpoint that refuses, times out, dies and comes back, and that knows what it has answered to whom."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TIMEOUT_SECONDS = 1  # what the order waits for
# What it does in turn: "well" it takes all, "dead" it hangs up on all.
MOODS = {"well": ("accept",), "mixed": ("accept", "refuse", "break", "hang", "accept", "drop"), "dead": ("drop",)}


class Fickle(ThreadingHTTPServer):
    """The endpoint: what it has heard of each sale, and which leads it took."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = "well"
        self.heard: Counter[str] = Counter()
        self.answered: dict[str, str] = {}
        self.taken: set[str] = set()
        self._turns = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_port}/leads"

    def decide(self, sale: str, lead: str) -> str:
        """Say what is done with a request; what was accepted or refused once is answered the same again."""
        with self._lock:
            self._turns += 1
            self.heard[sale] += 1
            moods = MOODS[self.mood]
            turn = moods[self._turns % len(moods)]
            if turn in ("accept", "refuse"):
                turn = self.answered.setdefault(sale, turn)
            if turn == "accept":
                self.taken.add(lead)
            return turn


class _Handler(BaseHTTPRequestHandler):
    server: Fickle

    def do_POST(self) -> None:  # the name is the library's
        """Do what the mood says."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turn = self.server.decide(told["sale"], told["lead"])
        if turn == "hang":
            threading.Event().wait(TIMEOUT_SECONDS + 0.5)
        if turn in ("drop", "hang"):
            return
        self.send_response(500 if turn == "break" else 200)
        body = b'{"accepted": false}' if turn == "refuse" else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def fickle() -> Iterator[Fickle]:
    """Serve on a free port until the end of the block."""
    server = Fickle()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
