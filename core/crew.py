"""The crew: of the many threads that answer requests so few are at work at once, the others stand by.

More threads at work only cost caches and the interpreter's lock, and waking another for each request costs too. So
whoever has answered while enough others are at work stays where it is until it is wanted: when one of them waits for
somebody else (`resting`), or for a sender who is slow with a body. Requests meanwhile wait in the server's queue. When
many come at once to threads that are free, no more go in than there are database connections for.
"""

import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

IN_MEMORY_BYTES = 1 << 20  # of a body; a longer one waits in a file until its request is answered
LOOK_SECONDS = 0.1
_PIECE_BYTES = 1 << 16


class _Here(threading.local):
    crew: "Crew | None" = None


_here = _Here()


class Crew:
    """A WSGI application around another, which keeps about `most` threads at work, never more than `at_most`.

    The server must have more threads, close what it iterates over after having sent it, and let `watch` run.
    """

    def __init__(self, behind: "WSGIApplication", most: int, at_most: int, most_bytes: int) -> None:
        """Read bodies of at most `most_bytes`; a longer one is left unread, as nobody takes it."""
        self._behind = behind
        self._most = most
        self._at_most = at_most
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._at_work = 0
        self._standing_by = 0
        self._wanted: SimpleQueue[None] = SimpleQueue()
        self._inside = 0
        self._outside = 0
        self._admitted: SimpleQueue[None] = SimpleQueue()
        self._reading: dict[int, float | None] = {}  # by thread, since when; None when it is not counted as at work

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Receive the body, then let the application answer."""
        body = environ["wsgi.input"] = self._received(environ)
        self._go_in()
        _here.crew = self
        try:
            answer = self._behind(environ, start_response)
        except BaseException:
            self._leave()
            raise
        finally:
            _here.crew = None
            body.close()
        return _ThenStandBy(answer, self._wanted) if self._leave() else answer

    def watch(self) -> None:
        """Look again and again who is wanted, for as long as the process lives."""
        while True:
            time.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Count out who waits for a slow sender, and let all go when nothing is to do, be it for the process to end."""
        late = time.monotonic() - LOOK_SECONDS
        with self._lock:
            for thread, since in self._reading.items():
                if since is not None and since <= late:
                    self._reading[thread] = None
                    self._let_another()
            if self._at_work == 0:
                for _ in range(self._standing_by):
                    self._wanted.put(None)
                self._standing_by = 0

    def rest(self) -> None:
        """Count this thread out, and let another come for it."""
        with self._lock:
            self._come_out()
            self._let_another()

    def resume(self) -> None:
        """Count this thread in again."""
        with self._lock:
            self._at_work += 1
        self._go_in()

    def _go_in(self) -> None:
        """Take a place inside, when there is one."""
        with self._lock:
            if self._inside < self._at_most:
                self._inside += 1
                return
            self._outside += 1
        self._admitted.get()

    def _come_out(self) -> None:
        """Hand the place inside on to whoever waits for one."""
        if self._outside:
            self._outside -= 1
            self._admitted.put(None)
        else:
            self._inside -= 1

    def _let_another(self) -> None:
        self._at_work -= 1
        if self._standing_by:
            self._standing_by -= 1
            self._wanted.put(None)

    def _leave(self) -> bool:
        """Count this thread out; True when enough others are at work, so that it is to stand by."""
        with self._lock:
            self._come_out()
            self._at_work -= 1
            stands_by = self._at_work >= self._most
            self._standing_by += stands_by
            return stands_by

    def _received(self, environ: "WSGIEnvironment") -> IO[bytes]:
        """Return the body that the request announces, or as much of a chunked one as anybody looks at."""
        length, most = environ.get("CONTENT_LENGTH", ""), 0
        if "HTTP_TRANSFER_ENCODING" in environ:
            most = self._most_bytes + 1
        elif length.isascii() and length.isdecimal() and len(length) < 20 and int(length) <= self._most_bytes:
            most = int(length)
        thread = threading.get_ident()
        with self._lock:
            self._at_work += 1
            self._reading[thread] = time.monotonic()
        try:
            return _read(environ["wsgi.input"], most)
        except BaseException:  # the sender is gone
            with self._lock:
                self._let_another()
            raise
        finally:
            with self._lock:
                if self._reading.pop(thread) is None:
                    self._at_work += 1


class _ThenStandBy:
    """An answer after which the thread that sent it stands by until it is wanted."""

    def __init__(self, answer: Iterable[bytes], wanted: SimpleQueue[None]) -> None:
        self._answer = answer
        self._wanted = wanted

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Close the answer, and stand by; the server calls this when all is sent."""
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()
        self._wanted.get()


@contextmanager
def resting() -> Iterator[None]:
    """Let another thread of the crew work for as long as the block takes; nothing in a thread that is of none."""
    crew, _here.crew = _here.crew, None
    if crew is None:
        yield
        return
    crew.rest()
    try:
        yield
    finally:
        crew.resume()
        _here.crew = crew


def _read(source: "InputStream", most: int) -> IO[bytes]:
    if most <= IN_MEMORY_BYTES:
        return BytesIO(source.read(most) if most else b"")
    arrived = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # closed when its request is answered
    while most > 0 and (piece := source.read(min(most, _PIECE_BYTES))):
        arrived.write(piece)
        most -= len(piece)
    arrived.seek(0)
    return arrived
