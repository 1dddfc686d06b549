"""Business time runs as it is anchored; an instant is written in UTC and read only with its offset."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import REAL_TIME, BusinessClock, as_rfc3339, from_rfc3339

instants = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


def test_without_an_anchor_business_time_is_real_time() -> None:
    assert abs(REAL_TIME.now() - datetime.now(UTC)) < timedelta(minutes=1)


@given(instants, st.floats(0.001, 100_000), st.integers(0, 10**6))
def test_business_time_is_its_anchor_and_what_passed_since_at_its_rate(at: datetime, rate: float, seconds: int) -> None:
    real_at = datetime(2026, 11, 22, tzinfo=UTC)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "time", lambda: real_at.timestamp() + seconds)
        try:
            now = BusinessClock(real_at, at, rate).now()
        except OverflowError:  # beyond the year 9999
            return
    assert abs((now - at).total_seconds() - seconds * rate) < 1e-3 and now.utcoffset() == timedelta(0)


@given(instants)
def test_an_instant_reads_back(at: datetime) -> None:
    assert as_rfc3339(at).endswith("Z") and from_rfc3339(as_rfc3339(at)) == at


def test_other_zones_become_utc_and_none_is_refused() -> None:
    paris = datetime(2026, 11, 22, 11, tzinfo=timezone(timedelta(hours=1)))
    assert as_rfc3339(paris) == "2026-11-22T10:00:00Z"
    assert from_rfc3339("2026-11-22T11:00:00+01:00") == paris
    for text in ("2026-11-22T11:00:00", "tomorrow", ""):
        with pytest.raises(ValueError):
            from_rfc3339(text)
