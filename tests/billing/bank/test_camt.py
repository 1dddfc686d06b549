"""CAMT.053 read as it streams by: what is kept at once does not grow with the file."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.bank.camt import read_camt
from billing.bank.lines import Closed, Entry, Opened
from core.errors import Invalid
from tests.billing.bank.statements import Told, camt, statement

MOST_BYTES = 2_000_000


def test_memory_stays_the_same_however_many_entries_there_are() -> None:
    file = io.BytesIO(camt(statement(*(Told(100, f"text {number}", bank=f"R{number}") for number in range(20_000)))))
    tracemalloc.start()
    count = sum(1 for _ in read_camt(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_002 and peak < MOST_BYTES


TOLD = st.builds(
    Told, minor=st.integers(-(10**9), 10**9).filter(bool), text=st.text("abc <&>é", max_size=9),
    bank=st.sampled_from(["", "A", "B"]), status=st.sampled_from(["BOOK", "PDNG"]),
)  # fmt: skip


@given(st.lists(TOLD, max_size=8), st.integers(-(10**9), 10**9), st.sampled_from([2, 8]))
def test_what_is_read_is_what_was_told_and_the_balances_prove_it(told: list[Told], opening: int, version: int) -> None:
    data = camt(statement(*told, opening=opening, version=version), version=version)

    first, *entries, last = read_camt(io.BytesIO(data))

    assert isinstance(first, Opened) and isinstance(last, Closed) and last.is_proven
    assert [one.minor for one in entries if isinstance(one, Entry)] == [one.minor for one in told]
    assert last.moved == sum(one.minor for one in told if one.status == "BOOK")


@given(st.data())
def test_a_file_with_any_piece_taken_out_is_read_or_refused_and_never_errs(data: st.DataObject) -> None:
    whole = camt(statement(Told(100, "a", bank="A"), Told(-5, parts=(Told(-3), Told(-2)))))
    start = data.draw(st.integers(0, len(whole)))
    piece = whole[:start] + whole[start + data.draw(st.integers(1, 60)) :]
    try:
        list(read_camt(io.BytesIO(piece)))
    except Invalid as refused:
        assert refused.code == "bad_statement" and refused.faults


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_where_a_file_is_cut_into_pieces_changes_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = camt(statement(Told(100, "é" * 50), Told(200, "b")))
    whole = list(read_camt(io.BytesIO(data)))
    monkeypatch.setattr("billing.bank.camt.PIECE", size)

    assert list(read_camt(io.BytesIO(data))) == whole
