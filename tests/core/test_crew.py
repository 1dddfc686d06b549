"""Few threads are at work at once; those that wait for somebody else, or for a body, are not counted among them."""

import io
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from core.crew import IN_MEMORY_BYTES, LOOK_SECONDS, Crew, resting
from tests.at_once import wait_until


class SlowSender(io.RawIOBase):
    """A body that arrives when its sender lets it."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()

    def read(self, size: int = -1) -> bytes:
        """Wait for the body."""
        assert self.goes_on.wait(20)
        return b"x" * size


class Answer(list[bytes]):
    """An answer that the server must close."""

    def __init__(self) -> None:
        super().__init__([b"answer"])
        self.is_closed = False

    def close(self) -> None:
        """Let the server say that all is sent."""
        self.is_closed = True


class Server:
    """A server with some threads, which answers requests as granian does: it sends all, then closes the answer."""

    def __init__(self, most: int, most_bytes: int = 1000, at_most: int = 100) -> None:
        self.crew = Crew(self.answer, most, at_most, most_bytes)
        self.goes_on = threading.Event()
        self.at_work = 0
        self.bodies: list[bytes] = []
        self.lock = threading.Lock()

    def answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer when told to."""
        self.bodies.append(environ["wsgi.input"].read())
        if "now" in environ:
            return Answer()
        with self.lock:
            self.at_work += 1
        if "rests" in environ:
            begins, ends = environ["rests"]
            assert begins.wait(20)
            with resting():
                assert ends.wait(20)
        assert self.goes_on.wait(20)
        return Answer()

    def take(self, body: bytes | SlowSender = b"", **more: Any) -> threading.Thread:
        """Take a request in a thread of its own."""
        thread = threading.Thread(target=self.serve, args=(body, more), daemon=True)
        thread.start()
        return thread

    def serve(self, body: bytes | SlowSender, more: dict[str, Any]) -> None:
        """Answer one request."""
        length = {} if isinstance(body, SlowSender) else {"CONTENT_LENGTH": str(len(body))}
        source = io.BytesIO(body) if isinstance(body, bytes) else body
        answer: Any = self.crew({"REQUEST_METHOD": "POST", "wsgi.input": source} | length | more, lambda *_: None)
        assert list(answer) == [b"answer"]
        answer.close()


def joined(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_whoever_has_answered_while_enough_are_at_work_stands_by_until_nothing_is_to_do() -> None:
    server = Server(2)
    working = [server.take(), server.take()]
    wait_until(lambda: server.at_work == 2)
    quick = server.take(now=True)
    wait_until(lambda: server.crew._standing_by == 1)
    server.crew.look()
    server.goes_on.set()
    joined(*working)
    assert quick.is_alive()
    server.crew.look()
    joined(quick)


def test_whoever_has_answered_while_too_few_are_at_work_is_free() -> None:
    server = Server(2)
    working = server.take()
    wait_until(lambda: server.at_work == 1)
    joined(server.take(now=True))
    server.goes_on.set()
    joined(working)


def test_who_waits_for_somebody_else_lets_another_come_for_him() -> None:
    server, begins, ends = Server(1), threading.Event(), threading.Event()
    resting_one = server.take(rests=(begins, ends))
    wait_until(lambda: server.at_work == 1)
    quick = server.take(now=True)
    wait_until(lambda: server.crew._standing_by == 1)
    begins.set()
    joined(quick)
    assert server.crew._at_work == 0
    ends.set()
    wait_until(lambda: server.crew._at_work == 1)
    server.goes_on.set()
    joined(resting_one)


def test_who_waits_for_a_slow_body_is_counted_out_after_a_moment_and_in_again_when_it_has_come() -> None:
    server, slow = Server(1), SlowSender()
    reading = server.take(slow, CONTENT_LENGTH="3")
    wait_until(lambda: server.crew._at_work == 1)
    quick = server.take(now=True)
    wait_until(lambda: server.crew._standing_by == 1)
    quick.join(LOOK_SECONDS * 2)
    assert quick.is_alive()
    server.crew.look()
    joined(quick)
    assert server.crew._at_work == 0
    slow.goes_on.set()
    wait_until(lambda: server.at_work == 1)
    assert (server.bodies, server.crew._at_work) == ([b"", b"xxx"], 1)
    server.goes_on.set()
    joined(reading)


def test_never_more_are_inside_than_there_is_room_for_and_who_rests_makes_room() -> None:
    server, begins, ends = Server(1, at_most=2), threading.Event(), threading.Event()
    threads = [server.take(rests=(begins, ends)) for _ in range(6)]
    wait_until(lambda: server.crew._outside == 4)
    assert server.at_work == 2
    begins.set()
    wait_until(lambda: server.at_work == 6)  # each that rested let one in
    ends.set()
    wait_until(lambda: server.crew._outside == 4)
    server.goes_on.set()
    wait_until(lambda: server.crew._inside == 0)
    server.crew.look()
    joined(*threads)


def test_an_application_that_fails_counts_its_thread_out() -> None:
    def fail(*_: Any) -> list[bytes]:
        raise ValueError

    crew = Crew(fail, 1, 1, 1000)
    with pytest.raises(ValueError, match=r"^$"):
        crew({"wsgi.input": io.BytesIO()}, lambda *_: None)  # type: ignore[arg-type]
    assert crew._at_work == 0


def test_an_answer_is_closed_when_it_is_sent() -> None:
    answer = Answer()
    crew = Crew(lambda *_: answer, 0, 1, 1000)  # so that every thread stands by
    given: Any = crew({"wsgi.input": io.BytesIO()}, lambda *_: None)  # type: ignore[arg-type]
    crew.look()
    given.close()
    assert answer.is_closed


def test_nobody_rests_outside_of_a_crew() -> None:
    with resting():
        pass


@pytest.mark.parametrize(
    ("sent", "told", "seen"),
    [
        (b"abc", {"CONTENT_LENGTH": "3"}, b"abc"),
        (b"ab", {"CONTENT_LENGTH": "3"}, b"ab"),
        (b"abcdef", {"CONTENT_LENGTH": "3"}, b"abc"),
        (b"abc", {"HTTP_TRANSFER_ENCODING": "chunked"}, b"abc"),
        (b"abc", {"CONTENT_LENGTH": "+3"}, b""),
        (b"x" * (4 * IN_MEMORY_BYTES), {"CONTENT_LENGTH": str(3 * IN_MEMORY_BYTES)}, b"x" * 3 * IN_MEMORY_BYTES),
        (b"x" * (4 * IN_MEMORY_BYTES), {"CONTENT_LENGTH": str(4 * IN_MEMORY_BYTES)}, b""),  # nobody takes it
        (b"x" * (4 * IN_MEMORY_BYTES), {"HTTP_TRANSFER_ENCODING": "chunked"}, b"x" * (3 * IN_MEMORY_BYTES + 1)),
    ],
)
def test_the_body_arrives_as_it_was_sent_as_far_as_anybody_takes_it(
    sent: bytes, told: dict[str, str], seen: bytes
) -> None:
    server = Server(1, 3 * IN_MEMORY_BYTES)
    server.goes_on.set()
    server.crew({"wsgi.input": io.BytesIO(sent)} | told, lambda *_: None)  # type: ignore[arg-type]
    assert server.bodies == [seen]


def test_a_sender_who_is_gone_takes_no_place_with_him() -> None:
    class Gone(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("the connection is closed")

    server = Server(most=1)
    server.goes_on.set()
    for _ in range(3):
        with pytest.raises(OSError, match="closed"):
            server.crew({"CONTENT_LENGTH": "1", "wsgi.input": Gone()}, lambda *_: None)
    answer: Any = server.crew({"wsgi.input": io.BytesIO(), "now": True}, lambda *_: None)
    assert type(answer) is Answer  # nobody else is at work, so this thread need not stand by
