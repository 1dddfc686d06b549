"""The factors by which a place, a contact class and a temperature change what a lead costs."""

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from msgspec import Meta, Struct

from core.errors import Fault, Invalid
from core.schemas import convert
from marketplace.catalog.prices import Corridor, corridor_minor
from marketplace.catalog.regions import country_of, is_region, parents_of

SEEDS_FILE = Path(__file__).parent / "seeds.yaml"
ONE = 10_000

Factor = Annotated[int, Meta(ge=1, le=1_000_000)]


class PriceSeeds(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Factors in basis points; what is not listed is 1.00."""

    countries: dict[str, Factor]
    regions: dict[str, Factor]
    rural_bp: Factor
    classes: dict[str, Factor]
    temperatures: dict[str, Factor]


@cache
def price_seeds() -> PriceSeeds:
    """Read the factors that come with the program, once."""
    return read_seeds(SEEDS_FILE.read_text(encoding="utf-8"))


def read_seeds(text: str) -> PriceSeeds:
    """Read factors from YAML; Malformed or Invalid `invalid_seeds` for what is none."""
    seeds = convert(yaml.safe_load(text), PriceSeeds)
    unknown = [code for code in (*seeds.countries, *seeds.regions) if not is_region(code)]
    if unknown:
        faults = [Fault(code, "unknown_region", "Send an ISO 3166 code, such as FR or FR-IDF.") for code in unknown]
        raise Invalid("invalid_seeds", "The factors of prices have faults.", faults)
    return seeds


def factor_bp(region: str, contact_class: str, temperature: str, seeds: PriceSeeds | None = None) -> int:
    """Return the product of all factors in basis points; the narrowest listed region that holds the place counts."""
    known = seeds or price_seeds()
    place = next((known.regions[code] for code in parents_of(region) if code in known.regions), ONE)
    factors = (known.countries.get(country_of(region), ONE), place, known.classes.get(contact_class, ONE),
               known.temperatures.get(temperature, ONE))  # fmt: skip
    product = ONE
    for factor in factors:
        product = product * factor
    return (product + ONE**4 // 2) // ONE**4


def corridor_at(corridor: Corridor, currency: str, factor: int) -> tuple[int, int]:
    """Return a corridor in minor units with a factor in basis points applied, each end rounded half up."""
    low, high = corridor_minor(corridor, currency)
    return (low * factor + ONE // 2) // ONE, (high * factor + ONE // 2) // ONE
