"""Periods and schedules in the order's own zone, over every change of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.orders.periods import (
    Schedule,
    Window,
    is_open,
    is_zone,
    minute_of,
    next_opening,
    next_starts,
    period_starts,
    show_minute,
)

ZONES = ["UTC", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York", "Africa/Cairo",
         "Asia/Beirut", "America/Havana", "America/Nuuk", "Asia/Kathmandu", "Pacific/Kiritimati"]  # fmt: skip

zones = st.sampled_from(ZONES)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))
# Half of the instants lie within two hours of a change of some clock.
CHANGES = [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1), datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30),
           datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6), datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21),
           datetime(2026, 3, 8, 5), datetime(2026, 11, 1, 5), datetime(2026, 3, 28, 22)]  # fmt: skip
near = st.builds(
    lambda change, seconds: change.replace(tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-7200, 7200),
)
moments = instants | near


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def seconds(*parts: int) -> int:
    return int(utc(*parts).timestamp())


def test_the_periods_of_an_ordinary_moment() -> None:
    starts = period_starts("Europe/Paris", utc(2026, 11, 22, 22, 30))  # Sunday 23:30 in Paris
    assert starts == (seconds(2026, 11, 22, 22), seconds(2026, 11, 21, 23), seconds(2026, 11, 15, 23),
                      seconds(2026, 10, 31, 23))  # fmt: skip
    assert next_starts("Europe/Paris", utc(2026, 11, 22, 22, 30)) == (
        seconds(2026, 11, 22, 23), seconds(2026, 11, 22, 23), seconds(2026, 11, 22, 23), seconds(2026, 11, 30, 23),
    )  # fmt: skip


def test_the_day_of_the_spring_change_in_paris_has_23_hours() -> None:
    noon = utc(2026, 3, 29, 10)
    assert next_starts("Europe/Paris", noon)[1] - period_starts("Europe/Paris", noon)[1] == 23 * 3600


def test_the_repeated_hour_in_paris_is_two_hours_of_a_day_of_25() -> None:
    first, second = utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)  # both 02:30
    assert period_starts("Europe/Paris", first)[0] == seconds(2026, 10, 25, 0)
    assert period_starts("Europe/Paris", second)[0] == seconds(2026, 10, 25, 1)
    assert next_starts("Europe/Paris", first)[1] - period_starts("Europe/Paris", first)[1] == 25 * 3600


def test_new_york_springs_forward_from_two_to_three() -> None:
    assert next_starts("America/New_York", utc(2026, 3, 8, 6, 59))[0] == seconds(2026, 3, 8, 7)
    assert period_starts("America/New_York", utc(2026, 3, 8, 7, 1))[1] == seconds(2026, 3, 8, 5)


def test_hours_in_kolkata_start_on_the_half_hour_of_utc() -> None:
    assert period_starts("Asia/Kolkata", utc(2026, 5, 1, 12, 29))[0] == seconds(2026, 5, 1, 11, 30)


def test_lord_howe_changes_by_half_an_hour_and_no_hour_overlaps_another() -> None:
    before, after = utc(2026, 4, 4, 14, 59), utc(2026, 4, 4, 15, 1)  # 01:59 and, turned back, 01:31
    assert period_starts("Australia/Lord_Howe", before)[0] == seconds(2026, 4, 4, 14)
    assert next_starts("Australia/Lord_Howe", before)[0] == seconds(2026, 4, 4, 15)
    assert period_starts("Australia/Lord_Howe", after)[0] == seconds(2026, 4, 4, 15)
    assert next_starts("Australia/Lord_Howe", after)[0] == seconds(2026, 4, 4, 15, 30)


def test_a_day_without_midnight_starts_at_the_change() -> None:
    at = utc(2026, 4, 24, 10)  # in Cairo 00:00 became 01:00
    assert period_starts("Africa/Cairo", at)[1] == seconds(2026, 4, 23, 22)


@given(zones, moments)
def test_every_period_holds_its_moment_and_ends_where_the_next_begins(zone: str, at: datetime) -> None:
    starts, nexts = period_starts(zone, at), next_starts(zone, at)
    for place, (start, following) in enumerate(zip(starts, nexts, strict=True)):
        assert start <= at.timestamp() < following
        assert period_starts(zone, datetime.fromtimestamp(start, UTC))[place] == start
        assert period_starts(zone, datetime.fromtimestamp(following - 1, UTC))[place] == start
        assert period_starts(zone, datetime.fromtimestamp(following, UTC))[place] == following


@given(zones, moments, st.integers(0, 40 * 86400))
def test_starts_never_go_back_and_change_with_the_local_date(zone: str, at: datetime, ahead: int) -> None:
    later = datetime.fromtimestamp(at.timestamp() + ahead, UTC)
    first, second = period_starts(zone, at), period_starts(zone, later)
    assert all(one <= two for one, two in zip(first, second, strict=True))
    own, other = (each.astimezone(ZoneInfo(zone)).date() for each in (at, later))
    assert (first[1] == second[1]) is (own == other)
    assert (first[2] == second[2]) is (own.isocalendar()[:2] == other.isocalendar()[:2])
    assert (first[3] == second[3]) is ((own.year, own.month) == (other.year, other.month))


def test_times_are_read_and_written() -> None:
    assert [minute_of(text) for text in ("00:00", "09:30", "24:00")] == [0, 570, 1440]
    assert show_minute(570) == "09:30"
    for text in ("9:30", "24:01", "25:00", "12:60", "noon", ""):
        with pytest.raises(ValueError):
            minute_of(text)


def test_a_zone_is_a_name_of_the_iana_database() -> None:
    assert is_zone("Europe/Paris") and is_zone("UTC")
    assert not any(is_zone(name) for name in ("Europe/Pari", "", "../etc/passwd", "+02:00"))


OFFICE = Schedule("Europe/Paris", (Window((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))
NIGHT = Schedule("Europe/Paris", (Window((6,), 22 * 60, 2 * 60),))  # from Sunday evening


def test_office_hours_open_at_nine_and_close_at_six() -> None:
    assert not is_open(OFFICE, utc(2026, 11, 23, 7, 59, 59))
    assert is_open(OFFICE, utc(2026, 11, 23, 8))
    assert not is_open(OFFICE, utc(2026, 11, 23, 17))
    assert next_opening(OFFICE, utc(2026, 11, 20, 17)) == utc(2026, 11, 23, 8)


def test_a_window_over_midnight_belongs_to_the_day_it_starts() -> None:
    assert is_open(NIGHT, utc(2026, 11, 23, 0, 59))  # Monday 01:59
    assert not is_open(NIGHT, utc(2026, 11, 22, 0, 59))  # Sunday 01:59
    assert not is_open(NIGHT, utc(2026, 11, 23, 1))


def test_without_schedule_or_windows_an_order_is_always_open() -> None:
    at = utc(2026, 11, 22, 3)
    for schedule in (None, Schedule("Asia/Kolkata")):
        assert is_open(schedule, at) and next_opening(schedule, at) == at


def test_the_repeated_hour_is_open_twice() -> None:
    schedule = Schedule("Europe/Paris", (Window((6,), 150, 165),))  # Sunday 02:30 to 02:45
    assert is_open(schedule, utc(2026, 10, 25, 0, 30)) and is_open(schedule, utc(2026, 10, 25, 1, 30))
    assert next_opening(schedule, utc(2026, 10, 25, 0, 45)) == utc(2026, 10, 25, 1, 30)


windows = st.builds(
    lambda days, start, length: Window(tuple(sorted(days)), start, start + length if start + length <= 1440 else
                                       (start + length) % 1440),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)  # fmt: skip
schedules = st.builds(Schedule, zones, st.lists(windows, min_size=1, max_size=3).map(tuple))


def naive_open(schedule: Schedule, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(schedule.timezone))
    minute = local.hour * 60 + local.minute
    for window in schedule.windows:
        over = window.to_minute < window.from_minute
        today, yesterday = local.weekday() in window.days, (local.weekday() - 1) % 7 in window.days
        if today and window.from_minute <= minute and (over or minute < window.to_minute):
            return True
        if over and yesterday and minute < window.to_minute:
            return True
    return False


@given(schedules, moments)
def test_open_agrees_with_the_wall_clock(schedule: Schedule, at: datetime) -> None:
    assert is_open(schedule, at) is naive_open(schedule, at)


@settings(max_examples=60, deadline=None)
@given(schedules, moments)
def test_the_next_opening_is_the_first_open_minute(schedule: Schedule, at: datetime) -> None:
    found = at
    if not naive_open(schedule, at):
        found = at.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while not naive_open(schedule, found):
            found += timedelta(minutes=1)
    assert next_opening(schedule, at) == found


def test_weeks_start_on_monday() -> None:
    start = datetime.fromtimestamp(period_starts("UTC", utc(2027, 1, 1))[2], UTC)
    assert start.date() == date(2026, 12, 28)
