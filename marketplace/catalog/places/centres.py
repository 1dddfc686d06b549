"""Where postal codes lie: a file of an operator's, read line by line, kept by country, looked up in memory."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, Double, Identity, Text, delete, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Fault, Invalid
from marketplace.catalog.places.cities import find_city
from marketplace.catalog.places.distance import Point
from marketplace.catalog.postal import MOST_CODE, comparable
from marketplace.catalog.regions import country_of, is_region
from marketplace.catalog.shelf import raise_book_versions

COLUMNS = ("country", "postal_code", "latitude", "longitude")
MOST_CENTRES = 200_000  # each web process that needs them holds them all, some 200 bytes each
SHOWN_FAULTS = 1000


class PostalImport(Model):
    """One import: the countries whose centres it replaced, and its lines that could not be read."""

    __tablename__ = "postal_imports"
    __table_args__ = ({"schema": "marketplace"},)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lines: Mapped[int]
    kept: Mapped[int]
    faults: Mapped[Any] = mapped_column(JSONB)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PostalCentre(Model):
    """The middle of what one postal code covers."""

    __tablename__ = "postal_centres"
    __table_args__ = (
        CheckConstraint(
            "code ~ '^[A-Z]{2}:[A-Z0-9]{1,10}$' AND abs(latitude) <= 90 AND abs(longitude) <= 180",
            name="postal_centres_check",
        ),
        {"schema": "marketplace"},
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    latitude: Mapped[float] = mapped_column(Double)
    longitude: Mapped[float] = mapped_column(Double)


@dataclass(slots=True)
class Read:
    """What was read of a file: the middle of each code, how many lines there were, and the bad ones by number."""

    lines: int = 0
    points: dict[str, list[Point]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: list[str]) -> None:
        """Read one row's country, code, latitude and longitude, or note what is wrong with it."""
        self.lines += 1
        found = _centre(row)
        if isinstance(found, Fault):
            self.reasons[found.code] += 1
            if len(self.faults) < SHOWN_FAULTS:
                self.faults.append({"line": self.lines + 1, "code": found.code, "message": found.message})
            return
        code, point = found
        self.points.setdefault(code, []).append(point)
        if len(self.points) > MOST_CENTRES:
            raise _refused("$", "too_many", f"Import at most {MOST_CENTRES} codes; shorten them to what orders need.")


def read_centres(lines: Iterable[str]) -> Read:
    """Read CSV with a header; Invalid `invalid_postal_centres` when it lacks a column or has no good line, or too many.

    Of a code that is named more than once the middle of its points counts.
    """
    try:
        return _read(csv.reader(lines))
    except csv.Error as error:
        raise _refused("$", "bad_format", f"Save the file as CSV: {error}.") from None


def _read(rows: Iterator[list[str]]) -> Read:
    header = [cell.strip().lower().lstrip("\ufeff") for cell in next(rows, [])]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise _refused("$", "missing_column", f"Begin with a header that names {', '.join(missing)}.")
    places, read = [header.index(name) for name in COLUMNS], Read()
    for row in rows:
        if any(row):
            read.add([row[place].strip() if place < len(row) else "" for place in places])
    if not read.points:
        raise _refused("$", "no_rows", "No line has a country, a code and two degrees.")
    return read


def keep_centres(read: Read, actor: str, at: datetime) -> PostalImport:
    """Replace the centres of the countries that were read, for every lead that comes after the commit."""
    countries = sorted({country_of(code) for code in read.points})
    for country in countries:
        db.session.execute(delete(PostalCentre).where(PostalCentre.code.startswith(f"{country}:")))
    rows = [dict(zip(("code", "latitude", "longitude"), (code, *_middle(points)), strict=True))
            for code, points in sorted(read.points.items())]  # fmt: skip
    db.session.execute(insert(PostalCentre), rows)
    row = PostalImport(countries=countries, lines=read.lines, kept=len(rows), faults=read.faults, actor=actor, at=at)
    db.session.add(row)
    db.session.flush()
    raise_book_versions()
    return row


def place_of(centres: dict[str, Point], country: str, code: str | None, city: str | None) -> Point | None:
    """Return where a lead lives: the middle of its postal code, else its city; None when nobody knows."""
    point = centres.get(comparable(country, code)) if code else None
    if point is not None or not city:
        return point
    found = find_city(country, city)
    return (found.latitude, found.longitude) if found else None


def _centre(row: list[str]) -> tuple[str, Point] | Fault:
    country, code, *degrees = row
    if not is_region(country) or country != country_of(country):
        return Fault("country", "unknown_region", "Send an ISO 3166-1 code in capitals, such as FR.")
    name = comparable(country, code)
    if not (name[3:].isascii() and name[3:].isalnum() and len(name) <= 3 + MOST_CODE):
        return Fault("postal_code", "bad_format", f"Send a code of 1 to {MOST_CODE} letters and digits.")
    try:
        latitude, longitude = map(float, degrees)
    except ValueError:
        return Fault("latitude", "bad_format", "Send degrees as decimal numbers, such as 45.7485.")
    if not (isfinite(latitude) and isfinite(longitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return Fault("latitude", "out_of_range", "Send a latitude within 90 and a longitude within 180 degrees.")
    return name, (latitude, longitude)


def _middle(points: list[Point]) -> Iterator[float]:
    return (round(sum(degrees) / len(points), 5) for degrees in zip(*points, strict=True))


def _refused(where: str, code: str, says: str) -> Invalid:
    return Invalid("invalid_postal_centres", "The places cannot be kept.", [Fault(where, code, says)])
