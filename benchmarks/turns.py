"""How long a lead takes whom three thousand orders want, by each rule of distribution, in one process and without HTTP.

Beside it, as the reference, what it takes when all of them are offered to the sale.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from random import Random
from statistics import median

import msgspec

from benchmarks.stage.figures import Figure, must_be
from benchmarks.stage.market import BUYERS, REGIONS, SEED, Market, lead_body, make_buyer, open_market, place_in
from core.db import db, transaction
from core.errors import Conflict
from core.schemas import decode
from marketplace.catalog.shelf import apply_vertical, get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads import intake
from marketplace.leads.desk import desk
from marketplace.leads.intake import EVERYBODY, Sender
from marketplace.leads.submission import Submission
from marketplace.orders.models import Order
from marketplace.orders.standing import say_order
from marketplace.orders.terms import decode_terms

WANTING = 3_000
TARGET_MS = 10
_persons = count(10_000_000)
RULES = ("best_price", "priority", "tiers", "round_robin", "weighted")


def run(short: bool) -> Iterator[Figure]:
    """Measure each rule, the headline figure `turns` last but for the books: the slowest rule's median."""
    leads, medians = (40 if short else 200), []
    with open_market() as market:
        _fill()
        for rule in RULES:
            _set_rule(rule)
            every = median(_times(market, max(leads // 10, 5), f"{rule}, all", EVERYBODY))
            took = sorted(_times(market, leads, rule, intake.FIRST_TURNS))
            medians.append(median(took))
            yield _figure(f"turns_{rule}", medians[-1], every)
            yield _figure(f"turns_{rule}_p95", took[len(took) * 95 // 100], every)
        yield _figure("turns", max(medians), None)
        faults = market.faults_of_books()
        yield must_be("books", len(faults), "checks that do not hold", 0)
        if faults:
            raise Conflict("bench_went_wrong", "\n".join(faults))


def _figure(name: str, figure: float, every: float | None) -> Figure:
    return {"name": name, "figure": round(figure, 2), "unit": "ms", "reference": every and round(every, 2),
            "ratio": every and round(figure / every, 3), "target": TARGET_MS, "met": figure <= TARGET_MS}  # fmt: skip


def _fill() -> None:
    """Place the orders, one in three with a priority and a target share."""
    random, now = Random(SEED), datetime.now(UTC)
    with transaction():
        buyers = [make_buyer(2 * BUYERS + number, now) for number in range(BUYERS)]
        for number in range(WANTING):
            place_in(buyers[number % BUYERS], None, random.randrange(500, 4_000), now)
    with transaction():
        for row in list(db.session.scalars(db.select(Order)))[::3]:
            terms = msgspec.structs.replace(decode_terms(row.terms), priority=random.randrange(1, 50),
                                            target_share=random.randrange(1, 50))  # fmt: skip
            say_order(row, terms, "system:bench", now)


def _set_rule(rule: str) -> None:
    with transaction():
        standing = get_vertical("education")[1].as_mapping()
        distribution = {"rule": rule, "contest": "total_value", "fall_back": True}
        change = standing | {"version": standing["version"] + 1, "distribution": distribution}
        apply_vertical(Vertical.stored(change), datetime.now(UTC), "system:bench")


def _times(market: Market, leads: int, run: str, most: int) -> list[float]:
    """Post so many leads and return how many milliseconds each took; the first, which loads the book, is left out."""
    before, intake.FIRST_TURNS = intake.FIRST_TURNS, most
    sender, found = Sender(market.publisher_id, market.key_id), []
    try:
        for _ in range(leads + 1):
            lead = decode(lead_body(REGIONS[0], str(next(_persons))), Submission)
            started = time.perf_counter()
            said = desk().intake.take(lead, sender).result
            found.append((time.perf_counter() - started) * 1000)
            if said["status"] != "sold":
                raise Conflict("bench_went_wrong", f"a lead by {run} was {said}")
    finally:
        intake.FIRST_TURNS = before
    return found[1:]
