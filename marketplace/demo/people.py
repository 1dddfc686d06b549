"""People for the sample market: names as they are written in their countries, places, and addresses nobody reads."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple

import yaml
from msgspec import Meta, Struct

from core.schemas import convert
from marketplace.catalog.regions import country_of

PEOPLE_FILE = Path(__file__).parent / "people.yaml"
DOMAINS = ("example.com", "example.net", "example.org")  # reserved, RFC 2606
_STROKED = str.maketrans({"đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss"})


class City(Struct, frozen=True, forbid_unknown_fields=True):
    """A place with the region that holds it."""

    name: str
    region: str
    postal: str


class Country(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom and what a country's people are named after; `surnames` is how many each has."""

    language: str
    first: Annotated[tuple[str, ...], Meta(min_length=10)]
    last: Annotated[tuple[str, ...], Meta(min_length=10)]
    cities: Annotated[tuple[City, ...], Meta(min_length=1)]
    surnames: Annotated[int, Meta(ge=1, le=2)] = 1


class Person(NamedTuple):
    """Somebody who does not exist."""

    first_name: str
    last_name: str
    email: str
    city: City
    language: str


@cache
def countries() -> dict[str, Country]:
    """Read the names and places, once."""
    return convert(yaml.safe_load(PEOPLE_FILE.read_text(encoding="utf-8")), dict[str, Country])


def person_in(region: str, number: int, dice: Random) -> Person:
    """Invent a person of a region; the number makes the address nobody else's. KeyError for an unknown country."""
    country = countries()[country_of(region)]
    first = dice.choice(country.first)
    last = " ".join(dice.sample(country.last, country.surnames))
    cities = [city for city in country.cities if city.region == region] or list(country.cities)
    return Person(first, last, email_of(first, last, number, dice), dice.choice(cities), country.language)


def email_of(first: str, last: str, number: int, dice: Random) -> str:
    """Write an address in an example domain as people choose them, in plain letters."""
    one, two = _plain(first), _plain(last.split(" ")[-1])
    local = dice.choice((f"{one}.{two}", f"{one}{two}", f"{one[0]}.{two}", f"{two}.{one}", f"{one}_{two}"))
    return f"{local}{number}@{dice.choice(DOMAINS)}"


def _plain(text: str) -> str:
    """Return a name in small ASCII letters: Đặng is dang, N'Guyen is nguyen."""
    parts = unicodedata.normalize("NFKD", text.translate(_STROKED))
    return re.sub(r"[^a-z]", "", parts.encode("ascii", "ignore").decode().lower()) or "x"
