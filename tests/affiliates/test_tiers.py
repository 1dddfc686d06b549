"""Which tier a publisher has earned: a table of cases, and that nobody flaps whatever the figures are."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliates.terms.deciding import Figures, Rules, progress_of, rules_in, verdict_on
from affiliates.terms.fields import TIER_NAMES, faults_in_own, terms_with, tier_terms
from affiliates.terms.schedule import is_run_day, next_run_day

RULES = rules_in()  # 30 days and 200 sales; 1,000 below 5 %; 5,000 below 3 %; kept to 1 point beyond; 28 days
CASES = [
    ("new", Figures(29, 500, 300, 0), None, "new", "kept", "too young"),
    ("new", Figures(400, 199, 150, 0), None, "new", "kept", "one sale is lacking"),
    ("new", Figures(30, 200, 200, 0), None, "standard", "promoted", "both are there"),
    ("new", Figures(30, 200, 200, 150), None, "standard", "promoted", "what goes back does not keep anybody new"),
    ("new", Figures(400, 9000, 900, 0), None, "standard", "promoted", "one step at a time"),
    ("standard", Figures(400, 999, 900, 0), None, "standard", "kept", "one sale is lacking"),
    ("standard", Figures(400, 1000, 1000, 49), None, "trusted", "promoted", "below 5 %"),
    ("standard", Figures(400, 1000, 1000, 50), None, "standard", "kept", "5 % is not below 5 %"),
    ("standard", Figures(400, 1000, 99, 0), None, "standard", "kept", "99 judged sales show nothing"),
    ("standard", Figures(400, 1000, 100, 0), None, "trusted", "promoted", "100 do"),
    ("standard", Figures(400, 1000, 1000, 0), 27, "standard", "waits", "lowered 27 days ago"),
    ("standard", Figures(400, 1000, 1000, 0), 28, "trusted", "promoted", "lowered 28 days ago"),
    ("standard", Figures(1, 0, 1000, 900), None, "standard", "kept", "nobody becomes new again"),
    ("trusted", Figures(400, 1000, 1000, 50), None, "trusted", "kept", "within the margin"),
    ("trusted", Figures(400, 1000, 1000, 59), None, "trusted", "kept", "still within it"),
    ("trusted", Figures(400, 1000, 1000, 60), None, "standard", "demoted", "6 % is beyond it"),
    ("trusted", Figures(400, 1000, 99, 99), None, "trusted", "kept", "99 judged sales show nothing"),
    ("trusted", Figures(400, 10, 1000, 0), None, "trusted", "kept", "few sales lower nobody"),
    ("trusted", Figures(400, 4999, 1000, 0), None, "trusted", "kept", "one sale is lacking"),
    ("trusted", Figures(400, 5000, 1000, 29), None, "top", "promoted", "below 3 %"),
    ("trusted", Figures(400, 5000, 1000, 30), None, "trusted", "kept", "3 % is not below 3 %"),
    ("top", Figures(400, 9000, 1000, 39), None, "top", "kept", "within the margin"),
    ("top", Figures(400, 9000, 1000, 40), None, "trusted", "demoted", "4 % is beyond it"),
    ("top", Figures(400, 9000, 1000, 60), None, "standard", "demoted", "two steps down at once"),
]
A_COUNT = st.integers(0, 20_000)
SOME_RULES = st.builds(
    Rules, until_days=st.integers(0, 365), until_sales=A_COUNT, trusted_sales=A_COUNT,
    trusted_below_bp=st.integers(0, 10_000), top_sales=A_COUNT, top_below_bp=st.integers(0, 10_000),
    least_judged=st.integers(1, 2_000), judged_days=st.just(90), kept_beyond_bp=st.integers(0, 10_000),
    wait_days=st.integers(0, 365),
)  # fmt: skip


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    judged = draw(A_COUNT)
    return Figures(draw(st.integers(0, 2_000)), draw(A_COUNT), judged, draw(st.integers(0, judged)))


@pytest.mark.parametrize(
    ("tier", "seen", "lowered", "after", "code"), [case[:5] for case in CASES], ids=[f"{c[0]}: {c[5]}" for c in CASES]
)
def test_the_tier_that_figures_earn(tier: str, seen: Figures, lowered: int | None, after: str, code: str) -> None:
    verdict = verdict_on(tier, seen, RULES, lowered)
    assert (verdict.tier, verdict.code) == (after, code)


@given(st.sampled_from(TIER_NAMES), figures(), SOME_RULES, st.none() | st.integers(0, 400))
def test_a_pinned_tier_stays_whatever_the_figures_are(
    tier: str, seen: Figures, rules: Rules, lowered: int | None
) -> None:
    verdict = verdict_on(tier, seen, rules, lowered, is_pinned=True)
    assert (verdict.tier, verdict.code) == (tier, "pinned")


@given(st.sampled_from(TIER_NAMES), figures(), SOME_RULES)
def test_figures_that_stay_lead_up_or_down_and_never_both(tier: str, seen: Figures, rules: Rules) -> None:
    """Even if nobody had to wait, the same figures end at one tier within three reviews, and stay there."""
    way = [tier]
    for _ in range(4):
        way.append(verdict_on(way[-1], seen, rules).tier)
    ranks = [TIER_NAMES.index(one) for one in way]
    assert ranks in (sorted(ranks), sorted(ranks, reverse=True))
    assert ranks[-1] == ranks[-2]


@given(st.sampled_from(TIER_NAMES), figures(), SOME_RULES)
def test_a_review_raises_by_one_step_and_only_to_what_the_next_review_keeps(
    tier: str, seen: Figures, rules: Rules
) -> None:
    verdict = verdict_on(tier, seen, rules)
    if verdict.code == "promoted":
        assert TIER_NAMES.index(verdict.tier) == TIER_NAMES.index(tier) + 1
        assert verdict_on(verdict.tier, seen, rules).code != "demoted"


@given(st.sampled_from(TIER_NAMES), figures(), SOME_RULES, st.integers(0, 400))
def test_better_figures_never_lead_to_a_lower_tier(tier: str, seen: Figures, rules: Rules, lowered: int) -> None:
    """Older, more settled sales, less that went back: each of them only lifts."""
    rank = TIER_NAMES.index(verdict_on(tier, seen, rules, lowered).tier)
    better = [replace(seen, age_days=seen.age_days + 30), replace(seen, settled=seen.settled + 500),
              replace(seen, upheld=seen.upheld // 2)]  # fmt: skip
    assert all(TIER_NAMES.index(verdict_on(tier, one, rules, lowered).tier) >= rank for one in better)


@given(st.integers(100, 20_000), st.lists(st.integers(0, 99), min_size=2, max_size=30))
def test_a_share_that_swings_within_the_margin_moves_nobody(judged: int, swings: list[int]) -> None:
    """From 5 to below 6 percent: who is trusted stays it, who is standard does not become it."""
    for tier in ("standard", "trusted"):
        for swing in swings:
            upheld = -(-judged * (500 + swing) // 10_000)
            if upheld * 10_000 < judged * 600:
                assert verdict_on(tier, Figures(400, 1_000, judged, upheld), RULES).tier == tier


@given(st.sampled_from(TIER_NAMES), figures(), SOME_RULES, st.none() | st.integers(0, 400))
def test_progress_says_beforehand_whom_a_review_raises(
    tier: str, seen: Figures, rules: Rules, lowered: int | None
) -> None:
    ahead = progress_of(tier, seen, rules, lowered)
    verdict = verdict_on(tier, seen, rules, lowered)
    if ahead is None:
        assert tier == "top"
    elif verdict.code != "demoted":
        assert ahead.is_earned == (verdict.code == "promoted")


def test_a_newcomer_sees_what_is_lacking() -> None:
    ahead = progress_of("new", Figures(41, 117, 117, 2), RULES)
    assert ahead is not None and (ahead.tier, ahead.is_earned) == ("standard", False)
    assert [(one.code, one.has, one.needs, one.is_met) for one in ahead.conditions] == [
        ("age_days", 41, 30, True), ("settled_sales", 117, 200, False)]  # fmt: skip


def test_what_is_said_for_an_account_stands_above_its_tier_field_by_field() -> None:
    granted = tier_terms("new", {"tier.new.reserve_days": 60})
    holds = terms_with(granted, {"share_bp": 7800})
    assert (holds.share_bp, holds.reserve_days, holds.reserve_bp) == (7800, 60, 2000)


@pytest.mark.parametrize(
    ("own", "code"),
    [({"min_margin_minor": 0}, "unknown_field"), ({"colour": 1}, "unknown_field"), ({"share_bp": 10_001}, "out_of_range"),
     ({"share_bp": -1}, "out_of_range"), ({"on_request": 1}, "wrong_type"), ({"share_bp": True}, "wrong_type"),
     ({"payouts_a_month": 3}, "not_allowed_value"), ({"threshold_minor": 0}, "out_of_range")],
)  # fmt: skip
def test_what_cannot_be_said_for_an_account_is_named(own: dict[str, int], code: str) -> None:
    assert [(fault.field, fault.code) for fault in faults_in_own(own)] == [(next(iter(own)), code)]


@pytest.mark.parametrize(
    ("payouts", "after", "day"),
    [(1, date(2026, 11, 30), date(2026, 12, 1)), (1, date(2026, 12, 1), date(2027, 1, 1)),
     (2, date(2026, 12, 1), date(2026, 12, 16)), (2, date(2026, 12, 16), date(2027, 1, 1)),
     (4, date(2026, 11, 29), date(2026, 11, 30)), (4, date(2026, 11, 30), date(2026, 12, 7))],
)  # fmt: skip
def test_payouts_run_on_the_days_of_their_schedule(payouts: int, after: date, day: date) -> None:
    assert next_run_day(payouts, after) == day
    assert is_run_day(payouts, day)
