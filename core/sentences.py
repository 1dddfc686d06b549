"""Marking what the program says to people where no refusal carries it, so that the catalogues of languages know it."""

from typing import TypeVar

T = TypeVar("T")


def sentences(said: T) -> T:
    """Return texts as they are; `core/extracting.py` finds every text written inside this call."""
    return said
