"""Counts kept in this process for a while: of days that are over, and of histories too long to count at every look.

What they are counted of still changes now and then (a return credits a sale of last week), so they are counted again
after `LASTS` of business time, and whoever shows them says since when they stand.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from core.db import db

T = TypeVar("T")
LASTS = timedelta(minutes=5)
MANY = 5_000  # rows that are counted at every look; a count of more is kept
MOST = 5_000  # counts of a database; the one that was made longest ago makes room

_lock = threading.Lock()
_counts: "WeakKeyDictionary[Engine, OrderedDict[tuple[Any, ...], Kept[Any]]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What was counted, and at which business instant."""

    value: T
    counted_at: datetime


def kept(key: tuple[Any, ...], at: datetime, count: Callable[[], T]) -> Kept[T]:
    """Return the count of this key, counted anew when the last one is older than `LASTS`, or was made after `at`.

    The key names the question, whose rows it is about and the days; each database has counts of its own.
    """
    return find_kept(key, at) or keep(key, count(), at)


def kept_of_many(
    key: tuple[Any, ...], at: datetime, count: Callable[[], T], rows_of: Callable[[T], int]
) -> Kept[T]:  # fmt: skip
    """Return the count of this key, kept only when it says that more than `MANY` rows went into it, exact otherwise.

    So whoever has a short history sees each change at once, and whoever has a long one need not wait for it.
    """
    found = find_kept(key, at)
    if found is not None:
        return found
    value = count()
    return keep(key, value, at) if rows_of(value) > MANY else Kept(value, at)


def find_kept(key: tuple[Any, ...], at: datetime) -> Kept[Any] | None:
    """Find the count of this key, unless it is older than `LASTS` or was made after `at`."""
    with _lock:
        found = _counts_here().get(key)
    return found if found is not None and found.counted_at <= at < found.counted_at + LASTS else None


def keep(key: tuple[Any, ...], value: T, at: datetime) -> Kept[T]:
    """Keep a count that was made at this instant."""
    counted = Kept(value, at)
    with _lock:
        counts = _counts_here()
        counts[key] = counted
        counts.move_to_end(key)
        if len(counts) > MOST:
            counts.popitem(last=False)
    return counted


def _counts_here() -> "OrderedDict[tuple[Any, ...], Kept[Any]]":
    return _counts.setdefault(db.engine, OrderedDict())
