"""The least winning price: the auction itself, asked with one order more at that price and at one cent below."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads.auction import Candidate, Rules, choose
from marketplace.market.histograms import added, number_at, up_to
from marketplace.market.steps import POINTS, points_between, step_above, step_at, step_below
from marketplace.market.winning import least_winning
from tests.conftest import START

MORE = UUID(int=999)
RULES = st.builds(
    Rules, st.sampled_from(["best_price", "priority", "round_robin", "tiers"]),
    st.sampled_from(["total_value", "first", "exclusive", "shared", "exclusive_only", "shared_only"]),
    st.integers(1, 5),
)  # fmt: skip
CANDIDATES = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 60), st.integers(1, 5), st.sampled_from([None, None, None, "capped"])),
    max_size=7,
)


def candidates_of(drawn: list[tuple[int, int, int, str | None]]) -> list[Candidate]:
    """Make orders of some buyers, in the order of their prices, as decisions list them."""
    ranked = sorted(drawn, key=lambda one: -one[1])
    return [
        Candidate(UUID(int=place + 1), UUID(int=1000 + buyer), price, share, None, refusal)
        for place, (buyer, price, share, refusal) in enumerate(ranked)
    ]


def buys(given_: list[Candidate], rules: Rules, max_share: int, price: int, exclusive_only: bool) -> bool:
    """Ask the auction with one order more, whose turn comes last."""
    more = Candidate(MORE, UUID(int=5000), price, max_share, START)
    return MORE in choose([*given_, more], rules, exclusive_only=exclusive_only).orders


@given(CANDIDATES, RULES, st.integers(1, 5), st.booleans(), st.integers(1, 30))
def test_at_the_price_it_wins_and_below_it_does_not(
    drawn: list[tuple[int, int, int, str | None]], rules: Rules, share: int, exclusive_only: bool, least: int
) -> None:
    tried = candidates_of(drawn)
    found = least_winning(tried, rules, share, least, exclusive_only=exclusive_only)
    wins = [price for price in range(least, 500) if buys(tried, rules, share, price, exclusive_only)]
    assert found == (wins[0] if wins else None)
    assert wins == list(range(wins[0], 500) if wins else [])  # whoever wins with less wins with more


def test_a_private_deal_cannot_be_outbid() -> None:
    deal = Candidate(UUID(int=1), UUID(int=2), 10, 1, is_deal=True)
    assert least_winning([deal], Rules(), 1) is None


def test_a_lead_that_nobody_wanted_costs_what_it_asks_for() -> None:
    assert least_winning([], Rules(), 1, 420) == 420
    assert least_winning([Candidate(UUID(int=1), UUID(int=2), 900, 1, refusal="capped")], Rules(), 1, 420) == 420


@given(st.dictionaries(st.integers(0, 500).map(str), st.integers(1, 9), min_size=1))
def test_counts_are_added_up_and_asked_by_their_order(counts: dict[str, int]) -> None:
    both = added([counts, counts])
    every = sorted(number for number, times in both.items() for _ in range(times))
    assert number_at(both, 0.5) == every[-(-len(every) // 2) - 1] and number_at(both, 1) == every[-1]
    assert up_to(both, every[-1]) == len(every) and up_to(both, every[0] - 1) == 0
    assert number_at({}, 0.5) is None


@given(st.integers(1, 10**8))
def test_steps_are_round_and_close_to_the_price(price: int) -> None:
    below, above = step_below(price), step_above(price)
    assert price <= above <= price + max(price // 50, 1)
    assert below <= price < below + step_at(price) and step_at(price) * 10 <= max(price, 10)


@given(st.integers(1, 10**7), st.integers(0, 10**7))
def test_a_curve_has_few_round_points_about_all_its_prices(low: int, more: int) -> None:
    points = points_between(low, low + more)
    assert points[0] <= low and points[-1] >= low + more and len(points) <= POINTS + 1
