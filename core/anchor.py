"""Where business time is anchored: set by `leadbourse time`, and followed by every process within seconds."""

import time
from datetime import UTC, datetime

import psycopg
from sqlalchemy import Boolean, CheckConstraint, DateTime, Double, true
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import REAL_TIME, BusinessClock
from core.db import Application, Model, db, pool_of
from core.errors import Invalid

FOLLOW_SECONDS = 5.0
STANDSTILL = 1e-9  # business seconds a real second; a rate is above 0


class ClockRow(Model):
    """The one row that says how business time runs; without it, as real time does."""

    __tablename__ = "clock"
    __table_args__ = (CheckConstraint("single"), CheckConstraint("rate > 0"), {"schema": "core"})

    single: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=true())
    real_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    business_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    rate: Mapped[float] = mapped_column(Double)


def read_clock() -> BusinessClock:
    """Return the business clock as it is anchored now."""
    row = db.session.get(ClockRow, True)
    return BusinessClock(row.real_at, row.business_at, row.rate) if row else REAL_TIME


def set_clock(business_at: datetime, rate: float) -> BusinessClock:
    """Anchor business time at this instant from now on; processes that run already follow within five seconds.

    Invalid when the rate is not above 0 and at most 100,000, or when business time would go back.
    """
    if not 0 < rate <= 100_000:
        raise Invalid("bad_rate", "The rate must be above 0 and at most 100000.")
    if business_at < read_clock().now():
        raise Invalid("clock_goes_back", "Business time never goes back: books and caps are kept by it.")
    clock = BusinessClock(datetime.now(UTC), business_at, rate)
    db.session.merge(ClockRow(single=True, real_at=clock.real_at, business_at=business_at, rate=rate))
    db.session.flush()
    return clock


def resume_clock(business_at: datetime, rate: float) -> BusinessClock:
    """Anchor business time at an instant that it has passed while nobody was there to see: it may go back to it.

    Only for who knows that no process of the installation has run since that instant.
    """
    now = datetime.now(UTC)
    db.session.merge(ClockRow(single=True, real_at=now, business_at=business_at, rate=rate))
    db.session.flush()
    return BusinessClock(now, business_at, rate)


def stop_clock(url: str, business_at: datetime) -> None:
    """Let business time stand still at an instant, on a database that no process of the installation uses any more."""
    with psycopg.connect(url, autocommit=True) as connection:
        stopped = "UPDATE core.clock SET real_at = now(), business_at = %s, rate = %s"
        connection.execute(stopped, (business_at, STANDSTILL))


class InstalledClock:
    """The installation's business clock as this process knows it: its anchor is read anew every five real seconds."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._clock = REAL_TIME
        self._read_again_at = 0.0

    def now(self) -> datetime:
        """Return the present business instant in UTC."""
        if time.monotonic() >= self._read_again_at:
            with pool_of(self._app).connection() as connection:
                row = connection.execute("SELECT real_at, business_at, rate FROM core.clock").fetchone()
            self._clock = BusinessClock(*row) if row else REAL_TIME
            self._read_again_at = time.monotonic() + FOLLOW_SECONDS
        return self._clock.now()
