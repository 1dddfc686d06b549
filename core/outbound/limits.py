"""The limits of one call, kept at the socket: nothing is read or written after its deadline or beyond its share.

A socket's own timeout counts each read anew, so that a server may drip one byte a second for ever; here each read is
given only what is left of the whole call.
"""

import socket
import ssl
import time
from typing import TYPE_CHECKING

from core.outbound.values import NoAnswer

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


class Limits:
    """What is left of a call: real seconds, and bytes that may still come in."""

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._began = time.monotonic()
        self._ends = self._began + seconds
        self._bytes_left = most_bytes
        self.has_hung_up = False  # the other side

    def seconds_left(self) -> float:
        """Return the seconds left, more than none; TimeoutError after the deadline."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def milliseconds(self) -> int:
        """Return how long the call has taken so far."""
        return round((time.monotonic() - self._began) * 1000)

    def count(self, received: int) -> None:
        """Count bytes that came in, the carriage of the body included; NoAnswer beyond the limit."""
        self.has_hung_up = received == 0
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise NoAnswer("too_large", "The answer was larger than allowed.")


class LimitedSocket(socket.socket):
    """A socket that keeps the limits of its call."""

    limits: Limits

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the limits."""
        self.settimeout(self.limits.seconds_left())
        received = super().recv_into(buffer, nbytes or memoryview(buffer).nbytes, flags)
        self.limits.count(received)
        return received

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send within the deadline."""
        self.settimeout(self.limits.seconds_left())
        return super().send(data, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send everything within the deadline."""
        self.settimeout(self.limits.seconds_left())
        super().sendall(data, flags)


class LimitedTlsSocket(LimitedSocket, ssl.SSLSocket):
    """The same over TLS; its handshake ends by the timeout of the socket that it is made from."""
