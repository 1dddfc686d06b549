"""The cities of the world with 5,000 people and more, by country and name, from GeoNames (CC BY 4.0).

`cities.txt.xz` was made by `marketplace/catalog/places/make.py`; docs/decisions/0049 says from what. It is read when
a place is first asked for, since most processes never ask.
"""

import lzma
import re
import unicodedata
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "cities.txt.xz"
LARGER = 10  # times as many people as any other of its name: then a name means the one
_OTHER = re.compile(r"[^a-z0-9]+")
_SPELT_OUT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th"})


class City(NamedTuple):
    """A city with its coordinates in degrees and how many people live in it."""

    country: str
    name: str
    latitude: float
    longitude: float
    people: int


def plain(name: str) -> str:
    """Write a name as names compare: small letters without accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_SPELT_OUT))
    return _OTHER.sub(" ", "".join(char for char in decomposed if not unicodedata.combining(char))).strip()


def find_city(country: str, name: str) -> City | None:
    """Find a country's city by its name, or by one of its names in another language.

    None for an unknown one, and where several bear the name and none is ten times as large as the others.
    """
    found = _index().get((country, plain(name)))
    if found is None:
        found = _others().get((country, plain(name)))
    if found is None or len(found) == 1:
        return found[0] if found else None
    first, second = found[:2]
    return first if first.people >= LARGER * max(second.people, 1) else None


def cities_like(country: str, name: str, most: int = 3) -> list[City]:
    """Return what may have been meant by a name that `find_city` does not find: namesakes, else similar names."""
    wanted = plain(name)
    namesakes = _index().get((country, wanted)) or _others().get((country, wanted))
    if namesakes:
        return list(namesakes[:most])
    near = get_close_matches(wanted, [each for land, each in _index() if land == country], most, 0.75)
    return [_index()[country, each][0] for each in near]


@cache
def _index() -> dict[tuple[str, str], tuple[City, ...]]:
    """Read the cities by their own names, the largest of each first: the file is in that order."""
    found: dict[tuple[str, str], tuple[City, ...]] = {}
    for line in lzma.decompress(FILE.read_bytes()).decode().splitlines():
        country, name, latitude, longitude, people, _ = line.split("\t")
        city = City(country, name, float(latitude), float(longitude), int(people))
        found[country, plain(name)] = (*found.get((country, plain(name)), ()), city)
    return found


@cache
def _others() -> dict[tuple[str, str], tuple[City, ...]]:
    """Read the cities by their names in other languages, which only the larger ones have."""
    found: dict[tuple[str, str], tuple[City, ...]] = {}
    for line in lzma.decompress(FILE.read_bytes()).decode().splitlines():
        country, name, latitude, longitude, people, others = line.split("\t")
        city = City(country, name, float(latitude), float(longitude), int(people))
        for other in others.split("|") if others else ():
            found[country, other] = (*found.get((country, other), ()), city)
    return found
