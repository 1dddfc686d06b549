"""The edge: refusals are problem documents, failures tell nothing of the inside, and a database that is away comes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.exceptions import RequestEntityTooLarge

from core.db import db, pool_of
from core.errors import Conflict, DomainError, Invalid, TooMany, Unavailable
from core.http import PROBLEM, STATUS_OF, problem_of, raw_body
from tests.factories import Market, Member


@pytest.mark.parametrize("kind", [kind for kind in STATUS_OF if kind is not TooMany])
def test_each_refusal_has_its_status(app: Flask, kind: type[DomainError]) -> None:
    response = problem_of(kind("a_code", "What to do."))
    assert (response.status_code, response.mimetype) == (STATUS_OF[kind][0], PROBLEM)
    assert response.json == {
        "type": "/docs/errors#a_code", "title": STATUS_OF[kind][1], "status": response.status_code,
        "code": "a_code", "detail": "What to do.", "errors": [],
    }  # fmt: skip


def test_a_refusal_of_a_finer_kind_has_the_status_of_its_kind(app: Flask) -> None:
    class Finer(Conflict):
        pass

    assert problem_of(Finer()).status_code == 409


def test_when_to_come_back_is_said(app: Flask) -> None:
    assert problem_of(TooMany("Slow down.", 17)).headers["Retry-After"] == "17"
    assert int(problem_of(Unavailable()).headers["Retry-After"]) > 0


def test_a_body_of_unknown_length_is_refused_and_never_cut_short(app: Flask) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    long = app.test_request_context(method="POST", input_stream=BytesIO(b"x" * 11), environ_overrides=chunked)
    with long, pytest.raises(RequestEntityTooLarge):
        raw_body(10)
    with app.test_request_context(method="POST", input_stream=BytesIO(b"x" * 10), environ_overrides=chunked):
        assert raw_body(10) == b"x" * 10


def test_a_failure_of_ours_tells_nothing_of_the_inside(
    market: Market, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise ZeroDivisionError("the secret inside")

    monkeypatch.setitem(market.app.view_functions, "health.live", fails)
    response = client.get("/health/live")
    assert (response.status_code, response.mimetype, response.json["code"]) == (500, PROBLEM, "internal_error")
    assert "secret" not in response.text and "Traceback" not in response.text
    assert "the secret inside" in caplog.text


def test_nothing_of_a_refused_write_is_kept(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = market.make_buyer()

    def refuses_late(*_: object) -> None:
        raise Invalid("late", "Refused after the row was written.")

    monkeypatch.setattr("marketplace.orders.standing._keep_version", refuses_late)
    body = {"name": "o", "vertical": "education", "price": {"amount": "20.00", "currency": "EUR"}}
    for headers in ({}, {"Idempotency_Key": "k"}):
        assert buyer.request("POST", "/orders", body, **headers).json["code"] == "late"
        db.session.rollback()
        assert db.session.scalar(db.text("SELECT count(*) FROM marketplace.orders")) == 0


@contextmanager
def database_away(postgres: str, database_url: str) -> Iterator[None]:
    """Refuse connections to one database and end those there are, as if its server were stopped."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false")))
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            server.execute(allow.format(sql.Identifier(str(name)), sql.SQL("true")))


def test_a_database_that_is_away_is_said_so_and_its_return_is_noticed(
    market: Market, postgres: str, database_url: str
) -> None:
    publisher, buyer = market.make_publisher(), market.make_buyer("100.00")
    order = market.make_order(buyer)
    sold = publisher.post("/leads", market.lead())
    db.session.remove()
    pool = pool_of(market.app)
    with database_away(postgres, database_url), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "timeout", 0.5)  # instead of five seconds for each request
        for member, method, path, body in [
            (publisher, "POST", "/leads", market.lead()), (buyer, "GET", "/wallet", None),
            (buyer, "PATCH", f"/orders/{order['id']}", {"name": "x"}),
        ]:  # fmt: skip
            refused = member.request(method, path, body, Idempotency_Key="k")
            assert (refused.status_code, refused.mimetype) == (503, PROBLEM), refused.text
            assert int(refused.headers["Retry-After"]) > 0 and refused.json["code"] == "database_away"
        assert market.app.test_client().get("/health/ready").status_code == 503
        assert market.app.test_client().get("/health/live").status_code == 200
    again = publisher.request("POST", "/leads", market.lead(), Idempotency_Key="k")
    assert again.status_code == 201 and "Idempotency-Replayed" not in again.headers
    assert [one["id"] for one in publisher.get("/leads")["items"]] == [again.json["id"], sold["id"]]
    assert buyer.get("/wallet")["available"]["amount"] == "60.00"


@contextmanager
def held_key(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Hold the rows of all keys, as somebody does who changes them and is slow."""
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM core.api_keys FOR UPDATE")
        yield other
        other.rollback()


def last_used(member: Member) -> Any:
    [one] = member.get("/keys")["items"]
    return one["last_used_on"]


def served(member: Member, *request: Any) -> int:
    """Have a request served in a thread, as a server does: its context ends with it, the test's goes on."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: member.request(*request).status_code).result(60)


@pytest.fixture
def _impatient(database_url: str) -> None:
    """Have whoever waits for a lock be refused, so that a test of waiting ends."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET lock_timeout = '5s'").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("path", ["/keys", "/leads"])
def test_a_request_does_not_wait_for_who_holds_its_key_and_the_use_is_written_later(
    market: Market, database_url: str, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    publisher = market.make_publisher()
    with held_key(database_url):
        json = market.lead() if path == "/leads" else None
        assert served(publisher, "POST" if json else "GET", path, json) in (200, 201)
        assert caplog.messages == [], "nobody waited until the database refused it"
        assert last_used(publisher) is None
    assert served(publisher, "GET", "/keys") == 200
    assert last_used(publisher) is not None


def test_a_use_that_the_database_refuses_to_write_spoils_no_request(
    market: Market, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = market.make_publisher()
    with psycopg.connect(database_url) as other:
        other.execute("ALTER TABLE core.api_keys ADD CHECK (last_used_on IS NULL)")
    assert served(publisher, "GET", "/keys") == 200
    assert "the use of a key was not written" in caplog.text
