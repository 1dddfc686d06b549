"""How long it takes to find the best order for a lead in a book of a thousand and of a hundred thousand orders.

A lead is timed from its parts: its fields are laid out, and the book is asked for its best candidate. Orders spread
over a hundred regions, some name a whole country or none, and most have filters, a schedule or a minimum score; some
list postal codes, buy around a place, or pay by what the lead is.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter_ns
from typing import Any
from uuid import UUID

from marketplace.leads.matching import Book, LeadFacts, Listed
from marketplace.orders.filters import Filter, lead_fields
from marketplace.orders.periods import Schedule, Window
from marketplace.orders.prices import Modifier
from marketplace.orders.terms import CONTACT_CLASSES, TEMPERATURES, OrderTerms
from marketplace.orders.where import PLACE, Radius

SEED = 20261122
COUNTRIES = 10
REGIONS = 10  # of each country
OCCUPATIONS = ("student", "unemployed", "employed", "self_employed", "retired", "other")
COURSES = tuple(f"course_{number}" for number in range(20))
CHANNELS = ("search", "context", "social", "email", "call")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OFFICE_HOURS = Schedule("Europe/Paris", (Window((0, 1, 2, 3, 4), 9 * 60, 18 * 60),))


def run(short: bool) -> Iterator[dict[str, Any]]:
    """Measure both sizes of book, the headline figure last; `short` asks fewer leads."""
    leads = 2_000 if short else 20_000
    yield _figure("match_1k", _microseconds_per_lead(1_000, leads), 10.0)
    large = _microseconds_per_lead(100_000, leads)
    yield _figure("match_100k", large, 50.0)
    yield _figure("match", large, 50.0)


def _figure(name: str, figure: float, target: float) -> dict[str, Any]:
    return {
        "name": name,
        "figure": round(figure, 2),
        "unit": "us/lead",
        "reference": None,
        "ratio": None,
        "target": target,
        "met": figure <= target,
    }


def _microseconds_per_lead(orders: int, leads: int) -> float:
    """Return the median of three runs over the median lead of each; the first run only warms the book up."""
    book = make_book(orders, Random(SEED))
    parts = [make_parts(Random(SEED + number)) for number in range(leads)]
    return median([_one_run(book, parts) for _ in range(4)][1:])


def _one_run(book: Book, parts: list[dict[str, Any]]) -> float:
    taken = []
    for number, each in enumerate(parts):
        place = (40 + number * 7 % 150 / 10, number * 11 % 150 / 10 - 5)
        at = MONDAY + timedelta(milliseconds=number)
        start = perf_counter_ns()
        fields = lead_fields(**each)
        fields[PLACE] = place
        facts = LeadFacts(each["regions"], fields, each["score"], each["temperature"], "quick")
        next(book.candidates(facts, at), None)
        taken.append(perf_counter_ns() - start)
    return median(taken) / 1_000


def make_book(orders: int, random: Random) -> Book:
    """Make a book of so many orders that looks like a market."""
    return Book(Listed(_uuid(random), _uuid(random), 1, _terms(random)) for _ in range(orders))


def make_parts(random: Random) -> dict[str, Any]:
    """Make the parts of a lead from which `lead_fields` lays it out."""
    country = f"C{random.randrange(COUNTRIES)}"
    return {
        "regions": (f"{country}-{random.randrange(REGIONS)}", country),
        "channel": random.choice(CHANNELS),
        "interest": "request",
        "score": random.randrange(101),
        "temperature": random.choices(TEMPERATURES, (60, 34, 6))[0],
        "contact_class": random.choice(CONTACT_CLASSES),
        "contact": {"email": "ada@example.com", "postal_code": f"{random.randrange(100_000):05}", "language": "fr"},
        "attributes": {"occupation": random.choice(OCCUPATIONS), "course": random.choice(COURSES),
                       "age": random.randrange(18, 70)},
        "source_name": "default",
        "subs": {"1": f"campaign-{random.randrange(50)}"},
    }  # fmt: skip


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128))


def _terms(random: Random) -> OrderTerms:
    country = f"C{random.randrange(COUNTRIES)}"
    place = random.random()
    regions = (f"{country}-{random.randrange(REGIONS)}",) if place < 0.9 else (country,) if place < 0.99 else ()
    return OrderTerms(
        name="An order",
        vertical="education",
        currency="EUR",
        price_minor=random.randrange(420, 4_000, 10),
        regions=regions,
        max_share=random.choice((1, 3, 3, 5)),
        filters=tuple(_filters(random)),
        min_score=random.choice((0, 0, 20, 50)),
        temperatures=random.choice(((), (), ("warm", "hot"), ("hot",))),
        verified_only=random.random() < 0.1,
        schedule=OFFICE_HOURS if random.random() < 0.5 else None,
        postal_prefixes=_prefixes(country, random) if random.random() < 0.1 else (),
        radius=Radius("x", "", 300, random.uniform(40, 55), random.uniform(-5, 10)) if random.random() < 0.05 else None,
        modifiers=tuple(_modifiers(random)),
    )


def _prefixes(country: str, random: Random) -> tuple[str, ...]:
    return tuple(sorted({f"{country}:{random.randrange(100):02}" for _ in range(30)}))


def _modifiers(random: Random) -> Iterator[Modifier]:
    if random.random() < 0.1:
        yield Modifier("temperature", ("hot",), percent=random.choice((10, 25, 50)))
        yield Modifier("contact_class", ("quick", "registration"), amount_minor=-100)


def _filters(random: Random) -> Iterator[Filter]:
    if random.random() < 0.6:
        yield Filter("attributes.occupation", "in", random.sample(OCCUPATIONS, 2))
    if random.random() < 0.5:
        yield Filter("attributes.course", "eq", random.choice(COURSES))
    if random.random() < 0.2:
        yield Filter("channel", "ne", random.choice(CHANNELS))
    if random.random() < 0.2:
        yield Filter("attributes.age", "between", [18, random.randrange(25, 60)])
    if random.random() < 0.05:
        yield Filter("contact.postal_code", "matches", f"^{random.randrange(10, 99)}")
