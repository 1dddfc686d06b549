"""What the sample market should show by its table, beside what was seen, and what cannot be judged yet."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from marketplace.demo.market import SampleMarket, TrueLabel

NOT_JUDGED = {
    "bots": "refused before the sale: 97 % of them, by signals that are not read yet",
    "hired": "people who are paid to fill in forms: 55 % refused before the sale",
    "pranks": "25 % refused before the sale",
    "competitors": "30 % refused before the sale",
    "bad_among_sold": "4.6 % of what is sold, once the four above are refused",
    "machine_decided": "62 % of disputes, once machines weigh their evidence",
    "breaker": "SubNet's s9 paused in 48 hours, TurnBad in 24: only buyers tell of robots by now, and later than that",
    "clicks": "45,000 a day with their robots and duplicates",
    "verified_only": "Mutuelle Senior buys unverified people, as nobody is verified yet",
    "actions_and_sales": "SilentCPS, Playforge, Boutique Zoé, SolarSur's appointments: paid by action or sale",
    "pings": "CréditVite bids the middle of its range by a standing order",
    "us_dollars": "Appetite trades in a currency of its own",
    "cards": "top-ups, chargebacks and payouts through Stripe",
    "by_email": "BankaPlus reads what it bought in the portal",
    "credit_line": "NordAssur pays in advance instead of net 30",
}


class Seen(Struct, frozen=True):
    """What is counted in the market; the last five over whole weekdays and all days."""

    leads: int
    mistyped: int
    duplicates: int
    no_consent: int
    off_criteria: int
    sold: int
    sales: int
    weekdays: int
    weekday_leads: int
    weekday_sales: int
    weekday_minor: int
    weekday_disputes: int
    upheld: int
    decided: int


class Figure(NamedTuple):
    """One figure of the table: what is expected, what was seen, and whether that is within the tolerance."""

    name: str
    expected: float
    seen: float
    within: bool


def figures_of(market: SampleMarket, seen: Seen, scale: float) -> list[Figure]:
    """Compare what was seen with the table; shares are in per cent, money in EUR."""
    tolerance = market.totals.tolerance_bp / 10_000
    return [_figure(name, expected, found, tolerance) for name, expected, found in _compared(market, seen, scale)]


def _figure(name: str, expected: float, seen: float, tolerance: float) -> Figure:
    return Figure(name, round(expected, 2), round(seen, 2), abs(seen - expected) <= expected * tolerance)


def _compared(market: SampleMarket, seen: Seen, scale: float) -> Iterator[tuple[str, float, float]]:
    totals, days, leads = market.totals, max(seen.weekdays, 1), max(seen.leads, 1)
    caught = {label: _share(market, (label,), caught=True) for label in ("mistyped", "duplicate", "weak_consent")}
    refused = seen.mistyped + seen.duplicates + seen.no_consent
    yield "leads_weekday", market.size.weekday_leads * 1.0, seen.weekday_leads / days
    yield "mistyped_refused_percent", caught["mistyped"], 100 * seen.mistyped / leads
    yield "duplicates_refused_percent", caught["duplicate"], 100 * seen.duplicates / leads
    yield "no_consent_refused_percent", caught["weak_consent"], 100 * seen.no_consent / leads
    yield "refused_percent", sum(caught.values()), 100 * refused / leads
    yield (
        "off_criteria_unsold_percent",
        _share(market, ("off_criteria",), caught=False),
        100 * seen.off_criteria / leads,
    )
    yield "sold_percent", totals.sold_bp / 100, 100 * seen.sold / leads
    yield "sales_weekday", totals.sales_weekday * scale, seen.weekday_sales / days
    yield "shares_per_sold_lead", SHARES, seen.sales / max(seen.sold, 1)
    yield "turnover_weekday_eur", float(Decimal(totals.turnover_weekday)) * scale, seen.weekday_minor / 100 / days
    yield "disputes_weekday", totals.disputes_weekday * scale, seen.weekday_disputes / days
    yield "upheld_percent_of_sales", totals.upheld_bp / 100, 100 * seen.upheld / max(seen.decided, 1)


SHARES = 1.35  # sales for each lead that is sold


def _share(market: SampleMarket, labels: Iterable[TrueLabel], *, caught: bool) -> float:
    """Return which part of all leads has one of these labels, or is caught for it, in per cent."""
    part = total = 0.0
    for publisher in market.publishers:
        rates: Mapping[TrueLabel, int] = publisher.rates_bp
        for label in labels:
            found = market.caught_bp.get(label, 0) / 10_000 if caught else 1.0
            part += publisher.leads_a_weekday * rates.get(label, 0) * found
        total += publisher.leads_a_weekday
    return part / total / 100
