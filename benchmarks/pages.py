"""How long pages take on the server: every GET page of every kind of account, small and with a long history.

The demonstration's month, and beside it one publisher and one buyer with 100,000 sales. Pages are found in the URL map
and their ids on the pages that lead there, so a new page is measured without being named here.
"""

from collections.abc import Iterator
from statistics import median

from benchmarks.stage.crowd import PASSWORD, Exchange, open_exchange
from benchmarks.stage.figures import Figure, at_most, must_be
from benchmarks.stage.walk import Look, Walker
from core.errors import Conflict

SALES = 100_000
TARGET_MS = 50
MOST_QUERIES = 12
WARM_UP = 2
ENDLESS = (".csv",)  # answers that hold everything, however much it is


def run(short: bool) -> Iterator[Figure]:
    """Measure each page, the headline `pages` (how many miss their target) last; Conflict when one does not open."""
    times = 21 if short else 41  # of eleven the 95th percentile would be the slowest
    with open_exchange(0.05 if short else 0.3, SALES) as exchange:
        yield from measure(exchange, times)


def measure(exchange: Exchange, times: int) -> Iterator[Figure]:
    """Look at every page so many times, as everybody who can sign in."""
    missed, broken = 0, []
    for kind, people in sorted(exchange.people.items()):
        for email in people:
            walker = Walker(exchange.app, email, PASSWORD)
            found, unreached = walker.pages(kind)
            for rule, path in sorted(found.items()):
                figure, looks = _measured(walker, f"{email.split('@')[0]} {rule}", path, times)
                broken += [f"{path}: {look.status}" for look in looks if look.status >= 400][:1]
                missed += not figure["met"]
                yield figure
            for rule in unreached:
                yield must_be(f"{email.split('@')[0]} {rule}", 0, "pages found by a link", 1) | {"met": None}
    yield must_be("pages", missed, "pages that miss their target", 0)
    if broken:
        raise Conflict("bench_went_wrong", "\n".join(broken))


def _measured(walker: Walker, name: str, path: str, times: int) -> tuple[Figure, list[Look]]:
    is_endless = path.endswith(ENDLESS)
    looks = [walker.look(path) for _ in range(1 if is_endless else WARM_UP + times)][-times:]
    waits = sorted(look.seconds * 1000 for look in looks)
    p95 = waits[min(int(len(waits) * 0.95), len(waits) - 1)]
    more = {"p50": round(median(waits), 1), "queries": looks[-1].queries, "bytes": looks[-1].bytes}
    figure = at_most(name, p95, "ms (p95)", TARGET_MS) | more
    if is_endless:
        figure |= {"target": None, "met": True}
    figure["met"] = figure["met"] and (is_endless or looks[-1].queries <= MOST_QUERIES)
    return figure, looks
