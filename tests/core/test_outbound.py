"""Calling out: whatever an endpoint does, the caller gets an answer or a reason, and within its time."""

import gzip
import socket
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.outbound import Answer, NoAnswer, Outbound, Request
from tests.core.endpoints import Act, answer, answers, drips, running, says, silent

OPEN = Outbound(allow_private=True)
LATE = 5.0  # far beyond the deadlines below, far below the patience of the endpoints


def post(url: str, seconds: float = 10.0, most_bytes: int = 1 << 20, **headers: str) -> Answer:
    return OPEN.send(Request("POST", url, headers, b'{"a":1}'), timeout_seconds=seconds, most_bytes=most_bytes)


def refusal(act: Act, seconds: float = 10.0, **more: int) -> NoAnswer:
    began = time.monotonic()
    with running(act) as endpoint:
        with pytest.raises(NoAnswer) as none:
            post(endpoint.url, seconds, **more)
        assert time.monotonic() - began < seconds + LATE
    assert str(none.value).endswith(".")
    return none.value


def test_a_request_arrives_as_it_was_written() -> None:
    with running(answers(201, b"made", X_Thing="Yes")) as endpoint:
        got = OPEN.send(
            Request("PUT", endpoint.url + "?a=1&b=é", {"X-Key": "k", "Content-Type": "text/plain"}, b"body"),
            timeout_seconds=10,
        )
    assert (got.status, got.body, got.headers["x-thing"]) == (201, b"made", "Yes")
    head, _, body = endpoint.heard[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "PUT /hook?a=1&b=%C3%A9 HTTP/1.1" and body == b"body"
    assert set(lines) == {
        f"Host: 127.0.0.1:{endpoint.port}", "Content-Length: 4", "X-Key: k", "Content-Type: text/plain",
        "User-Agent: leadbourse", "Accept-Encoding: identity", "Connection: close",
    }  # fmt: skip


def test_nothing_is_sent_for_nothing_and_a_get_has_no_body() -> None:
    with running(answers(204, b"")) as endpoint:
        assert OPEN.send(Request("GET", endpoint.url, {}), timeout_seconds=10).status == 204
    assert b"Content-Length" not in endpoint.heard[0]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_the_answer_and_nobody_goes_there(status: int) -> None:
    with running(answers(status, b"", Location="http://169.254.169.254/latest/meta-data/")) as endpoint:
        got = post(endpoint.url)
    assert (got.status, got.headers["location"]) == (status, "http://169.254.169.254/latest/meta-data/")
    assert len(endpoint.heard) == 1


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_an_error_is_an_answer(status: int) -> None:
    with running(answers(status, b"<html>no</html>", Content_Type="text/html")) as endpoint:
        assert post(endpoint.url).status == status


@pytest.mark.parametrize(
    "act",
    [
        silent,
        drips(b"", b"H", 0.1),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.1),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", 0.1),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.1),
        drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.1),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    ],
    ids=["silence", "status", "headers", "body", "chunks", "no length", "continue"],
)
def test_one_byte_after_another_ends_at_the_deadline(act: Act) -> None:
    none = refusal(act, 1.0)
    assert none.code == "timeout" and none.milliseconds >= 900


@pytest.mark.parametrize(
    "act",
    [
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", b"x" * 65536, 0),
        drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536, 0),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 1000, 0),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0),
        answers(200, b"x" * 100_001),
        answers(200, gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip"),
        answers(200, zlib.compress(b"x" * 10_000_000), Content_Encoding="deflate"),
        answers(200, gzip.compress(gzip.compress(b"x" * 50_000_000)), Content_Encoding="gzip, gzip"),
    ],
    ids=["100 MB", "no end", "chunks", "continue", "one byte", "gzip", "deflate", "gzip twice"],
)
def test_more_than_is_allowed_is_refused(act: Act) -> None:
    assert refusal(act, most_bytes=100_000).code == "too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\xff" * 500,
        b"<html><body>no status line</body></html>",
        b"HTTP/1.1 999999 Odd\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        answer(200, b"not gzip at all", Content_Encoding="gzip"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n",
    ],
)
def test_what_is_not_http_is_no_answer(raw: bytes) -> None:
    assert refusal(says(raw)).code in ("bad_http", "connection")


@pytest.mark.parametrize(
    "raw", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-A: b\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"],
)  # fmt: skip
def test_an_answer_that_breaks_off_is_no_answer(raw: bytes) -> None:
    assert refusal(says(raw)).code == "connection"


def test_nobody_at_home_is_a_connection_that_failed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoAnswer) as none:
        post(f"http://127.0.0.1:{port}/")
    assert none.value.code == "connection"


def test_compression_nobody_asked_for_is_undone() -> None:
    with running(answers(200, gzip.compress(b"hello" * 100), Content_Encoding="gzip")) as endpoint:
        assert post(endpoint.url).body == b"hello" * 100


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "b\r\nX-Evil: 1"}, {"X-A": "b\nX"}, {"X-A\r\nB": "c"}, {"X A": "b"}, {"": "b"}, {"X-A": "b\0"},
     {"X-A": "€"}, {"Host": "elsewhere.example"}, {"content-length": "0"}, {"Transfer-Encoding": "chunked"}],
)  # fmt: skip
def test_a_header_cannot_become_two(headers: dict[str, str]) -> None:
    with running(answers()) as endpoint:
        with pytest.raises(NoAnswer) as none:
            post(endpoint.url, **headers)
        assert none.value.code == "bad_http" and endpoint.heard == []


@pytest.mark.parametrize("method", ["GET /evil HTTP/1.1\r\nX:", "", "G T"])
def test_a_method_is_one_word(method: str) -> None:
    with pytest.raises(NoAnswer, match="name of a method"):
        OPEN.send(Request(method, "http://127.0.0.1:1/", {}), timeout_seconds=1)


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with running(answers()) as endpoint:
        assert post(endpoint.url).status == 200


def test_a_cookie_is_not_brought_back() -> None:
    with running(answers(200, b"", Set_Cookie="a=b")) as endpoint:
        post(endpoint.url)
        post(endpoint.url)
    assert b"ookie" not in endpoint.heard[1]


def test_slow_endpoints_hold_up_nobody_else() -> None:
    with running(silent) as slow, running(answers()) as quick, ThreadPoolExecutor(40) as callers:
        stuck = [callers.submit(post, slow.url, 3.0) for _ in range(30)]
        assert all(one.status == 200 for one in callers.map(post, [quick.url] * 10))
        assert not any(one.done() for one in stuck)
        assert {one.exception().code for one in stuck} == {"timeout"}


def test_a_name_server_that_hangs_costs_no_more_than_the_deadline() -> None:
    ended = threading.Event()

    def hang(_: str, __: int) -> list[str]:
        ended.wait(30)
        return ["127.0.0.1"]

    began = time.monotonic()
    with pytest.raises(NoAnswer) as none:
        Outbound(True, hang).send(Request("GET", "http://hooks.example.com/", {}), timeout_seconds=0.5)
    ended.set()
    assert none.value.code == "timeout" and time.monotonic() - began < LATE


def test_a_dead_address_leaves_time_for_the_next() -> None:
    with running(answers()) as endpoint:
        both = Outbound(True, lambda _, __: ["127.0.0.2", "127.0.0.1"])
        got = both.send(Request("GET", f"http://hooks.example.com:{endpoint.port}/", {}), timeout_seconds=10)
    assert got.status == 200 and f"Host: hooks.example.com:{endpoint.port}".encode() in endpoint.heard[0]
