"""The regions of the world: ISO 3166-1 countries and ISO 3166-2 subdivisions, each with what holds it."""

from dataclasses import dataclass
from functools import cache

import pycountry


@dataclass(frozen=True, slots=True)
class Region:
    """One country or subdivision; `parent` is the code of what holds it directly, None for a country."""

    code: str
    name: str
    type: str
    parent: str | None


def is_region(code: str) -> bool:
    """Tell whether this is an ISO 3166-1 alpha-2 or ISO 3166-2 code, in capitals."""
    return code in _atlas()


def region_of(code: str) -> Region:
    """Return the region with this code; KeyError when there is none."""
    return _atlas()[code]


def parents_of(code: str) -> tuple[str, ...]:
    """Return the code and all that hold it, the narrowest first: FR-75C, FR-IDF, FR; KeyError for no region."""
    return _lineages()[code]


def country_of(code: str) -> str:
    """Return the ISO 3166-1 code of the country that holds a region."""
    return code[:2]


def regions_in(country: str) -> list[Region]:
    """List a country and all its subdivisions in the order of their codes; empty for an unknown country."""
    return list(_by_country().get(country, ()))


@cache
def _atlas() -> dict[str, Region]:
    countries = [Region(each.alpha_2, each.name, "Country", None) for each in pycountry.countries]
    subdivisions = [
        Region(each.code, each.name, each.type, each.parent_code or each.country_code)
        for each in pycountry.subdivisions
    ]
    return {region.code: region for region in countries + subdivisions}


@cache
def _lineages() -> dict[str, tuple[str, ...]]:
    return {code: _lineage(code) for code in _atlas()}


def _lineage(code: str) -> tuple[str, ...]:
    parent = _atlas()[code].parent
    if parent not in _atlas():  # a country; or one of the few gaps of the source
        return (code,) if code == country_of(code) else (code, country_of(code))
    return (code, *_lineage(parent))


@cache
def _by_country() -> dict[str, tuple[Region, ...]]:
    lists: dict[str, list[Region]] = {}
    for code, region in sorted(_atlas().items()):
        lists.setdefault(country_of(code), []).append(region)
    return {country: tuple(regions) for country, regions in lists.items()}


def country_named(text: str) -> str | None:
    """Find the ISO 3166-1 code of a country by its English name or one of its codes, in letters of any case."""
    return _countries_by_name().get(text.strip().casefold())


@cache
def _countries_by_name() -> dict[str, str]:
    kinds = ("official_name", "common_name", "name", "alpha_3", "alpha_2")
    return {
        getattr(each, kind).casefold(): each.alpha_2
        for kind in kinds
        for each in pycountry.countries
        if hasattr(each, kind)
    }


def region_named(text: str) -> str | None:
    """Find a subdivision by its country, a hyphen, and its own code or name: us-tx and US-Texas are US-TX."""
    country, _, name = text.partition("-")
    code = country_named(country)
    return _subdivisions_by_name(code).get(name.strip().casefold()) if code else None


@cache
def _subdivisions_by_name(country: str) -> dict[str, str]:
    """Index a country's subdivisions by name and by code; where both are alike the code counts."""
    inside = [region for region in regions_in(country) if region.parent is not None]
    by_name = {region.name.casefold(): region.code for region in inside}
    return by_name | {region.code.removeprefix(f"{country}-").casefold(): region.code for region in inside}
