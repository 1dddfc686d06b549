"""Ids sort by time inside, read and write without loss outside, and what cannot be one is not found."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from core.ids import new_id, parse_id, show_id, show_id_text


@given(st.uuids())
def test_an_id_reads_back(value: UUID) -> None:
    assert parse_id("lead", show_id("lead", value)) == value


@given(st.uuids(), st.uuids())
def test_shown_ids_sort_as_ids_do(one: UUID, other: UUID) -> None:
    assert (one < other) == (show_id("ord", one) < show_id("ord", other))


@given(st.uuids())
def test_an_id_known_as_text_is_shown_the_same(value: UUID) -> None:
    assert show_id_text("lead", str(value)) == show_id("lead", value)


def test_an_id_is_a_uuid_of_version_7_and_never_the_same() -> None:
    made = [new_id() for _ in range(1000)]
    assert all(value.version == 7 and value.variant == "specified in RFC 4122" for value in made)
    assert len(set(made)) == 1000
    assert [value.int >> 80 for value in made] == sorted(value.int >> 80 for value in made)


def test_a_known_type_id_is_written_as_its_specification_has_it() -> None:
    assert show_id("prefix", UUID("01890a5d-ac96-774b-bcce-b302099a8057")) == "prefix_01h455vb4pex5vsknk084sn02q"
    assert show_id("x", UUID(int=2**128 - 1)) == "x_7zzzzzzzzzzzzzzzzzzzzzzzzz"


@given(
    st.text(max_size=40) | st.text("0123456789abcdefghjkmnpqrstvwxyz_", min_size=20, max_size=34).map("lead_".__add__)
)
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    try:
        value = parse_id("lead", text)
    except NotFound:
        return
    assert show_id("lead", value) == text


@pytest.mark.parametrize(
    "text", ["", "lead_", "lead_8" + "0" * 25, "ord_" + "0" * 26, "0" * 26, "lead_" + "0" * 25 + "l"]
)
def test_what_cannot_be_an_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        parse_id("lead", text)
