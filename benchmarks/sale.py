"""How fast leads are sold: the whole way over HTTP, and the sale function alone, against the frozen yardstick.

The yardstick (`reference.sql`), the function and the HTTP server run in turns in one database, so that a noisy
neighbour hits all of them. Every lead must be answered 201 and sold, and the books must hold in the end.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.stage.figures import Figure, at_most, must_be, ratio
from benchmarks.stage.load import Outcome, flood, pour
from benchmarks.stage.market import HOT_REGION, REGIONS, Market, lead_body, open_market, web_server
from benchmarks.stage.pgbench import pgbench, without_variables
from core.errors import Conflict
from core.ids import new_id
from core.schemas import decode
from marketplace.leads.desk import desk
from marketplace.leads.intake import ALONE, Sender
from marketplace.leads.plain import plain_values
from marketplace.leads.submission import Submission

CLIENTS = 16
TOGETHER, WEB_PROCESSES = 8, 2  # leads in a batch when the server is busy, and how many batches it has under way
LINES_AT_CONSTANT_RATE = 64
SOLD = b'"status":"sold"'
PERSON = "00000000"
FIRST_PERSON = 10_000_000
PERSONS_A_RUN = 500_000
# Where the plain statement has its ids, its order and buyer, and the person.
IDS, BUYING, PERSONS = (0, 1), (14, 16, 17), 22

Load = Callable[..., Outcome]


@dataclass(frozen=True, slots=True)
class Posts:
    """Makes the bytes of requests to POST /leads, each of another person; pickled into the load generator."""

    templates: tuple[bytes, ...]
    first: int

    def __call__(self, number: int) -> bytes:
        """Return the request of this number."""
        person = b"%d" % (self.first + number)
        return self.templates[number % len(self.templates)].replace(PERSON.encode(), person)


@dataclass
class Sales:
    """One benchmark under way: its market, its server, and what came back that was not a sold lead."""

    market: Market
    address: tuple[str, int]
    generator: ProcessPoolExecutor
    runs: int = 0
    unsold: list[str] = field(default_factory=list)

    def reference(self, seconds: int) -> float:
        """Return the yardstick's pace."""
        body = lead_body(REGIONS[0], PERSON).decode().replace("'", "''")
        body = without_variables(f"'{body}'")
        script = f"\\set buyer random(1, 100)\nSELECT reference.sell(:buyer, 2500, {body});\n"
        return pgbench(self.market.url, script, seconds, CLIENTS).per_second

    def function(self, seconds: int) -> float:
        """Return the sale function's pace with what the intake would hand to it, without HTTP."""
        before = self.market.sales()
        pace = pgbench(self.market.url, sale_script(self.market), seconds, CLIENTS)
        if self.market.sales() - before < pace.done:
            self.unsold.append(f"the sale function sold {self.market.sales() - before} of {pace.done} leads")
        return pace.per_second

    def together(self, seconds: int) -> float:
        """Return the pace, in leads, of the statement that sells several, called as each web process calls it."""
        before = self.market.sales()
        pgbench(self.market.url, together_script(self.market), seconds, WEB_PROCESSES)
        return (self.market.sales() - before) / seconds

    def over_http(self, load: Load, seconds: float, clients: int, regions: tuple[str, ...], *rate: float) -> Outcome:
        """Post leads of these regions to the server from the load generator's process."""
        posts = Posts(
            tuple(request_bytes(region, self.market.secret) for region in regions),
            FIRST_PERSON + self.runs * PERSONS_A_RUN,
        )
        self.runs += 1
        outcome = self.generator.submit(load, self.address, clients, seconds, posts, SOLD, *rate).result()
        self.unsold.extend(f"{count} times {said}" for said, count in outcome.unwanted.items())
        return outcome


def run(short: bool) -> Iterator[Figure]:
    """Measure sales, the headline figure `sale` last but for the books; Conflict when they do not hold."""
    rounds, seconds = (1, 3) if short else (5, 6)
    with _sales() as sales:
        sales.over_http(flood, 1, CLIENTS, REGIONS)  # warm up: plans, the book, the key
        sales.function(1)
        paces = [_round(sales, seconds) for _ in range(rounds)]
        reference, function, together, http = (median(each) for each in zip(*paces, strict=True))
        yield ratio("sale_reference", reference, "sales/s", reference, 1.0)
        yield ratio("sale_function", function, "sales/s", reference, 0.5)
        yield ratio("sale_together", together, "sales/s", reference, 0.5)
        calm = [sales.over_http(pour, seconds, LINES_AT_CONSTANT_RATE, REGIONS, http / 2) for _ in range(rounds)]
        yield at_most("sale_p99", median(each.percentile_ms(0.99) for each in calm), "ms", 15)
        hot = [sales.over_http(flood, seconds, CLIENTS, (HOT_REGION,)) for _ in range(rounds)]
        yield at_most("sale_hot_wallet_p99", median(each.percentile_ms(0.99) for each in hot), "ms", 60)
        yield ratio("sale", http, "sales/s", reference, 0.20)
        yield from _proof(sales)


def _round(sales: Sales, seconds: int) -> tuple[float, float, float, float]:
    return (
        sales.reference(seconds),
        sales.function(seconds),
        sales.together(seconds),
        sales.over_http(flood, seconds, CLIENTS, REGIONS).per_second,
    )


def _proof(sales: Sales) -> Iterator[Figure]:
    faults = sales.market.faults_of_books()
    yield must_be("books", len(faults), "checks that do not hold", 0)
    yield must_be("unsold", len(sales.unsold), "kinds of answers that were not a sold lead", 0)
    if faults or sales.unsold:
        raise Conflict("bench_went_wrong", "\n".join([*faults, *sales.unsold]))


@contextmanager
def _sales() -> Iterator[Sales]:
    spawned = multiprocessing.get_context("spawn")
    with open_market() as market, web_server(market) as address, ProcessPoolExecutor(1, spawned) as generator:
        with psycopg.connect(market.url, autocommit=True) as connection:
            connection.execute(Path(__file__).with_name("reference.sql").read_bytes())
        yield Sales(market, address, generator)


def request_bytes(region: str, secret: str) -> bytes:
    """Write the request that posts a lead of a region; the person is to be put in."""
    body = lead_body(region, PERSON)
    head = (
        "POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def sale_script(market: Market) -> str:
    """Write the call that the intake makes for a plain lead, as pgbench sends it: a new person, sold in some region."""
    return f"\\set region1 random(1, {len(REGIONS)})\nSELECT marketplace.sell_plain({_written(market, 1)});\n"


def together_script(market: Market) -> str:
    """Write the call that the intake makes for several plain leads at once."""
    numbers = range(1, TOGETHER + 1)
    chosen = "".join(f"\\set region{number} random(1, {len(REGIONS)})\n" for number in numbers)
    leads = ",".join(f"ROW({_written(market, number)})::marketplace.plain_sale" for number in numbers)
    return f"{chosen}SELECT count(*) FROM marketplace.sell_together(ARRAY[{leads}]);\n"


def _written(market: Market, number: int) -> str:
    """Write the values of a plain lead: a new person, sold in the region that pgbench knows by this number.

    They are the same text for all regions, as they are in the server, so that every connection plans them once.
    """
    calls = [_values(market, region) for region in REGIONS]
    values: list[object] = list(calls[0])
    for place in BUYING:  # constants as the planner sees them
        values[place] = [call[place] for call in calls]
    keys = len(calls[0][PERSONS])
    values[PERSONS] = "a person"
    for place in IDS:
        values[place] = "an id"
    marks = ", ".join("(%s)[0]" if place in BUYING else "%s" for place in range(len(values)))
    with psycopg.connect(market.url) as connection:
        text = psycopg.ClientCursor(connection).mogrify(marks, values)
    key = "sha256(int8send((random() * 9e18)::bigint))"
    text = text.replace("'a person'", f"ARRAY[{', '.join([key] * keys)}]", 1).replace("'an id'", "uuidv7()")
    return without_variables(text).replace("[0]", f"[:region{number}]")


def _values(market: Market, region: str) -> tuple[Any, ...]:
    sender, intake = Sender(market.publisher_id, market.key_id), desk().intake
    prepared = intake.prepare(decode(lead_body(region, PERSON), Submission), sender, new_id())
    [best], _ = prepared.shortlist.batch(ALONE)
    return plain_values(prepared, sender, best)
