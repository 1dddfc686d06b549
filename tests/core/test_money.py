"""Money is exact: read, written and split without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import MAX_MINOR, Money, is_currency, share_of, split

weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=8).filter(any)
minors = st.integers(-(10**12), 10**12)


@given(minors, weights)
def test_parts_sum_to_the_whole_and_each_is_within_a_cent_of_its_due(minor: int, shares: list[int]) -> None:
    parts = split(minor, shares)
    assert sum(parts) == minor and len(parts) == len(shares)
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part * sum(shares) - minor * weight) < sum(shares)
        assert weight or not part


@given(minors, weights)
def test_a_refund_is_the_mirror_of_the_charge(minor: int, shares: list[int]) -> None:
    assert split(-minor, shares) == [-part for part in split(minor, shares)]


@pytest.mark.parametrize(
    ("minor", "shares", "parts"),
    [
        (-5, (7, 3), [-4, -1]),
        (5, (7, 3), [4, 1]),
        (1, (1, 1), [1, 0]),
        (100, (1, 1, 1), [34, 33, 33]),
        (0, (1, 2), [0, 0]),
    ],
)
def test_splits_by_hand(minor: int, shares: tuple[int, ...], parts: list[int]) -> None:
    assert split(minor, shares) == parts


def test_five_cents_taken_back_are_split_seven_to_three_without_loss() -> None:
    assert split(-5, (7, 3)) == [-4, -1] and sum(split(-5, (7, 3))) == -5


def test_a_fifth_of_three_cents_and_the_rest_are_three_cents() -> None:
    assert (share_of(3, 2_000), split(3, (2_000, 8_000))) == (1, [1, 2])


def test_eight_percent_of_129_99_are_10_40_of_which_three_quarters_are_7_80() -> None:
    assert share_of(12_999, 800) == 1_040 and share_of(1_040, 7_500) == 780


def test_shares_that_do_not_add_up_to_all_still_split_all() -> None:
    assert split(100, (3_333, 3_333, 3_333)) == [34, 33, 33] and split(1, (1, 1, 1, 1)) == [1, 0, 0, 0]


@pytest.mark.parametrize("shares", [(), (0, 0), (1, -1), (2, -1)])
def test_nothing_to_split_by_is_an_error(shares: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        split(100, shares)


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_share_and_its_rest_make_the_whole(minor: int, share_bp: int) -> None:
    assert share_of(minor, share_bp) + split(minor, (share_bp, 10_000 - share_bp))[1] == minor


@given(st.integers(1 - MAX_MINOR, MAX_MINOR - 1), st.sampled_from(["EUR", "USD", "JPY"]))
def test_what_is_written_reads_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money), currency) == money
    assert money.as_json() == {"amount": str(money), "currency": currency}


@pytest.mark.parametrize(
    ("text", "minor"), [("12.50", 1250), ("12.5", 1250), ("12", 1200), ("-0.01", -1), ("007.00", 700)]
)
def test_decimal_text_is_read(text: str, minor: int) -> None:
    assert Money.parse(text, "EUR") == Money(minor, "EUR")


@pytest.mark.parametrize(
    "text", ["12.505", "1e9", "", ".", ".5", "5.", "1,5", "+1", " 1", "1\n", "٥", "NaN", "1" * 16, "--1"]
)
def test_other_text_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError):
        Money.parse(text, "EUR")


def test_a_currency_without_decimals_has_none_and_an_unknown_one_holds_nothing() -> None:
    assert str(Money.parse("500", "JPY")) == "500" and is_currency("JPY")
    for amount, currency in (("500.0", "JPY"), ("5", "XXX"), ("5", "eur")):
        with pytest.raises(ValueError):
            Money.parse(amount, currency)
    assert not is_currency(None) and not is_currency("XXX")
