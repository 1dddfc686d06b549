"""The report of a run: what happened, what would have, and the difference, by vertical and in all of each currency."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.clock import as_rfc3339
from marketplace.what_if.course import Run
from marketplace.what_if.tally import Tally, difference, summed

MODELLED = (
    "who wants each lead and who gets it, by the vertical's rules and the orders' versions of then, as changed",
    "caps, budgets, the pace, limits over all orders of a buyer, ladders, target shares and whose turn it is, as the"
    " supposed sales move them",
    "what wallets can spend, as the supposed sales move it; who is sold already; the next buyer after a refusal",
    "prices, the publishers' shares and the platform's margin",
)
TAKEN = (
    "top-ups, credits, payments and credit lines, as they happened and when",
    "what became of a sold lead: who refused it or could not take it, what was returned or credited, kept by lead",
    "what was rejected before the market, whom buyers keep away, and which endpoints were paused",
    "further offers: which order bought an old lead, when and at which price; such a sale is left out where its lead"
    " stands otherwise or its order can buy no more, and no lead is offered again that was not",
    "where the question of who may buy a lead is what it was: its answer, with all that only the moment knew",
)


def report_of(run: Run, since: datetime | None, until: datetime | None, names: Mapping[int, str]) -> dict[str, Any]:
    """Return the whole report as plain values; verticals by `names`, those without a lead left out."""
    happened, supposed = run.happened.tallies, run.supposed.tallies
    ids = sorted(happened.keys() | supposed.keys(), key=lambda one: names[one])
    pairs = {one: _pair(happened.get(one), supposed.get(one)) for one in ids}
    in_all = _pairs(summed(then for then, _ in pairs.values()), summed(now for _, now in pairs.values()))
    return {
        "from": None if since is None else as_rfc3339(since),
        "to": None if until is None else as_rfc3339(until),
        "in_all": [_side_by_side(*pair) | {"currency": pair[0].currency} for pair in in_all],
        "verticals": [
            {"vertical": names[one], "currency": pairs[one][0].currency} | _side_by_side(*pairs[one]) for one in ids
        ],
        "days": [
            {"day": day.isoformat(), "happened": run.happened.days[day], "what_if": run.supposed.days[day]}
            for day in sorted(run.happened.days.keys() | run.supposed.days.keys())
        ],
        "decided": run.decided(),
        "further_sales": run.further.told(),
        "modelled": list(MODELLED),
        "taken_from_the_record": list(TAKEN),
    }  # fmt: skip


def _pair(happened: Tally | None, supposed: Tally | None) -> tuple[Tally, Tally]:
    known = happened or supposed
    assert known is not None
    return happened or Tally(known.currency), supposed or Tally(known.currency)


def _pairs(happened: dict[str, Tally], supposed: dict[str, Tally]) -> list[tuple[Tally, Tally]]:
    return [(happened[currency], supposed[currency]) for currency in sorted(happened)]


def _side_by_side(happened: Tally, supposed: Tally) -> dict[str, Any]:
    return {
        "happened": happened.as_json(), "what_if": supposed.as_json(), "difference": difference(happened, supposed)
    }  # fmt: skip
