"""The clock of the first contact counts open hours in the order's zone, over every change of the clock."""

from datetime import UTC, datetime, timedelta
from typing import get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.leads.contact_speed import (
    SLA_KEYS,
    contact_state,
    due_instant,
    leaves_leads_alone,
    left_alone_instant,
)
from marketplace.leads.submission import Submission
from marketplace.orders.periods import Schedule, Window, after_open_seconds, is_open

PARIS_OFFICE = Schedule("Europe/Paris", (Window((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))
PARIS_NIGHT = Schedule("Europe/Paris", (Window((6,), 0, 6 * 60),))  # Sundays from midnight to six


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_every_interest_has_its_time() -> None:
    assert set(SLA_KEYS) == set(get_args(get_type_hints(Submission)["interest"]))


@pytest.mark.parametrize(
    ("interest", "minutes"),
    [("order", 2), ("request", 5), ("callback", 5), ("question", 30), ("estimate", 30), ("download", 120),
     ("subscription", 24 * 60)],
)  # fmt: skip
def test_without_a_schedule_the_clock_runs_day_and_night(interest: str, minutes: int) -> None:
    for schedule in (None, Schedule("Europe/Paris")):
        assert due_instant(interest, schedule, utc(2026, 11, 22, 3)) == utc(2026, 11, 22, 3) + timedelta(
            minutes=minutes
        )


def test_a_lead_of_the_weekend_is_due_on_monday_morning() -> None:
    assert due_instant("request", PARIS_OFFICE, utc(2026, 11, 22, 10)) == utc(2026, 11, 23, 8, 5)
    assert left_alone_instant(PARIS_OFFICE, utc(2026, 11, 22, 10)) == utc(2026, 11, 23, 12)


def test_what_is_left_when_the_office_closes_goes_on_when_it_opens() -> None:
    delivered = utc(2026, 11, 20, 16, 58, 30)  # Friday 17:58:30 in Paris
    assert due_instant("request", PARIS_OFFICE, delivered) == utc(2026, 11, 23, 8, 3, 30)
    assert due_instant("subscription", PARIS_OFFICE, utc(2026, 11, 23, 8)) == utc(2026, 11, 25, 14)


def test_the_moment_of_closing_is_still_in_time() -> None:
    assert due_instant("request", PARIS_OFFICE, utc(2026, 11, 23, 16, 55)) == utc(2026, 11, 23, 17)


def test_the_skipped_hour_of_spring_does_not_count() -> None:
    # Open from 00:00 to 06:00 of a day that jumps from 02:00 to 03:00: five hours.
    assert left_alone_instant(PARIS_NIGHT, utc(2026, 3, 28, 23)) == utc(2026, 3, 29, 3)
    assert after_open_seconds(PARIS_NIGHT, utc(2026, 3, 28, 23), 5 * 3600) == utc(2026, 3, 29, 4)
    assert after_open_seconds(PARIS_NIGHT, utc(2026, 3, 28, 23), 5 * 3600 + 1) == utc(2026, 4, 4, 22, 0, 1)


def test_both_hours_of_autumn_count() -> None:
    assert after_open_seconds(PARIS_NIGHT, utc(2026, 10, 24, 22), 7 * 3600) == utc(2026, 10, 25, 5)
    assert after_open_seconds(PARIS_NIGHT, utc(2026, 10, 24, 22), 7 * 3600 + 1) == utc(2026, 10, 31, 23, 0, 1)


def test_an_order_that_hardly_opens_is_due_in_thirty_days_at_the_latest() -> None:
    rare = Schedule("Europe/Paris", (Window((2,), 600, 601),))
    assert due_instant("download", rare, utc(2026, 11, 22, 10)) == utc(2026, 12, 22, 10)


CHANGES = [utc(2026, 3, 29, 1), utc(2026, 10, 25, 1), utc(2026, 4, 4, 15), utc(2026, 10, 3, 15, 30),
           utc(2026, 3, 8, 7), utc(2026, 11, 1, 6), utc(2026, 11, 22, 23)]  # fmt: skip
ZONES = ["UTC", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu"]
windows = st.builds(
    lambda days, start, length: Window(tuple(sorted(days)), start, (start + length) % 1440),
    st.sets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(1, 1439),
)  # fmt: skip
schedules = st.builds(Schedule, st.sampled_from(ZONES), st.lists(windows, min_size=1, max_size=3).map(tuple))
near = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(CHANGES), st.integers(-36 * 3600, 7200),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(schedules, near, st.integers(1, 5 * 3600))
def test_the_due_instant_agrees_with_counting_minute_by_minute(schedule: Schedule, at: datetime, seconds: int) -> None:
    last, now, left = at + timedelta(days=2), at, seconds
    while now < last:
        step = 60 - now.second
        if is_open(schedule, now):
            if left <= step:
                assert after_open_seconds(schedule, at, seconds, 2) == now + timedelta(seconds=left)
                return
            left -= step
        now += timedelta(seconds=step)
    assert after_open_seconds(schedule, at, seconds, 2) >= last


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)))
def test_microseconds_are_kept(at: datetime) -> None:
    always = Schedule("Europe/Paris", (Window(tuple(range(7)), 0, 1440),))
    assert after_open_seconds(always, at, 120) == at + timedelta(seconds=120)


def test_a_sale_waits_until_it_is_due_and_an_attempt_decides_once() -> None:
    due, moment = utc(2026, 11, 22, 10, 5), timedelta(microseconds=1)
    assert contact_state(due, None, due) == "waiting"
    assert contact_state(due, None, due + moment) == "late"
    assert contact_state(due, due, due + timedelta(days=1)) == "in_time"
    assert contact_state(due, due + moment, due + timedelta(days=1)) == "too_late"


@pytest.mark.parametrize(
    ("untouched", "sales", "alone"), [(9, 9, False), (3, 10, False), (4, 10, True), (30, 100, False), (31, 100, True)]
)
def test_more_than_three_of_ten_left_alone_are_too_many(untouched: int, sales: int, alone: bool) -> None:
    assert leaves_leads_alone(untouched, sales) is alone
