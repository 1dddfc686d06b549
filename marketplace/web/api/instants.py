"""Instants and periods in a query string."""

from datetime import datetime, timedelta

from flask import request

from core.clock import from_rfc3339
from core.errors import Fault, Malformed
from core.http import business_clock
from marketplace.web.api.described import Query

PERIOD = (
    Query("from", "An RFC 3339 instant; 30 days before `to` without it."),
    Query("to", "An RFC 3339 instant, not included; now without it."),
)
DEFAULT_PERIOD = timedelta(days=30)


def instant_asked(name: str) -> datetime | None:
    """Read an RFC 3339 instant between 1970 and 2200, None without it; Malformed `bad_filter` for anything else."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        # In a query string a plus sign reads as a space.
        instant = from_rfc3339(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise _refused(name, "not_an_instant", "Send an instant such as 2026-11-22T10:00:00Z.") from None
    if not 1970 <= instant.year < 2200:
        raise _refused(name, "absurd_instant", "Send an instant between 1970 and 2200.")
    return instant


def period_asked() -> tuple[datetime, datetime]:
    """Read the period of a report, half open; Malformed `bad_filter` when it cannot be read or has no length."""
    until = instant_asked("to") or business_clock().now()
    since = instant_asked("from") or until - DEFAULT_PERIOD
    if since >= until:
        raise _refused("from", "out_of_range", "Let `from` be before `to`.")
    return since, until


def _refused(name: str, code: str, message: str) -> Malformed:
    return Malformed("bad_filter", "This cannot be shown.", [Fault(name, code, message)])
