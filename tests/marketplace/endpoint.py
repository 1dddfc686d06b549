"""A buyer's endpoint for tests, which answers as it is told at the moment, and what it has received."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.core import endpoints


@dataclass
class Endpoint:
    """What the endpoint answers from now on; while `open` is not set it does not answer at all."""

    served: endpoints.Endpoint
    status: int
    answer: bytes
    open: threading.Event

    @property
    def url(self) -> str:
        """Return its address."""
        return self.served.url

    @property
    def received(self) -> list[tuple[dict[str, str], bytes]]:
        """Return the headers, with names in small letters, and the body of each request."""
        return [_parts_of(raw) for raw in self.served.heard]


@contextmanager
def open_endpoint(status: int = 200, answer: bytes = b"") -> Iterator[Endpoint]:
    """Serve on a free port until the end of the block."""
    told: list[Endpoint] = []

    def act(caller: socket.socket, ended: threading.Event) -> None:
        while not told[0].open.wait(0.02) and not ended.is_set():
            pass
        caller.sendall(endpoints.answer(told[0].status, told[0].answer))

    with endpoints.running(act) as served:
        told.append(Endpoint(served, status, answer, threading.Event()))
        told[0].open.set()
        yield told[0]


def _parts_of(raw: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line.decode().partition(":") for line in head.split(b"\r\n")[1:]]
    return {name.lower(): text.strip() for name, _, text in lines}, body
