"""One question of the audit, as every room of billing asks them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must always hold, in words, and the query for its counter-examples."""

    invariant: str
    name: str
    query: str
