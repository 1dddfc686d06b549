"""When and how much publishers are paid: schedules, thresholds, first payouts; without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliates import SCHEDULES, is_run_day, next_run_day
from affiliates.payouts.calendar import arrives_on, last_run_day
from affiliates.payouts.deciding import SENTENCES, Decision, Facts, PayoutRules, decide

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
RULES = PayoutRules(1, 5_000, 10_000, 90, 100_000, on_request=False)


def facts(payable: int = 20_000, **more) -> Facts:
    given_of = {
        "owed_minor": 0,
        "rail": "connect",
        "obstacle": None,
        "is_first": False,
        "since": AT - timedelta(days=3),
    }
    return Facts(payable, **(given_of | more))


@pytest.mark.parametrize(
    ("schedule", "today", "last", "following"),
    [
        (1, date(2026, 11, 30), date(2026, 11, 1), date(2026, 12, 1)),
        (1, date(2026, 12, 1), date(2026, 12, 1), date(2027, 1, 1)),
        (2, date(2026, 12, 15), date(2026, 12, 1), date(2026, 12, 16)),
        (2, date(2026, 12, 31), date(2026, 12, 16), date(2027, 1, 1)),
        (4, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 23)),
    ],
)
def test_the_days_of_a_schedule(schedule, today: date, last: date, following: date) -> None:
    assert (last_run_day(schedule, today), next_run_day(schedule, today)) == (last, following)


@given(st.sampled_from(sorted(SCHEDULES)), DAYS)
def test_between_two_days_of_a_schedule_there_is_no_other(schedule, today: date) -> None:
    last, following = last_run_day(schedule, today), next_run_day(schedule, today)

    assert last <= today < following and is_run_day(schedule, last) and is_run_day(schedule, following)
    assert not any(is_run_day(schedule, last + timedelta(days=n)) for n in range(1, (following - last).days))


def test_a_weekend_is_no_day_on_which_money_arrives() -> None:
    assert arrives_on("sepa", date(2026, 11, 27)) == date(2026, 11, 30)
    assert arrives_on("connect", date(2026, 11, 26)) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (facts(0), "nothing_payable"),
        (facts(0, owed_minor=300), "owed"),
        (facts(9_000, owed_minor=9_000), "owed"),
        (facts(9_000, owed_minor=4_001), "below_threshold"),
        (facts(rail=None), "no_rail"),
        (facts(obstacle="onboarding_unfinished"), "onboarding_unfinished"),
        (facts(4_999), "below_threshold"),
        (facts(9_999, rail="paypal"), "below_threshold"),
        (facts(99, since=AT - timedelta(days=900)), "below_threshold"),
        (facts(100, since=AT - timedelta(days=89)), "below_threshold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_why_nothing_is_paid(known: Facts, reason: str) -> None:
    decision = decide(known, RULES, AT)

    assert (decision.pays, decision.reason) == (False, reason) and reason in SENTENCES


@pytest.mark.parametrize(
    ("known", "decision"),
    [
        (facts(5_000), Decision(True, 5_000)),
        (facts(10_000, rail="wise"), Decision(True, 10_000)),
        (facts(100, since=AT - timedelta(days=90)), Decision(True, 100)),
        (facts(50_000, is_first=True), Decision(True, 50_000, needs_review=True)),
        (facts(150_000, is_first=True), Decision(True, 100_000, "first_payout_capped", needs_review=True)),
        (facts(owed_minor=5_000), Decision(True, 15_000, "owed_netted")),
        (facts(is_shared_place=True), Decision(True, 20_000, "shared_place", needs_review=True)),
        (facts(came_back=True, is_shared_place=True), Decision(True, 20_000, "came_back", needs_review=True)),
        (facts(is_new_place=True), Decision(True, 20_000, "new_place", needs_review=True)),
    ],
)
def test_how_much_is_paid_and_who_looks_at_it(known: Facts, decision: Decision) -> None:
    assert decide(known, RULES, AT) == decision


def test_whoever_is_paused_is_looked_at() -> None:
    paused = replace(RULES, is_paused=True)
    assert decide(facts(is_first=True), paused, AT) == Decision(True, 20_000, "standing_paused", needs_review=True)
    assert decide(facts(0), paused, AT).reason == "nothing_payable"


@given(
    st.integers(-10, 200_000), st.integers(0, 500), st.sampled_from([None, "connect", "sepa", "wise"]), st.booleans(),
    st.booleans(), st.integers(0, 400),
)  # fmt: skip
def test_never_more_than_is_payable_and_never_without_a_reason(payable, owed, rail, is_first, is_new, days) -> None:
    known = Facts(payable, owed, rail, None, is_first, AT - timedelta(days=days), is_new)

    decision = decide(known, RULES, AT)

    assert decision.minor <= max(payable - owed, 0) and (decision.pays or decision.reason in SENTENCES)
    assert not decision.pays or decision.minor >= 100
    less = ("first_payout_capped", "new_place", "owed_netted")
    assert not (decision.pays and decision.minor < payable) or decision.reason in less
