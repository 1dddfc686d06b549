"""What the book says of every order and one lead, in sentences: slow, asked for by the page that tells why."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from core.money import Money
from marketplace.leads.pages import LeadFacts, Listed
from marketplace.orders.ages import not_of_age, paid_for
from marketplace.orders.contact_hours import may_call, next_call
from marketplace.orders.filters import compile_filter, explain
from marketplace.orders.periods import is_open, next_opening
from marketplace.orders.prices import price_for
from marketplace.orders.terms import OrderTerms
from marketplace.orders.where import reasons_of_place

WANTED = "wanted"


class Verdict(Struct, frozen=True):
    """One order and one lead: `wanted`, or why not; `detail` shows the order's own terms, so only to who may see them.

    `outcome` is one of wanted, paused, age, region, filtered, closed, below_min, suppressed; wanted has no `detail`.
    """

    order_id: UUID
    buyer_id: UUID
    version: int
    outcome: str
    detail: str


def verdicts(orders: Iterable[Listed], facts: LeadFacts, at: datetime) -> list[Verdict]:
    """Judge every order but deals with other publishers, in the order given (`Book.orders` is in rank order).

    Those wanted are the book's candidates and deals.
    """
    return [
        Verdict(each.order_id, each.buyer_id, each.version, *verdict_of(each, facts, at))
        for each in orders if each.terms.deal is None or each.terms.deal.publisher_id == facts.publisher_id
    ]  # fmt: skip


def verdict_of(listed: Listed, facts: LeadFacts, at: datetime) -> tuple[str, str]:
    """Return the outcome of one order and a lead, as `judge` does, and whether its buyer knows the person."""
    has_place = facts.aging is not None and listed.order_id in facts.aging.places
    outcome, detail = judge(listed.terms, facts, at, has_place)
    if outcome == WANTED and listed.buyer_id in facts.suppressed:
        return "suppressed", "The person is on a list of the buyer's that keeps leads away."
    return outcome, detail


def price_of(terms: OrderTerms, facts: LeadFacts) -> int:
    """Return what an order pays for a lead, whether it has just come or is offered again."""
    return paid_for(price_for(terms, facts.fields), terms.age, facts.aging)


def judge(terms: OrderTerms, facts: LeadFacts, at: datetime, has_place: bool = False) -> tuple[str, str]:
    """Return the outcome of one order and a lead with the exact reason; the first that applies, in a fixed order.

    An order that `has_place` was kept from this lead when it came, and may buy it though it is not fresh.
    """
    if terms.status != "active":
        return "paused", "The order is paused."
    if said := not_of_age(terms.age, facts.aging, has_place):
        return "age", said
    if terms.deal is not None and not terms.deal.runs(at):
        return "closed", f"The deal runs from {terms.deal.starts_at.isoformat()} to {terms.deal.ends_at.isoformat()}."
    if terms.regions and not set(terms.regions) & set(facts.regions):
        return "region", f"{facts.regions[0]} lies in none of the order's regions: {', '.join(terms.regions)}."
    reasons = " ".join(_reasons(terms, facts))
    if reasons:
        return "filtered", reasons
    if not is_open(terms.schedule, at):
        opening = next_opening(terms.schedule, at).astimezone(ZoneInfo(terms.timezone))
        return "closed", f"The order is closed; it opens {opening.isoformat(timespec='minutes')}."
    if terms.contact_hours and not may_call(facts.regions[0], at):
        return "closed", _not_to_be_called(terms, facts.regions[0], at)
    price = price_of(terms, facts)
    if price < facts.min_price_minor:
        bid, least = (Money(minor, terms.currency) for minor in (price, facts.min_price_minor))
        return (
            "below_min",
            f"The order bids {bid} {terms.currency}; the lead asks for at least {least} {terms.currency}.",
        )
    return WANTED, ""


def missed(terms: OrderTerms, facts: LeadFacts) -> Iterator[str]:
    """Yield every rule of an order that a lead does not meet, in a fixed order; a filter by its field and operator."""
    if terms.regions and not set(terms.regions) & set(facts.regions):
        yield "regions"
    if facts.score < terms.min_score:
        yield "min_score"
    if terms.temperatures and facts.temperature not in terms.temperatures:
        yield "temperatures"
    if terms.contact_classes and facts.contact_class not in terms.contact_classes:
        yield "contact_classes"
    if terms.verified_only and not facts.verified:
        yield "verified_only"
    if facts.exclusive_only and not terms.exclusive:
        yield "exclusivity"
    if any(reasons_of_place(terms.postal_prefixes, terms.radius, facts.fields)):
        yield "place"
    yield from dict.fromkeys(f"{one.field} {one.op}" for one in terms.filters if not compile_filter(one)(facts.fields))


def _not_to_be_called(terms: OrderTerms, region: str, at: datetime) -> str:
    opening = next_call(terms.schedule, region, at)
    if opening is None:
        return f"The order buys only while people may be called, and nothing says when that is in {region}."
    shown = opening.astimezone(ZoneInfo(terms.timezone)).isoformat(timespec="minutes")
    return f"People of {region} may not be called at this hour; the order opens {shown}."


def _reasons(terms: OrderTerms, facts: LeadFacts) -> Iterator[str]:
    if facts.score < terms.min_score:
        yield f"The score is {facts.score}; the order asks for at least {terms.min_score}."
    if terms.temperatures and facts.temperature not in terms.temperatures:
        yield f"The lead is {facts.temperature}; the order takes {', '.join(terms.temperatures)}."
    if terms.contact_classes and facts.contact_class not in terms.contact_classes:
        yield f"The contact class is {facts.contact_class}; the order takes {', '.join(terms.contact_classes)}."
    if terms.verified_only and not facts.verified:
        yield "The contact is not verified; the order takes verified leads only."
    if facts.exclusive_only and not terms.exclusive:
        yield "The lead is sold exclusively; the order shares."
    yield from reasons_of_place(terms.postal_prefixes, terms.radius, facts.fields)
    yield from (explain(each, facts.fields) for each in terms.filters if not compile_filter(each)(facts.fields))
