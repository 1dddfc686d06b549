"""When news is sent again, and when it no longer is: ten tries in about 75 hours, as Standard Webhooks suggests."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1  # of a pause, so that what failed together does not come back together
LONGEST_WAIT = timedelta(hours=24)  # that Retry-After may ask for
DISABLED_AFTER = timedelta(days=3)  # of failures only, when a delivery has also used up its tries
GONE = 410
_HEEDS_RETRY_AFTER = (429, 503)


def is_delivered(status: int | None) -> bool:
    """Tell whether an answer means that the news was taken: only 2xx does, a redirect does not."""
    return status is not None and 200 <= status < 300


def pause_after(tries: int, status: int | None, retry_after: timedelta | None, chance: float) -> timedelta | None:
    """Return how long to wait after this many tries, None when all are used up; `chance` is from 0 to 1.

    A 429 or 503 may ask for more patience than the schedule has, up to a day.
    """
    if tries > len(PAUSES):
        return None
    pause = PAUSES[tries - 1] * (1 + JITTER * chance)
    if status in _HEEDS_RETRY_AFTER and retry_after is not None:
        return max(pause, min(retry_after, LONGEST_WAIT))
    return pause


def read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Read Retry-After, seconds or a date (RFC 9110 section 10.2.3), by real time; None when it says neither."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) < 8 else LONGEST_WAIT
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now)
