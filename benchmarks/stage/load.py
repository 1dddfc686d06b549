"""The load generator: bare keep-alive sockets in a process of its own, cheap beside the server that it measures.

`flood` keeps every connection busy and finds the most that the server can do. `pour` sends at a constant rate and
counts each answer from the moment at which its request was due, so that a server that stalls cannot hide it.
"""

import re
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *(\d+)")
_PATIENCE_SECONDS = 10.0

Request = Callable[[int], bytes]


@dataclass(slots=True)
class Outcome:
    """What came back: how long each answer took (seconds), how many were not what was wanted, and how long it ran."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    unwanted: Counter[str] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Return how many wanted answers came in a second."""
        return len(self.waits) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """Return the wait, in milliseconds, that this share of all wanted answers did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else float("inf")


@dataclass(slots=True, eq=False)
class _Line:
    """One connection: when its request was due, and what has come of the answer so far."""

    socket: socket.socket
    due: float = 0.0
    heard: bytes = b""

    def ask(self, request: bytes, due: float) -> None:
        self.due, self.heard = due, b""
        self.socket.sendall(request)

    def hear(self) -> bool:
        """Take what has come; true when the answer is whole."""
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed a connection")
        self.heard += piece
        head = self.heard.find(b"\r\n\r\n")
        length = _LENGTH.search(self.heard, 0, head + 2) if head >= 0 else None
        return length is not None and len(self.heard) >= head + 4 + int(length[1])


class _Lines:
    """All connections to one server, and the tally of their answers."""

    def __init__(self, address: tuple[str, int], connections: int, wanted: bytes) -> None:
        self._wanted = wanted
        self._poll = selectors.DefaultSelector()
        self.outcome = Outcome()
        self.all = [_Line(socket.create_connection(address)) for _ in range(connections)]
        for line in self.all:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll.register(line.socket, selectors.EVENT_READ, line)

    def answered(self, patience: float) -> list[_Line]:
        """Return the lines whose answers are whole by now, each counted; waits for one at most this long."""
        whole = [key.data for key, _ in self._poll.select(patience) if key.data.hear()]
        now = time.perf_counter()
        for line in whole:
            if self._wanted in line.heard and line.heard.startswith(b"HTTP/1.1 201"):
                self.outcome.waits.append(now - line.due)
            else:
                self.outcome.unwanted[line.heard[-200:].decode("utf-8", "replace")] += 1
        return whole

    def close(self) -> None:
        for line in self.all:
            line.socket.close()
        self._poll.close()


def flood(address: tuple[str, int], clients: int, seconds: float, request: Request, wanted: bytes) -> Outcome:
    """Keep some connections busy for some seconds; an answer counts when it is 201 and contains `wanted`."""
    lines = _Lines(address, clients, wanted)
    begun = time.perf_counter()
    for number, line in enumerate(lines.all):
        line.ask(request(number), begun)
    number, open_lines = clients, clients
    while open_lines:
        whole = lines.answered(_PATIENCE_SECONDS)
        now = time.perf_counter()
        if not whole and now - begun > seconds + _PATIENCE_SECONDS:
            break
        for line in whole:
            if now - begun < seconds:
                line.ask(request(number), time.perf_counter())
                number += 1
            else:
                open_lines -= 1
    lines.outcome.seconds = time.perf_counter() - begun
    lines.close()
    return lines.outcome


def pour(
    address: tuple[str, int], clients: int, seconds: float, request: Request, wanted: bytes, rate: float
) -> Outcome:
    """Send at a constant rate for some seconds; what finds no free connection waits, and its waiting counts."""
    lines = _Lines(address, clients, wanted)
    free, total, sent, done = deque(lines.all), int(rate * seconds), 0, 0
    begun = time.perf_counter()
    while done < total and time.perf_counter() - begun < seconds + _PATIENCE_SECONDS:
        due = begun + sent / rate
        while free and sent < total and due <= time.perf_counter():
            free.popleft().ask(request(sent), due)
            sent += 1
            due = begun + sent / rate
        patience = max(due - time.perf_counter(), 0) if free and sent < total else 1.0
        whole = lines.answered(patience)
        done += len(whole)
        free.extend(whole)
    lines.outcome.seconds = time.perf_counter() - begun
    lines.outcome.unwanted.update({"no answer": total - done} if done < total else {})
    lines.close()
    return lines.outcome
