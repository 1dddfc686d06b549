"""Who buys one lead: the ranking, exclusive against shared, and the size of the set."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads.auction import Candidate, choose, ranked

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_candidate(number: int, price: int, share: int = 3, buyer: int | None = None, **more: object) -> Candidate:
    return Candidate(UUID(int=number), UUID(int=number if buyer is None else buyer), price, share, **more)  # type: ignore[arg-type]


def outcomes_of(*candidates: Candidate, exclusive_only: bool = False) -> list[tuple[int, str]]:
    chosen = choose(candidates, exclusive_only=exclusive_only)
    return [(order_id.int, outcome) for order_id, outcome in chosen.outcomes]


def test_the_highest_price_wins() -> None:
    assert outcomes_of(make_candidate(1, 900, 1), make_candidate(2, 1000, 1)) == [(2, "sold"), (1, "outbid")]


def test_equal_prices_go_to_who_waits_longest_and_first_to_who_never_bought() -> None:
    late, early = NOON, NOON - timedelta(hours=1)
    order = ranked(
        [make_candidate(1, 9, last_sold_at=late), make_candidate(2, 9, last_sold_at=early), make_candidate(3, 9)]
    )
    assert [each.order_id.int for each in order] == [3, 2, 1]


def test_equal_prices_and_purchases_go_by_order_id() -> None:
    assert [each.order_id.int for each in ranked([make_candidate(2, 9), make_candidate(1, 9)])] == [1, 2]


def test_an_exclusive_order_takes_the_lead_alone() -> None:
    assert outcomes_of(make_candidate(1, 50, 1), make_candidate(2, 40)) == [(1, "sold"), (2, "outbid")]


def test_an_exclusive_order_below_a_shared_one_is_outbid() -> None:
    found = outcomes_of(make_candidate(1, 50), make_candidate(2, 40, 1), make_candidate(3, 30))
    assert found == [(1, "sold"), (2, "outbid"), (3, "sold")]


def test_who_cannot_buy_is_passed_over_with_his_own_reason() -> None:
    found = outcomes_of(make_candidate(1, 50, 1, refusal="capped"), make_candidate(2, 40, refusal="no_funds"),
                        make_candidate(3, 30))  # fmt: skip
    assert found == [(1, "capped"), (2, "no_funds"), (3, "sold")]


def test_no_member_shares_with_more_than_it_allows() -> None:
    found = outcomes_of(make_candidate(1, 50, 3), make_candidate(2, 40, 2), make_candidate(3, 30, 5))
    assert found == [(1, "sold"), (2, "sold"), (3, "share_full")]


def test_an_order_that_allows_fewer_than_already_bought_does_not_join() -> None:
    found = outcomes_of(make_candidate(1, 50, 5), make_candidate(2, 40, 5), make_candidate(3, 30, 2),
                        make_candidate(4, 20, 4))  # fmt: skip
    assert found == [(1, "sold"), (2, "sold"), (3, "share_full"), (4, "sold")]


def test_a_buyer_gets_a_lead_once() -> None:
    found = outcomes_of(make_candidate(1, 50, buyer=7), make_candidate(2, 40, buyer=7), make_candidate(3, 30))
    assert found == [(1, "sold"), (2, "outbid"), (3, "sold")]


def test_an_exclusive_lead_goes_to_exclusive_orders_only() -> None:
    found = outcomes_of(make_candidate(1, 50), make_candidate(2, 40, 1), exclusive_only=True)
    assert found == [(1, "filtered"), (2, "sold")]


def test_nobody_buys_when_nobody_can() -> None:
    assert choose([]).orders == ()
    assert choose([make_candidate(1, 9, refusal="no_funds")]).orders == ()


candidates = st.lists(
    st.builds(
        make_candidate,
        st.integers(0, 10**6),
        st.integers(1, 4),
        st.integers(1, 5),
        st.integers(0, 5),
        last_sold_at=st.none() | st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
        refusal=st.sampled_from([None, None, "capped", "no_funds"]),
    ),
    max_size=12,
    unique_by=lambda each: each.order_id,
)


@given(candidates, st.booleans())
def test_a_choice_keeps_every_promise(offered: list[Candidate], exclusive_only: bool) -> None:
    chosen = choose(offered, exclusive_only=exclusive_only)
    by_id = {each.order_id: each for each in offered}
    buying = [by_id[order_id] for order_id in chosen.orders]
    assert {order_id for order_id, _ in chosen.outcomes} == set(by_id)
    assert [order_id for order_id, outcome in chosen.outcomes if outcome == "sold"] == list(chosen.orders)
    assert all(each.refusal is None and len(buying) <= each.max_share for each in buying)
    assert len({each.buyer_id for each in buying}) == len(buying)
    assert not (exclusive_only and any(each.max_share > 1 for each in buying))
    able = [each for each in ranked(offered) if not each.refusal and not (exclusive_only and each.max_share > 1)]
    assert buying[:1] == able[:1]


@given(candidates, st.randoms())
def test_the_order_in_which_candidates_come_does_not_matter(offered: list[Candidate], random: object) -> None:
    shuffled = list(offered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(shuffled) == choose(offered)
