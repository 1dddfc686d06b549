"""A prepared statement of the hot path gets its values to PostgreSQL as they are, and fails as the driver does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.prepared import PreparedStatement, write

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
ECHO = PreparedStatement(
    "echo", "SELECT jsonb_build_object('text', $1::text, 'texts', $2::text[], 'bytes', $3::bytea[])::text"
)
DIVIDE = PreparedStatement("divide", "SELECT 1 / $1::int")


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as made:
        yield made


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(TEXT, st.lists(TEXT, max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_texts_arrays_and_bytes_arrive_as_they_are(
    connection: psycopg.Connection[Any], text: str, texts: list[str], parts: list[bytes]
) -> None:
    said = ECHO.value(connection, (text, texts, parts))
    there = connection.execute(
        "SELECT jsonb_build_object('text', %s::text, 'texts', %s::text[], 'bytes', %s::bytea[])::text",
        (text, texts, parts),
    ).fetchone()
    assert there is not None and said == there[0].encode()


def test_every_kind_of_value_arrives_as_it_is(connection: psycopg.Connection[Any]) -> None:
    kinds = PreparedStatement(
        "kinds", "SELECT ROW($1::uuid, $2::timestamptz, $3::bool, $4::bigint, $5::bytea, $6::int[])::text"
    )
    at = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
    values = (UUID(int=7), at, True, -(2**63), b"\x00\xff", [1, 2])
    there = connection.execute(
        "SELECT ROW(%s::uuid, %s, %s, %s::bigint, %s::bytea, %s::int[])::text", values
    ).fetchone()
    assert there is not None and kinds.value(connection, values) == there[0].encode()
    assert kinds.value(connection, [None] * 6) == b"(,,,,,)"


def test_a_text_with_nul_is_refused_before_it_is_cut() -> None:
    for value in ("a\0b", ["a\0b"]):
        with pytest.raises(psycopg.DataError):
            write(value)


def test_it_goes_on_after_everything_prepared_was_thrown_away(connection: psycopg.Connection[Any]) -> None:
    assert DIVIDE.value(connection, (1,)) == b"1"
    connection.execute("DEALLOCATE ALL")
    assert DIVIDE.value(connection, (1,)) == b"1"


def test_an_error_of_the_database_is_the_drivers_own(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        DIVIDE.value(connection, (0,))
    assert DIVIDE.value(connection, (1,)) == b"1"


def test_a_lost_connection_is_an_operational_error(connection: psycopg.Connection[Any], database_url: str) -> None:
    DIVIDE.value(connection, (1,))
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            DIVIDE.value(connection, (1,))
