"""Shares of few things told honestly: Wilson's interval, which is narrow only when many were counted."""

from math import sqrt

Z_95 = 1.959963984540054  # the normal deviate of a two-sided interval of 95 %


def wilson(good: int, counted: int, z: float = Z_95) -> tuple[float, float]:
    """Return between which shares the true one lies with 95 % certainty; (0, 1) when nothing was counted."""
    if not counted:
        return 0.0, 1.0
    share, weight = good / counted, z * z / counted
    middle = (share + weight / 2) / (1 + weight)
    reach = z * sqrt(share * (1 - share) / counted + weight / (4 * counted)) / (1 + weight)
    return middle - reach if good else 0.0, middle + reach if good < counted else 1.0
