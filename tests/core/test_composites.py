"""Items of a composite type reach PostgreSQL as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.composites import Composite
from core.prepared import PreparedStatement

KINDS = {
    "uuid": st.uuids(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    "timestamptz": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
    "bytea": st.binary(max_size=9),
    "boolean": st.booleans(),
    "bigint[]": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
    "bytea[]": st.lists(st.binary(max_size=9), min_size=1, max_size=3),
}
EVERYTHING = Composite("pg_temp.everything", [*KINDS, "jsonb"])
BACK = PreparedStatement("back", "SELECT to_jsonb(e)::text FROM unnest($1::pg_temp.everything[]) AS e")
ITEM = st.tuples(
    *(st.none() | kind for kind in KINDS.values()), st.sampled_from([None, "{}", '{"a": ["b", 1.5, null]}'])
)


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as made:
        attributes = ", ".join(f'"{place}" {kind}' for place, kind in enumerate([*KINDS, "jsonb"]))
        made.execute(f"CREATE TYPE pg_temp.everything AS ({attributes})")
        yield made


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.lists(ITEM, min_size=1, max_size=3))
def test_every_kind_of_attribute_arrives_as_it_is(
    connection: psycopg.Connection[Any], items: list[tuple[Any, ...]]
) -> None:
    sent = EVERYTHING.array(connection, [EVERYTHING.write(item) for item in items])
    row = ", ".join(f"%s::{kind}" for kind in [*KINDS, "jsonb"])
    there = [
        connection.execute(f"SELECT to_jsonb(ROW({row})::pg_temp.everything)::text", item).fetchone() for item in items
    ]
    assert BACK.rows(connection, (sent,)) == [(row[0].encode(),) for row in there if row is not None]


def test_an_item_of_too_few_values_is_none() -> None:
    with pytest.raises(ValueError, match="shorter"):
        EVERYTHING.write([None])
