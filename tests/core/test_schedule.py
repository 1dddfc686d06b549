"""News is sent ten times in about 75 hours, later when the receiver asks for it, and never an eleventh time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.notifications.schedule import LONGEST_WAIT, PAUSES, is_delivered, pause_after, read_retry_after

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


def test_ten_tries_take_about_75_hours() -> None:
    pauses = [pause_after(tries, 500, None, 0.5) for tries in range(1, 11)]
    assert pauses[-1] is None and None not in pauses[:-1]
    waits = [pause for pause in pauses if pause is not None]
    assert timedelta(hours=75) < sum(PAUSES, timedelta()) < timedelta(hours=76)
    assert timedelta(hours=75) < sum(waits, timedelta()) < timedelta(hours=83)


@given(st.integers(1, 9), st.floats(0, 1), st.one_of(st.none(), st.integers(100, 599)))
def test_a_pause_is_what_the_schedule_says_and_up_to_a_tenth_more(
    tries: int, chance: float, status: int | None
) -> None:
    pause = pause_after(tries, status, None, chance)
    assert pause is not None and PAUSES[tries - 1] <= pause <= PAUSES[tries - 1] * 1.1001


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_lengthens_a_pause_but_not_beyond_a_day(status: int) -> None:
    assert pause_after(1, status, timedelta(hours=1), 0) == timedelta(hours=1)
    assert pause_after(1, status, timedelta(days=400), 0) == LONGEST_WAIT
    assert pause_after(4, status, timedelta(seconds=1), 0) == timedelta(hours=2)
    assert pause_after(10, status, timedelta(seconds=1), 0) is None
    assert pause_after(1, 500, timedelta(hours=1), 0) == timedelta(seconds=5)


def test_only_2xx_means_delivered() -> None:
    assert [status for status in range(100, 600) if is_delivered(status)] == list(range(200, 300))
    assert not is_delivered(None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("0", 0), ("99999999999", 86400), ("Sun, 22 Nov 2026 10:01:00 GMT", 60),
     ("Sun, 22 Nov 2026 09:00:00 GMT", 0), ("Sun, 22 Nov 2026 10:01:00", 60), ("soon", None), ("-1", None), ("", None),
     ("1.5", None), ("²", None), (None, None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: int | None) -> None:
    assert read_retry_after(text, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_passed_over(text: str) -> None:
    pause = read_retry_after(text, NOW)
    assert pause is None or pause >= timedelta(0)
