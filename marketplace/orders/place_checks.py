"""What an order may say of places: prefixes of postal codes and a circle, with what to write instead of bad ones."""

from collections.abc import Iterator
from math import isfinite

from core.errors import Fault
from marketplace.catalog.places import cities_like, find_city
from marketplace.catalog.postal import read_prefixes
from marketplace.catalog.regions import country_of, is_region
from marketplace.orders.said import RadiusBody, only_country
from marketplace.orders.where import MAX_KM

MAX_PLACE = 100
_WRITE_COUNTRY = "Say the country of the place, such as FR."


def place_faults(prefixes: list[str] | None, radius: RadiusBody | None, regions: list[str] | None) -> Iterator[Fault]:
    """Name every bad line of the prefixes, and what is wrong with the circle."""
    yield from read_prefixes(prefixes or [], only_country(regions))[1]
    if radius is not None:
        yield from _radius_faults(radius, only_country(regions))


def _radius_faults(radius: RadiusBody, country_of_regions: str | None) -> Iterator[Fault]:
    if not 1 <= radius.km <= MAX_KM:
        yield Fault("radius.km", "out_of_range", f"A circle has a radius of 1 to {MAX_KM} km.")
    if not radius.place.strip() or len(radius.place) > MAX_PLACE or not radius.place.isprintable():
        yield Fault("radius.place", "invalid_name", f"Name the place with 1 to {MAX_PLACE} printable characters.")
    elif (radius.latitude is None) != (radius.longitude is None):
        missing = "latitude" if radius.latitude is None else "longitude"
        yield Fault(f"radius.{missing}", "required", "Send both latitude and longitude, or neither.")
    elif radius.latitude is not None and radius.longitude is not None:
        yield from _degree_faults(radius.latitude, radius.longitude)
        if radius.country is not None and not _is_country(radius.country):
            yield Fault("radius.country", "unknown_region", _WRITE_COUNTRY)
    else:
        yield from _city_faults(radius, radius.country or country_of_regions)


def _degree_faults(latitude: float, longitude: float) -> Iterator[Fault]:
    for name, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not isfinite(degrees) or abs(degrees) > most:
            yield Fault(f"radius.{name}", "out_of_range", f"A {name} goes from -{most} to {most} degrees.")


def _city_faults(radius: RadiusBody, country: str | None) -> Iterator[Fault]:
    if country is None:
        yield Fault("radius.country", "country_needed", _WRITE_COUNTRY)
    elif not _is_country(country):
        yield Fault("radius.country", "unknown_region", _WRITE_COUNTRY)
    elif find_city(country, radius.place) is None:
        yield Fault("radius.place", "unknown_place", _meant(country, radius.place))


def _meant(country: str, name: str) -> str:
    found = [f"{one.name} ({one.latitude}, {one.longitude})" for one in cities_like(country, name)]
    told = f"Did you mean {' or '.join(found)}? " if found else ""
    return (f"No single city of {country} is known by the name of {name.strip()!r}. {told}"
            "Write another name, or send latitude and longitude.")  # fmt: skip


def _is_country(code: str) -> bool:
    return is_region(code) and code == country_of(code)
