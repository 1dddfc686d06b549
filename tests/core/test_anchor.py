"""The anchor of business time: set forward and sped up, never back, and followed by every process."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from core.anchor import InstalledClock, read_clock, set_clock
from core.clock import REAL_TIME
from core.db import transaction
from core.errors import Invalid


def test_without_a_row_the_clock_is_real(app: Flask) -> None:
    assert read_clock() == REAL_TIME


def test_a_clock_that_is_set_runs_from_there_at_its_rate(app: Flask) -> None:
    start = datetime(2031, 5, 1, tzinfo=UTC)
    with transaction():
        set_clock(start, 24.0)
    clock = read_clock()
    assert (clock.business_at, clock.rate) == (start, 24.0) and clock.now() >= start
    follower = InstalledClock(app)
    assert follower.now() >= start


def test_business_time_never_goes_back(app: Flask) -> None:
    with pytest.raises(Invalid, match="never goes back"), transaction():
        set_clock(datetime.now(UTC) - timedelta(hours=1), 1.0)
    with transaction():
        set_clock(datetime(2031, 5, 1, tzinfo=UTC), 1.0)
    with pytest.raises(Invalid), transaction():
        set_clock(datetime(2031, 4, 30, tzinfo=UTC), 1.0)
    assert read_clock().business_at == datetime(2031, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("rate", [0, -1, 100_001, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(app: Flask, rate: float) -> None:
    with pytest.raises(Invalid) as refusal, transaction():
        set_clock(datetime(2031, 5, 1, tzinfo=UTC), rate)
    assert refusal.value.code == "bad_rate"
