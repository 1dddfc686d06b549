"""The breaker: opens by a share of enough attempts in its window, rests longer each time, and one probe decides."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.leads.delivery.breaker import LIMITS, Health, Outcome, after, roused, sums

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def attempted(outcomes: str, every: timedelta = timedelta(0)) -> Health:
    """Attempt one after the other: F failed, a answered, n not sent."""
    health, words = Health(), {"F": "failed", "a": "answered", "n": "not_sent"}
    for number, letter in enumerate(outcomes):
        outcome: Outcome = words[letter]  # type: ignore[assignment]
        health = after(health, outcome, is_probe=False, at=START + number * every)
    return health


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [("F" * 19, "closed"), ("F" * 20, "open"), ("a" * 10 + "F" * 10, "open"), ("a" * 11 + "F" * 10, "closed"),
     ("F" * 19 + "n" * 30, "closed"), ("F" * 15 + "a" * 5, "open")],
)  # fmt: skip
def test_it_opens_when_half_of_twenty_attempts_fail(outcomes: str, state: str) -> None:
    assert attempted(outcomes).state == state


def test_what_has_left_the_window_does_not_count() -> None:
    assert attempted("F" * 40, every=timedelta(seconds=33)).state == "closed"
    assert attempted("F" * 40, every=timedelta(seconds=29)).state == "open"


def test_it_rests_5_then_15_then_60_minutes_and_an_answer_ends_it() -> None:
    health, at = attempted("F" * 20), START
    for minutes in (5, 15, 60, 60):
        assert health.probe_at == at + timedelta(minutes=minutes)
        assert roused(health, at + timedelta(minutes=minutes, seconds=-1)).state == "open"
        at += timedelta(minutes=minutes)
        health = roused(health, at)
        assert health.state == "half_open"
        health = after(health._replace(state="probing"), "failed", is_probe=True, at=at)
    assert after(health._replace(state="probing"), "answered", is_probe=True, at=at) == Health()


def test_while_it_rests_only_the_probe_counts() -> None:
    probing = attempted("F" * 20)._replace(state="probing")
    assert after(probing, "answered", is_probe=False, at=START) == probing
    assert after(probing, "failed", is_probe=False, at=START) == probing
    assert after(probing, "not_sent", is_probe=True, at=START).state == "half_open"  # another lead tries it
    resting = attempted("F" * 20)
    assert after(resting, "answered", is_probe=False, at=START) == resting


@given(st.lists(st.tuples(st.sampled_from(["failed", "answered", "not_sent"]), st.integers(0, 1800)), max_size=200))
def test_it_opens_no_earlier_and_no_later_than_the_window_says(attempts: list[tuple[Outcome, int]]) -> None:
    health, minutes = Health(), []
    for outcome, second in sorted(attempts, key=lambda one: one[1]):
        at = START + timedelta(seconds=second)
        if outcome != "not_sent":
            minutes.append((second // 60, outcome == "failed"))
        health = after(health, outcome, is_probe=False, at=at)
        inside = [failed for minute, failed in minutes if minute > minutes[-1][0] - LIMITS.window_minutes]
        if health.state == "open":
            assert len(inside) >= 20
            assert sum(inside) * 2 >= len(inside)
            break
        assert sums(health.recent) == (len(inside), sum(inside))
        assert len(inside) < 20 or sum(inside) * 2 < len(inside)
