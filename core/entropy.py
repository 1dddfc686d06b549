"""Random bytes of the operating system, fetched in large pieces: a call into the kernel costs tens of microseconds."""

import os
from threading import Lock

_PIECE = 4096


class _Stock:
    def __init__(self) -> None:
        self._lock = Lock()
        self._bytes = b""
        self._next = 0

    def take(self, count: int) -> bytes:
        with self._lock:
            if self._next + count > len(self._bytes):
                self._bytes, self._next = os.urandom(_PIECE + count), 0
            taken = self._bytes[self._next : self._next + count]
            self._next += count
        return taken

    def throw_away(self) -> None:
        self._lock = Lock()
        self._bytes = b""


_stock = _Stock()
os.register_at_fork(after_in_child=_stock.throw_away)  # two processes must never take the same bytes


def random_bytes(count: int) -> bytes:
    """Return bytes fit for keys and nonces, never given before in any process; safe for threads."""
    return _stock.take(count)
