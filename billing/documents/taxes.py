"""The standard rates of VAT as data with their source, and what tax comes to; no database."""

from datetime import date
from functools import cache
from pathlib import Path

import yaml
from msgspec import Struct, convert

from core.money import BASIS_POINTS

FILE = Path(__file__).parent / "vat_rates.yaml"


class Rate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A country's standard rate in basis points, and since when it applies."""

    rate_bp: int
    since: date


class Rates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All rates, where they come from and of which day, when somebody last looked, and what nobody could confirm."""

    source: str
    source_version: date
    looked_up: date
    unconfirmed: tuple[str, ...]
    rates: dict[str, Rate]


@cache
def vat_rates() -> Rates:
    """Read the table of rates."""
    return convert(yaml.safe_load(FILE.read_text("utf-8")), Rates)


def tax_on(net_minor: int, rate_bp: int) -> int:
    """Return the tax on a net amount, half a cent up; on an amount that is given back, the mirror of it."""
    if net_minor < 0:
        return -tax_on(-net_minor, rate_bp)
    return (2 * net_minor * rate_bp + BASIS_POINTS) // (2 * BASIS_POINTS)
