"""Round prices: the steps by which the market tells prices, so that nobody's own can be read from them."""

from collections.abc import Sequence

ROUND = (1, 2, 5)
POINTS = 12  # of a curve at most
PARTS = 50  # how fine the steps are in which single prices are told


def step_at(minor: int, parts: int = 10) -> int:
    """Return how far steps are apart about a price: 1, 2 or 5 of a power of ten, the given part of it at most."""
    steps = (one * 10**power for power in range(len(str(minor))) for one in ROUND)
    return max((step for step in steps if step * parts <= minor), default=1)


def step_below(minor: int, parts: int = 10) -> int:
    """Return the round price at or below a price, the given part of it away at most."""
    step = step_at(minor, parts)
    return minor // step * step


def step_above(minor: int) -> int:
    """Return the round price at or above a price, a fiftieth of it away at most."""
    step = step_at(minor, PARTS)
    return -(-minor // step) * step


def points_between(low: int, high: int) -> Sequence[int]:
    """Return round prices evenly apart, from one at or below the low to one at or above the high."""
    step = next(
        size for size in (one * 10**power for power in range(12) for one in (1, 2, 5))
        if -(-high // size) - low // size < POINTS
    )  # fmt: skip
    return range(low // step * step, -(-high // step) * step + 1, step)
