"""The exchange's defaults as they are shown: one table a subject, with what the shipped verticals say otherwise."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from core.defaults import Default, defaults, show_quantity
from marketplace.catalog.definition import said_in
from marketplace.catalog.verticals import read_shipped, shipped_slugs
from marketplace.market.seeds import PriceSeeds, price_seeds
from marketplace.resolved import REACHES, reach_said

HEAD = """# Defaults

Every number of the exchange that somebody might ask the reason of. This page is made from
`core/defaults/defaults.yaml`, the shipped verticals and `marketplace/market/seeds.yaml` by
`leadbourse defaults --markdown`; a test compares. Change the data, not the page.

`limits` are the operator's. He says any value within them for the whole *exchange*, at `/operator/settings`; there a
*country*, and in its own `settings` a buyer's *order*, narrow what stands above them and never loosen it. A *vertical*
narrows it in its file, or says any value *within* the limits. Who may say otherwise stands with each number, or why
nobody may. `leadbourse defaults --effective` prints what holds and who says so.
"""
PRICES_HEAD = """
## Price corridors

Cost per lead to the buyer, in EUR, where the factors are 1.00: seeds for suggestions until trade shows its own. The
minimum price is 70 % of the low end of the shared corridor; where leads are not usual, of the cheapest action.

| vertical | minimum | shared | exclusive | others | leads that end in a sale | margin of a sale |
|---|---|---|---|---|---|---|
"""


def as_plain() -> dict[str, Any]:
    """Return everything as plain JSON values: each setting by its key, the verticals that differ, and the seeds."""
    rows = [
        {
            "section": section.title,
            "verticals": _otherwise(row),
            "levels": list(REACHES[row.key].levels),
            **msgspec.to_builtins(row),
        }
        for section in defaults().sections
        for row in section.settings
    ]
    return {"settings": rows, "seeds": msgspec.to_builtins(price_seeds())}


def as_page() -> str:
    """Return docs/defaults.md."""
    parts = [HEAD]
    for section in defaults().sections:
        parts.append(
            f"\n## {section.title}\n\n"
            "| setting | value | limits | who may say otherwise | what it says | source, reason |\n"
        )
        parts.append("|---|---|---|---|---|---|\n")
        parts += [_line(row) for row in section.settings]
    parts += [PRICES_HEAD, *_price_lines(), *_seed_lines(price_seeds())]
    return "".join(parts)


@cache
def _said_by_vertical() -> dict[str, dict[str, Any]]:
    return {slug: dict(said_in(read_shipped(slug).definition)) for slug in shipped_slugs()}


def _otherwise(row: Default) -> dict[str, Any]:
    """Return what shipped verticals say otherwise, by slug."""
    said = {slug: each.get(row.key, row.value) for slug, each in _said_by_vertical().items()}
    return {slug: value for slug, value in said.items() if value != row.value}


def _line(row: Default) -> str:
    value = "; ".join([row.shown, *_groups(row)])
    bounds = (", " if row.choices else " to ").join(row.bounds)
    who = reach_said(row) or REACHES[row.key].why_not
    return f"| `{row.key}` | {value} | {bounds} | {who} | {row.says} | {row.source} |\n"


def _groups(row: Default) -> Iterator[str]:
    groups: dict[Any, list[str]] = {}
    for slug, value in _otherwise(row).items():
        groups.setdefault(value, []).append(slug)
    for value, slugs in sorted(groups.items()):
        yield f"{show_quantity(value, row.unit)} in {', '.join(slugs)}"


def _price_lines() -> Iterator[str]:
    for slug in shipped_slugs():
        said = read_shipped(slug).definition
        cpl, outcome = said.prices.cpl, said.outcome
        pairs = [" to ".join(pair) for pair in (cpl.shared, cpl.exclusive)] if cpl else ["", ""]
        sale = _range([f"{bp / 100:g} %" for bp in outcome.sale_bp]) if outcome else ""
        margin = outcome.margin or "" if outcome else ""
        cells = (slug, said.min_price.amount, *pairs, _others(said.prices), sale, margin)
        yield f"| {' | '.join(cells)} |\n"


def _others(prices: Any) -> str:
    words = [f"{action} {' to '.join(pair)}" for action, pair in prices.cpa.items()]
    if prices.cps:
        new = f", new customer +{prices.cps.new_customer_bp / 100:g} points" if prices.cps.new_customer_bp else ""
        words.append(f"sale {prices.cps.low_bp / 100:g} to {prices.cps.high_bp / 100:g} %{new}")
    return "; ".join(words)


def _range(ends: list[str]) -> str:
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def _seed_lines(seeds: PriceSeeds) -> Iterator[str]:
    yield "\n## Price factors\n\nA suggestion is the corridor times the factors of place, class and temperature.\n"
    for name in ("countries", "regions", "classes", "temperatures"):
        yield f"\n| {name} | factor |\n|---|---|\n"
        yield from (f"| {key} | {bp / 10_000:.2f} |\n" for key, bp in getattr(seeds, name).items())
    yield f"\nA region that is not listed counts 1.00, a rural one {seeds.rural_bp / 10_000:.2f}.\n"
