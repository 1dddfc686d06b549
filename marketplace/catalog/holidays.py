"""Public holidays as data: a day of the year, so many days after Easter, or the nth weekday of a month."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIXED = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_EASTER = re.compile(r"easter([+-]\d{1,2})", re.ASCII)
_NTH = re.compile(r"([1-5]|last) (mon|tue|wed|thu|fri|sat|sun) (\d\d)", re.ASCII)


@lru_cache(maxsize=256)
def holidays_in(year: int, rules: tuple[str, ...]) -> frozenset[date]:
    """Return a year's holidays; ValueError for a rule of no known form or a day that the year does not have."""
    return frozenset(_day_of(rule, year) for rule in rules)


def unknown_rules(rules: Iterable[str]) -> list[str]:
    """Return the rules that make no day of a leap year."""
    return [rule for rule in rules if not _is_known(rule)]


def easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (the anonymous algorithm that Meeus gives)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    length = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * length) // 451
    month, day = divmod(h + length - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _is_known(rule: str) -> bool:
    try:
        _day_of(rule, 2028)
    except ValueError:
        return False
    return True


def _day_of(rule: str, year: int) -> date:
    if fixed := _FIXED.fullmatch(rule):
        return date(year, int(fixed[1]), int(fixed[2]))
    if moved := _EASTER.fullmatch(rule):
        return easter(year) + timedelta(days=int(moved[1]))
    if nth := _NTH.fullmatch(rule):
        return _nth_weekday(year, int(nth[3]), WEEKDAYS.index(nth[2]), nth[1])
    raise ValueError(f"not a holiday: {rule!r}")


def _nth_weekday(year: int, month: int, weekday: int, which: str) -> date:
    first = date(year, month, 1)
    days = [first + timedelta(days=ahead) for ahead in range((weekday - first.weekday()) % 7, 31, 7)]
    days = [day for day in days if day.month == month]
    return days[-1] if which == "last" else days[min(int(which), len(days)) - 1]
