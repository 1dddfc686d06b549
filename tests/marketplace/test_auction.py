"""Who buys one lead: the ranking, exclusive against shared, and the size of the set."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads import auction
from marketplace.leads.auction import Candidate, Rules, best_of, choose, is_settled, ranked, value_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def make_candidate(number: int, price: int, share: int = 3, buyer: int | None = None, **more: object) -> Candidate:
    return Candidate(UUID(int=number), UUID(int=number if buyer is None else buyer), price, share, **more)  # type: ignore[arg-type]


def outcomes_of(
    *candidates: Candidate, rules: Rules = auction.BY_PRICE, exclusive_only: bool = False
) -> list[tuple[int, str]]:
    chosen = choose(candidates, rules, exclusive_only=exclusive_only)
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


def test_an_exclusive_order_is_outbid_by_a_set_that_pays_more_in_all() -> None:
    found = outcomes_of(make_candidate(1, 40, 1), make_candidate(2, 30), make_candidate(3, 20))
    assert found == [(1, "outbid"), (2, "sold"), (3, "sold")]


def test_at_the_same_value_fewer_buyers_get_the_lead() -> None:
    assert outcomes_of(make_candidate(1, 50, 1), make_candidate(2, 30), make_candidate(3, 20))[0] == (1, "sold")
    assert outcomes_of(make_candidate(1, 50), make_candidate(2, 50, 1)) == [(1, "outbid"), (2, "sold")]


def test_of_the_feasible_sets_the_one_that_pays_most_buys_though_the_second_best_is_not_in_it() -> None:
    found = outcomes_of(make_candidate(1, 50, 5), make_candidate(2, 40, 2), make_candidate(3, 30, 5),
                        make_candidate(4, 30, 5))  # fmt: skip
    assert found == [(1, "sold"), (2, "share_full"), (3, "sold"), (4, "sold")]


def test_where_the_first_decides_an_exclusive_order_takes_the_lead_from_a_dearer_set() -> None:
    shared = (make_candidate(2, 30), make_candidate(3, 20))
    first = Rules(contest=auction.FIRST)
    assert outcomes_of(make_candidate(1, 40, 1), *shared, rules=first)[0] == (1, "sold")
    assert outcomes_of(make_candidate(1, 25, 1), *shared, rules=first) == [(2, "sold"), (1, "outbid"), (3, "sold")]


def test_a_preferred_way_falls_back_on_the_other_unless_it_may_not() -> None:
    alone, capped = make_candidate(1, 20, 1), make_candidate(2, 90, refusal="capped")
    assert outcomes_of(alone, capped, rules=Rules(contest="shared")) == [(2, "capped"), (1, "sold")]
    assert outcomes_of(alone, capped, rules=Rules(contest="shared_only")) == [(2, "capped"), (1, "other_way")]
    one = make_candidate(3, 90)
    assert outcomes_of(one, rules=Rules(contest="exclusive")) == [(3, "sold")]
    assert outcomes_of(one, rules=Rules(contest="exclusive_only")) == [(3, "other_way")]
    assert outcomes_of(alone, one, rules=Rules(contest="exclusive")) == [(3, "outbid"), (1, "sold")]


def test_no_more_buyers_share_than_the_vertical_allows() -> None:
    three = [make_candidate(number, 50 - number) for number in range(3)]
    assert [word for _, word in outcomes_of(*three, rules=Rules(most_buyers=2))] == ["sold", "sold", "share_full"]


def test_by_priority_the_lowest_number_comes_first_and_whoever_has_none_last() -> None:
    order = ranked(
        [make_candidate(1, 90), make_candidate(2, 10, priority=2), make_candidate(3, 5, priority=1)], "priority"
    )
    assert [each.order_id.int for each in order] == [3, 2, 1]


def test_within_a_priority_tier_the_best_price_comes_first() -> None:
    order = ranked([make_candidate(1, 5, priority=1), make_candidate(2, 9, priority=1), make_candidate(3, 90, priority=2)],
                   "tiers")  # fmt: skip
    assert [each.order_id.int for each in order] == [2, 1, 3]


def test_by_turns_whoever_has_gone_longest_without_a_purchase_comes_first_whatever_he_pays() -> None:
    order = ranked([make_candidate(1, 90, last_sold_at=NOON), make_candidate(2, 5)], "round_robin")
    assert [each.order_id.int for each in order] == [2, 1]


def test_by_weight_whoever_has_received_least_of_his_share_comes_first() -> None:
    order = ranked([make_candidate(1, 9, target_share=60, received=31), make_candidate(2, 9, target_share=40, received=20),
                    make_candidate(3, 9)], "weighted")  # fmt: skip
    assert [each.order_id.int for each in order] == [2, 1, 3]


def test_who_cannot_buy_is_passed_over_with_his_own_reason() -> None:
    found = outcomes_of(make_candidate(1, 50, 1, refusal="capped"), make_candidate(2, 40, refusal="no_funds"),
                        make_candidate(3, 30))  # fmt: skip
    assert found == [(1, "capped"), (2, "no_funds"), (3, "sold")]


def test_no_member_shares_with_more_than_it_allows() -> None:
    found = outcomes_of(make_candidate(1, 50, 3), make_candidate(2, 40, 2), make_candidate(3, 30, 5))
    assert found == [(1, "sold"), (2, "sold"), (3, "share_full")]


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
        priority=st.none() | st.integers(1, 3),
        target_share=st.none() | st.integers(1, 4),
        received=st.integers(0, 9),
    ),
    max_size=12,
    unique_by=lambda each: each.order_id,
)


RULES = st.builds(
    Rules,
    st.sampled_from(["best_price", "priority", "round_robin", "weighted", "tiers"]),
    st.sampled_from(["total_value", "first", "exclusive", "exclusive_only", "shared", "shared_only"]),
    st.integers(1, 5),
)


@given(candidates, RULES, st.booleans())
def test_a_choice_keeps_every_promise(offered: list[Candidate], rules: Rules, exclusive_only: bool) -> None:
    chosen = choose(offered, rules, exclusive_only=exclusive_only)
    by_id = {each.order_id: each for each in offered}
    buying = [by_id[order_id] for order_id in chosen.orders]
    assert {order_id for order_id, _ in chosen.outcomes} == set(by_id)
    assert [order_id for order_id, outcome in chosen.outcomes if outcome == "sold"] == list(chosen.orders)
    assert all(each.refusal is None and len(buying) <= each.max_share for each in buying)
    assert len(buying) <= rules.most_buyers and len({each.buyer_id for each in buying}) == len(buying)
    assert not (exclusive_only and any(each.max_share > 1 for each in buying))
    able = [each for each in offered if not each.refusal and not (exclusive_only and each.max_share > 1)]
    if not rules.contest.endswith("_only"):
        assert bool(buying) == bool(able)  # nobody is left out while somebody can buy
    if rules.contest == "first":
        assert buying[:1] == ranked(able, rules.rule)[:1]


@given(candidates, st.integers(1, 5))
def test_by_price_and_value_no_feasible_set_pays_more(offered: list[Candidate], most_buyers: int) -> None:
    able = [each for each in ranked(offered) if not each.refusal]
    sets = [
        each for size in range(1, most_buyers + 1) for each in combinations(able, size)
        if all(one.max_share >= size for one in each) and len({one.buyer_id for one in each}) == size
        and (size == 1 or all(one.max_share > 1 for one in each))
    ]  # fmt: skip
    best = best_of(able, Rules(most_buyers=most_buyers))
    assert value_of(best) == max(map(value_of, sets), default=0)


@given(candidates, RULES, st.integers(0, 12))
def test_what_is_settled_is_changed_by_nobody_who_pays_less(offered: list[Candidate], rules: Rules, seen: int) -> None:
    able = [each for each in ranked(offered) if not each.refusal]
    head = able[:seen]
    together = max(value_of(best_of(able, Rules(contest="shared_only", most_buyers=most))) for most in range(1, 6))
    if head and is_settled(head, rules, head[-1].price_minor, together):
        assert best_of(able, rules) == best_of(head, rules)


@given(candidates, RULES, st.randoms())
def test_the_order_in_which_candidates_come_does_not_matter(
    offered: list[Candidate], rules: Rules, random: object
) -> None:
    shuffled = list(offered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(shuffled, rules) == choose(offered, rules)
