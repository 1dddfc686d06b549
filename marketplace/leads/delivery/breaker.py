"""When an endpoint gets a rest, and when it is tried again: decided from what the last attempts there came to."""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

State = Literal["closed", "open", "half_open", "probing"]
Outcome = Literal["answered", "failed", "not_sent"]

PAUSED = frozenset({"open", "probing"})  # nothing is sent there but the one lead that probes it


class Limits(NamedTuple):
    """When an endpoint is paused, and for how long the first time, the second, and each time after."""

    share_percent: int
    least_attempts: int
    window_minutes: int
    pauses_minutes: tuple[int, ...]


# A few errors in a row are no outage: twenty attempts are, when half of them fail.
LIMITS = Limits(share_percent=50, least_attempts=20, window_minutes=10, pauses_minutes=(5, 15, 60))


class Minute(NamedTuple):
    """What was attempted in one minute, counted from 1970, and how many of the attempts failed."""

    minute: int
    attempts: int
    failures: int


class Health(NamedTuple):
    """How an endpoint does; `pauses` are those in a row, the present one counted."""

    state: State = "closed"
    recent: tuple[Minute, ...] = ()
    pauses: int = 0
    probe_at: datetime | None = None


def after(health: Health, outcome: Outcome, is_probe: bool, at: datetime, limits: Limits = LIMITS) -> Health:
    """Return the health after one more attempt: an answer of any kind is well, what was not sent says nothing.

    While it is paused only the probe counts; what was under way when it opened changes nothing.
    """
    if health.state == "closed" and outcome != "not_sent":
        return _judged(health, _counted(health.recent, outcome == "failed", at, limits), at, limits)
    if health.state == "probing" and is_probe:
        if outcome == "not_sent":
            return health._replace(state="half_open")
        return Health() if outcome == "answered" else _opened(health, at, limits)
    return health


def roused(health: Health, at: datetime) -> Health:
    """Return the health by this instant: what has rested long enough may be tried with one lead."""
    if health.state == "open" and health.probe_at is not None and health.probe_at <= at:
        return health._replace(state="half_open")
    return health


def sums(recent: tuple[Minute, ...]) -> tuple[int, int]:
    """Return the attempts and the failures in the window."""
    return sum(one.attempts for one in recent), sum(one.failures for one in recent)


def _judged(health: Health, recent: tuple[Minute, ...], at: datetime, limits: Limits) -> Health:
    attempts, failures = sums(recent)
    if attempts >= limits.least_attempts and failures * 100 >= attempts * limits.share_percent:
        return _opened(health._replace(recent=recent), at, limits)
    return health._replace(recent=recent)


def _opened(health: Health, at: datetime, limits: Limits) -> Health:
    step = min(health.pauses, len(limits.pauses_minutes) - 1)
    until = at + timedelta(minutes=limits.pauses_minutes[step])
    return Health("open", health.recent, health.pauses + 1, until)


def _counted(recent: tuple[Minute, ...], failed: bool, at: datetime, limits: Limits) -> tuple[Minute, ...]:
    """Count one attempt in its minute, and forget the minutes that have left the window."""
    minute = int(at.timestamp()) // 60
    known = {one.minute: one for one in recent}
    present = known.get(minute, Minute(minute, 0, 0))
    known[minute] = Minute(minute, present.attempts + 1, present.failures + failed)
    newest = max(known)
    return tuple(one for _, one in sorted(known.items()) if one.minute > newest - limits.window_minutes)
