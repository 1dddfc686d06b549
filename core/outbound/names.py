"""Asking for the addresses of a name, once a call, without waiting longer than the call may take."""

import socket
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from core.outbound.limits import Limits

Resolve = Callable[[str, int], Sequence[str]]


def ask_system(host: str, port: int) -> list[str]:
    """Return all addresses of a name, in the order in which the system would try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def resolve_within(resolve: Resolve, host: str, port: int, limits: Limits) -> list[str]:
    """Return the addresses of a name; TimeoutError when there are none before the deadline.

    The system cannot be told to stop asking, so each question has a thread of its own, which is left to end by itself.
    """
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(resolve(host, port)))
        except (OSError, UnicodeError) as wrong:
            answers.put(wrong if isinstance(wrong, OSError) else OSError(str(wrong)))

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=limits.seconds_left())
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer
