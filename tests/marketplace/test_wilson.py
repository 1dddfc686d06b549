"""Wilson's interval: as the tables have it, between 0 and 1, narrower with more, higher with more that is good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.market.wilson import wilson

# Wilson's score interval at 95 %, as published (Newcombe 1998, table I, method 3; the rest by the formula's closed ends).
KNOWN = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
    (0, 10, 0.0000, 0.2775),
    (5, 10, 0.2366, 0.7634),
    (10, 10, 0.7225, 1.0000),
]
COUNTS = st.integers(1, 100_000).flatmap(lambda many: st.tuples(st.integers(0, many), st.just(many)))


@pytest.mark.parametrize(("good", "counted", "low", "high"), KNOWN)
def test_the_interval_is_that_of_the_table(good: int, counted: int, low: float, high: float) -> None:
    assert wilson(good, counted) == pytest.approx((low, high), abs=0.00005)


@given(COUNTS)
def test_the_interval_holds_the_share_and_stays_between_nothing_and_all(case: tuple[int, int]) -> None:
    good, counted = case
    low, high = wilson(good, counted)
    assert 0 <= low <= good / counted + 1e-12 and good / counted <= high + 1e-12 and high <= 1 + 1e-12


@given(COUNTS)
def test_one_more_good_one_raises_both_ends_and_one_more_bad_one_lowers_them(case: tuple[int, int]) -> None:
    good, counted = case
    (low, high), better, worse = wilson(good, counted), wilson(good + 1, counted + 1), wilson(good, counted + 1)
    assert (
        worse[0] <= low + 1e-12 and low <= better[0] + 1e-12 and worse[1] <= high + 1e-12 and high <= better[1] + 1e-12
    )


@given(COUNTS, st.integers(2, 50))
def test_the_same_share_of_more_is_known_better(case: tuple[int, int], times: int) -> None:
    good, counted = case
    (low, high), (nearer, closer) = wilson(good, counted), wilson(good * times, counted * times)
    assert closer - nearer < high - low and nearer >= low - 1e-12


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
