"""Pages: the newest first, none twice, none skipped, whatever arrives in between."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Malformed
from core.paging import DEFAULT_LIMIT, MOST, PageRequest, page_of, read_page


@dataclass(frozen=True)
class Thing:
    id: UUID


@given(st.integers(0, 30), st.integers(1, 7), st.lists(st.integers(0, 5), max_size=40))
def test_every_row_that_was_there_is_shown_once_and_in_order(count: int, limit: int, arrivals: list[int]) -> None:
    rows = [Thing(UUID(int=number)) for number in range(count)]
    newer = count

    def find(after: UUID | None, most: int) -> list[Thing]:
        below = [row for row in sorted(rows, key=lambda row: row.id, reverse=True) if after is None or row.id < after]
        return below[:most]

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = page_of("x", read_page("x", {"limit": str(limit), "cursor": cursor}), find, lambda row: row.id.int)
        assert len(page["items"]) <= limit
        seen += page["items"]
        cursor = page["next_cursor"]
        for _ in range(arrivals.pop() if arrivals else 0):
            rows.append(Thing(UUID(int=newer)))
            newer += 1
    assert seen == list(range(count))[::-1]


def test_without_a_word_the_first_page_is_asked_for() -> None:
    assert read_page("x", {}) == PageRequest(DEFAULT_LIMIT, None)
    assert read_page("x", {"limit": str(MOST), "cursor": ""}) == PageRequest(MOST, None)


@pytest.mark.parametrize("limit", ["0", str(MOST + 1), "-1", "", "x", "1.0", "²", "9" * 5000])
def test_an_unusable_limit_and_cursor_are_named_together(limit: str) -> None:
    with pytest.raises(Malformed) as refusal:
        read_page("x", {"limit": limit, "cursor": "y_" + "0" * 26})
    assert [fault.field for fault in refusal.value.faults] == ["limit", "cursor"]
