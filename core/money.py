"""Money: whole minor units of one currency, read and written as decimal strings, split without loss."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

BASIS_POINTS = 10_000
MAX_MINOR = 10**14  # far above any sum here; times the basis points of a share it still fits BIGINT

# Minor digits per ISO 4217; a currency that is not here is not traded.
_DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "CHF": 2, "PLN": 2, "CZK": 2, "SEK": 2, "DKK": 2, "NOK": 2,
           "RON": 2, "HUF": 2, "BAM": 2, "INR": 2, "CAD": 2, "AUD": 2, "JPY": 0, "VND": 0}  # fmt: skip


def is_currency(code: object) -> bool:
    """Tell whether amounts of this ISO 4217 currency can be held."""
    return isinstance(code, str) and code in _DIGITS


@cache
def _amount_pattern(digits: int) -> re.Pattern[str]:
    fraction = rf"(?:\.([0-9]{{1,{digits}}}))?" if digits else "()"
    return re.compile(rf"(-?)([0-9]{{1,15}}){fraction}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An exact amount: `minor` whole units (cents) of `currency`; never a float."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, amount: str, currency: str) -> "Money":
        """Read a decimal string such as "12.50"; ValueError for more decimals than the currency has."""
        if not is_currency(currency):
            raise ValueError(f"unknown currency {currency!r}")
        digits = _DIGITS[currency]
        match = _amount_pattern(digits).fullmatch(amount)
        if match is None:
            raise ValueError(f"not an amount with at most {digits} decimals: {amount!r}")
        minor = int(match[2]) * 10**digits + int((match[3] or "").ljust(digits, "0") or "0")
        if minor > MAX_MINOR:
            raise ValueError("amount too large")
        return cls(-minor if match[1] else minor, currency)

    def __str__(self) -> str:
        """Write the decimal string with all of the currency's digits: "12.50"."""
        return decimal_text(self.minor, self.currency)

    def as_json(self) -> dict[str, str]:
        """Show as `{"amount": "12.50", "currency": "EUR"}`."""
        return {"amount": str(self), "currency": self.currency}


def decimal_text(minor: int, currency: str) -> str:
    """Write minor units as the decimal string with all of the currency's digits: "12.50"."""
    digits = _DIGITS[currency]
    if digits == 0:
        return str(minor)
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:0{digits}d}"


def split(minor: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights with the largest remainder; the parts always sum to the whole.

    Works for negative amounts (the mirror of the positive split). Ties go to the earlier part.
    Raises ValueError when there is no weight to split by.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative and must sum to more than zero")
    if minor < 0:
        return [-part for part in split(-minor, weights)]
    parts = [minor * weight // total for weight in weights]
    remainders = [(minor * weight % total, -index) for index, weight in enumerate(weights)]
    for _, negative_index in sorted(remainders, reverse=True)[: minor - sum(parts)]:
        parts[-negative_index] += 1
    return parts


def share_of(minor: int, share_bp: int) -> int:
    """Return the share of an amount in basis points, rounded as the first part of a split of two."""
    return split(minor, (share_bp, BASIS_POINTS - share_bp))[0]
