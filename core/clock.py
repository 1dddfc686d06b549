"""The clocks: real time for sessions and signatures, business time for everything that trades.

Business time is anchored in one database row (`core.clock`) so that every process of an installation agrees; it
equals real time unless somebody set it or sped it up. Deciding code never asks a clock: it is given the instant.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can tell the instant, in UTC."""

    def now(self) -> datetime:
        """Return the present instant, with its zone."""
        ...


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Real time shifted and sped up: at `real_at` it was `business_at`, and it runs `rate` times as fast."""

    real_at: datetime
    business_at: datetime
    rate: float = 1.0

    def now(self) -> datetime:
        """Return the present business instant in UTC, exact to the microsecond."""
        elapsed = time.time() - self.real_at.timestamp()
        return self.business_at + timedelta(seconds=elapsed * self.rate)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REAL_TIME = BusinessClock(EPOCH, EPOCH)


def as_rfc3339(instant: datetime) -> str:
    """Write an instant in UTC with a trailing Z (RFC 3339)."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Read an instant that names its offset; ValueError otherwise."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset, such as Z")
    return instant.astimezone(UTC)
