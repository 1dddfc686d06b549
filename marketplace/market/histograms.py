"""Counts by a whole number (a price, a number of days): added up, and asked by their order."""

from collections import Counter
from collections.abc import Iterable, Mapping

Counts = Mapping[str, int]
"""As they are kept: the number as text, and how often it was counted."""


def added(many: Iterable[Counts]) -> Counter[int]:
    """Return all counts together, by their numbers."""
    total: Counter[int] = Counter()
    for one in many:
        for number, times in one.items():
            total[int(number)] += times
    return total


def kept_form(counts: Mapping[int, int]) -> dict[str, int]:
    """Return counts as they are kept, the smallest number first."""
    return {str(number): counts[number] for number in sorted(counts)}


def number_at(counts: Mapping[int, int], share: float) -> int | None:
    """Return the least number that is no less than this share of what was counted; None when nothing was."""
    total, passed = sum(counts.values()), 0
    for number in sorted(counts):
        passed += counts[number]
        if passed >= share * total:
            return number
    return None


def up_to(counts: Mapping[int, int], number: int) -> int:
    """Return how many were counted of this number and of smaller ones."""
    return sum(times for one, times in counts.items() if one <= number)
