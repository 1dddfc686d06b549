"""Round prices: the steps by which the market tells prices, so that nobody's own can be read from them."""

from collections.abc import Sequence

ROUND = (1, 2, 5, 10)
POINTS = 12  # of a curve at most


def step_at(minor: int) -> int:
    """Return how far steps are apart about a price: 1, 2 or 5 of a power of ten, a tenth of the price at most."""
    unit = 1
    while unit * 100 <= minor:
        unit *= 10
    return max((unit * one for one in ROUND if unit * one * 10 <= minor), default=1)


def step_below(minor: int) -> int:
    """Return the round price at or below a price."""
    step = step_at(minor)
    return minor // step * step


def points_between(low: int, high: int) -> Sequence[int]:
    """Return round prices evenly apart, from one at or below the low to one at or above the high."""
    step = next(
        size for size in (one * 10**power for power in range(12) for one in (1, 2, 5))
        if -(-high // size) - low // size < POINTS
    )  # fmt: skip
    return range(low // step * step, -(-high // step) * step + 1, step)
