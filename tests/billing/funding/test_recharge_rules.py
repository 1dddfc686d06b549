"""Deciding whether a wallet tops itself up: each reason by itself, and what holds whatever the figures."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.funding.recharge.deciding import (
    LEAST_MINOR,
    Pace,
    Standing,
    Terms,
    after_decline,
    decide,
    threshold_of,
    withheld,
)
from billing.funding.recharge.terms import Limits, Typed, Wish, read_terms

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
TERMS = Terms(True, 10_000, None, 30_000, 90_000)
FIXED = replace(TERMS, target_minor=None, amount_minor=20_000)
PACE = Pace(5_000, 1, 3)
LOW = Standing(4_000)


@pytest.mark.parametrize(("terms", "standing", "code", "minor"), [
    (TERMS, LOW, "charge", 26_000),
    (FIXED, LOW, "charge", 20_000),
    (TERMS, Standing(9_999), "charge", 20_001),
    (TERMS, Standing(10_000), "enough", 0),
    (replace(TERMS, is_on=False), LOW, "off", 0),
    (replace(TERMS, threshold_minor=None, target_minor=None), LOW, "charge", 11_000),  # 5,000 a day: below 5,000 to 15,000
    (replace(TERMS, threshold_minor=None, target_minor=None), Standing(5_000), "enough", 0),
    (TERMS, replace(LOW, is_in_flight=True), "in_flight", 0),
    (TERMS, replace(LOW, is_suspended=True), "suspended", 0),
    (TERMS, replace(LOW, has_chargeback=True), "charged_back", 0),
    (TERMS, replace(LOW, paused_why="declined"), "paused", 0),
    (TERMS, replace(LOW, paused_why="authentication"), "paused", 0),
    (TERMS, replace(LOW, tries_left=0), "too_many_tries", 0),
    (TERMS, replace(LOW, due_minor=5_000), "charge", 31_000),  # what is due is paid first, so it is charged too
    (FIXED, replace(LOW, due_minor=5_000), "charge", 20_000),
    (TERMS, replace(LOW, charges_today=1), "charge", 26_000),
    (TERMS, replace(LOW, due_minor=1, charges_today=1), "owes", 0),
    (TERMS, replace(LOW, due_minor=80_000, charged_today_minor=10_000), "charge", 80_000),  # within the day's limit
    (TERMS, replace(LOW, has_card=False), "no_card", 0),
    (TERMS, replace(LOW, is_card_expired=True), "card_expired", 0),
    (TERMS, replace(LOW, not_before=AT + timedelta(seconds=1)), "waiting", 0),
    (TERMS, replace(LOW, not_before=AT), "charge", 26_000),
    (TERMS, replace(LOW, charged_today_minor=64_000), "charge", 26_000),
    (TERMS, replace(LOW, charged_today_minor=64_001), "charge", 25_999),
    (TERMS, replace(LOW, charged_today_minor=90_000 - LEAST_MINOR + 1), "daily_limit", 0),
    (FIXED, replace(LOW, charged_today_minor=70_000), "charge", 20_000),
    (FIXED, replace(LOW, charged_today_minor=70_001), "daily_limit", 0),
    (TERMS, replace(LOW, newcomer_left_minor=10_000), "charge", 10_000),
    (FIXED, replace(LOW, newcomer_left_minor=19_999), "new_card_limit", 0),
    (TERMS, replace(LOW, newcomer_left_minor=0), "new_card_limit", 0),
    (TERMS, replace(LOW, most_minor=12_000), "charge", 12_000),
    (replace(TERMS, threshold_minor=None, target_minor=3_000), LOW, "enough", 0),  # the pace's 5,000 is above the target
    (replace(TERMS, threshold_minor=None, target_minor=3_000), Standing(2_900), "enough", 0),
    (replace(TERMS, threshold_minor=None, target_minor=3_000), Standing(2_899), "charge", 101),
    (replace(TERMS, threshold_minor=5_000, target_minor=4_000), Standing(3_950), "enough", 0),
])  # fmt: skip
def test_it_is_decided_so(terms: Terms, standing: Standing, code: str, minor: int) -> None:
    decision = decide(terms, PACE, standing, AT)

    assert (decision.code, decision.minor) == (code, minor)


ORDERED = replace(LOW, is_in_flight=True, charged_today_minor=26_000, charges_today=1, tries_left=0)


@pytest.mark.parametrize(("terms", "standing", "code"), [
    (TERMS, ORDERED, None),
    (TERMS, replace(ORDERED, charged_today_minor=0, charges_today=0), None),  # ordered before midnight
    (TERMS, replace(ORDERED, due_minor=5_000), None),
    (replace(TERMS, is_on=False), ORDERED, "off"),
    (TERMS, replace(ORDERED, is_suspended=True), "suspended"),
    (TERMS, replace(ORDERED, has_chargeback=True), "charged_back"),
    (TERMS, replace(ORDERED, paused_why="declined"), "paused"),
    (TERMS, replace(ORDERED, has_card=False), "no_card"),
    (TERMS, replace(ORDERED, is_card_expired=True), "card_expired"),
    (TERMS, replace(ORDERED, not_before=AT + timedelta(seconds=1)), "waiting"),
    (TERMS, replace(ORDERED, tries_left=-1), "too_many_tries"),
    (TERMS, replace(ORDERED, due_minor=1, charges_today=2), "owes"),
    (TERMS, replace(ORDERED, spendable_minor=10_000), "enough"),
    (TERMS, replace(ORDERED, charged_today_minor=90_000), None),
    (TERMS, replace(ORDERED, charged_today_minor=90_001), "daily_limit"),
    (TERMS, replace(ORDERED, newcomer_left_minor=0), None),
    (TERMS, replace(ORDERED, newcomer_left_minor=-1), "new_card_limit"),
])  # fmt: skip
def test_what_was_ordered_is_sent_only_while_it_is_wanted(terms: Terms, standing: Standing, code: str | None) -> None:
    assert withheld(terms, PACE, standing, AT) == code


def test_without_a_threshold_and_without_spending_nothing_is_charged() -> None:
    assert decide(replace(TERMS, threshold_minor=None), Pace(0, 1, 3), Standing(0), AT).code == "no_pace"


AMOUNTS = st.integers(1, 200_000)


@given(AMOUNTS, st.none() | AMOUNTS, st.none() | AMOUNTS, AMOUNTS, st.integers(0, 300_000), st.integers(0, 300_000),
       st.none() | st.integers(-1_000, 300_000))  # fmt: skip
def test_whatever_the_figures_no_limit_is_passed_and_nothing_is_charged_above_the_threshold(
    threshold: int, amount: int | None, above: int | None, daily: int, left: int, today: int, newcomer: int | None
) -> None:
    target = threshold + LEAST_MINOR + above if above is not None and amount is None else None
    terms = Terms(True, threshold, amount, target, daily)
    standing = Standing(left, today, most_minor=150_000, newcomer_left_minor=newcomer)
    decision = decide(terms, PACE, standing, AT)

    if decision.code == "charge" and (amount is None or amount >= LEAST_MINOR):
        assert left < threshold_of(terms, PACE)
        assert LEAST_MINOR <= decision.minor <= daily - today and decision.minor <= 150_000
        assert newcomer is None or decision.minor <= newcomer
        assert amount is None or decision.minor == min(amount, 150_000)
    if left >= threshold:
        assert decision.code == "enough"


@given(st.none() | AMOUNTS, st.none() | AMOUNTS, st.none() | AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 300_000),
       st.integers(0, 300_000), st.none() | st.integers(-1_000, 300_000))  # fmt: skip
def test_whatever_is_charged_stays_within_every_limit_and_the_target_whatever_the_pace(
    threshold: int | None, amount: int | None, target: int | None, daily: int, spent: int, left: int, today: int,
    newcomer: int | None,
) -> None:  # fmt: skip
    terms = Terms(True, threshold, None if target else amount, target, daily)
    standing = Standing(left, today, most_minor=150_000, newcomer_left_minor=newcomer)
    minor = decide(terms, Pace(spent, 1, 3), standing, AT).minor

    assert minor == 0 or LEAST_MINOR <= minor <= 150_000
    assert minor == 0 or today + minor <= daily
    assert minor == 0 or target is None or left + minor <= target
    assert minor == 0 or newcomer is None or minor <= newcomer


def test_a_card_is_left_alone_longer_after_each_decline_and_then_until_somebody_says_so() -> None:
    waits = [after_decline(times, AT) for times in (1, 2, 3, 4, 9)]

    assert waits == [AT + timedelta(hours=1), AT + timedelta(hours=6), AT + timedelta(hours=24), None, None]


def eur(amount: str) -> Typed:
    return Typed(amount, "EUR")


GOOD = Wish(True, eur("100.00"), None, eur("300.00"), eur("900.00"))
LIMITS = Limits(5_000_000)


@pytest.mark.parametrize(("changes", "limits", "faults"), [
    ({}, LIMITS, []),
    ({"threshold": None, "target": None}, LIMITS, []),
    ({"threshold": eur("0")}, LIMITS, [("threshold.amount", "amount_out_of_range")]),
    ({"threshold": eur("-5.00")}, LIMITS, [("threshold.amount", "amount_out_of_range")]),
    ({"threshold": eur("1.001")}, LIMITS, [("threshold.amount", "too_many_decimals")]),
    ({"threshold": Typed("100", "USD")}, LIMITS, [("threshold.currency", "other_currency")]),
    ({"target": eur("100.00")}, LIMITS, [("target.amount", "target_not_above")]),
    ({"target": eur("100.99")}, LIMITS, [("target.amount", "target_not_above")]),
    ({"amount": eur("200.00")}, LIMITS, [("target", "one_of_two")]),
    ({"amount": eur("900.01"), "target": None}, LIMITS, [("daily_limit.amount", "below_amount")]),
    ({"amount": eur("0.99"), "target": None}, LIMITS, [("amount.amount", "amount_out_of_range")]),
    ({"daily_limit": None}, LIMITS, [("daily_limit", "required")]),
    ({"daily_limit": eur("50000.01")}, LIMITS, [("daily_limit.amount", "amount_out_of_range")]),
    ({"daily_limit": eur("1000.01")}, Limits(5_000_000, 100_000), [("daily_limit.amount", "new_card_limit")]),
    ({"amount": eur("1000.01"), "target": None}, Limits(5_000_000, 100_000),
     [("amount.amount", "new_card_limit"), ("daily_limit.amount", "below_amount")]),
    ({"threshold": eur("0"), "target": eur("x"), "daily_limit": Typed("1", "USD")}, LIMITS,
     [("threshold.amount", "amount_out_of_range"), ("target.amount", "too_many_decimals"),
      ("daily_limit.currency", "other_currency")]),
])  # fmt: skip
def test_every_fault_of_a_wish_is_told_at_its_field(changes: dict, limits: Limits, faults: list) -> None:  # type: ignore[type-arg]
    terms, found = read_terms(replace(GOOD, **changes), "EUR", limits)

    assert [(fault.field, fault.code) for fault in found] == faults
    assert (terms is None) == bool(faults)
