"""What a change of a vertical does to what is traded by it already: standing orders, and sources of publishers."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from core.db import db
from core.errors import Fault, Invalid
from core.ids import show_id
from marketplace.catalog.regions import is_region
from marketplace.catalog.verticals import Vertical
from marketplace.leads.sources.models import LeadSource
from marketplace.leads.sources.register import terms_of
from marketplace.leads.sources.terms import check_terms as check_source
from marketplace.orders.checks import check_terms
from marketplace.orders.filters import key_of, listed_keys, paths_of
from marketplace.orders.models import Order
from marketplace.orders.terms import OrderTerms, body_of, decode_terms

ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change makes wrong with one order (`ord_…`) or one source (`src_…`) that was right before."""

    id: str
    owner_id: UUID
    name: str
    faults: tuple[Fault, ...]


def effects_on(vertical_id: int, before: Vertical, after: Vertical) -> list[Effect]:
    """Return every order and source that the change makes wrong, orders first; closed ones are nobody's concern."""
    return [*_orders(vertical_id, before, after), *_sources(before, after)]


def mark_of(effects: Sequence[Effect]) -> str:
    """Return a short mark of these effects: whoever agrees to it has seen these and no others."""
    seen = "\n".join(f"{one.id} {fault.field} {fault.code}" for one in effects for fault in one.faults)
    return hashlib.sha256(seen.encode()).hexdigest()[:16] if effects else ""


def order_faults(terms: OrderTerms, before: Vertical, after: Vertical) -> list[Fault]:
    """Name what is wrong with an order under a vertical's new definition and was not under the one before."""
    old = set(_faults(terms, before))
    return [fault for fault in _faults(terms, after) if fault not in old]


def _faults(terms: OrderTerms, vertical: Vertical) -> Iterator[Fault]:
    """Yield what an order may not say in a vertical, and the values it asks for that no lead can have there."""
    yield from check_terms(
        body_of(terms), currency=vertical.currency, min_price_minor=vertical.min_price.minor,
        paths=paths_of(field.name for field in vertical.fields), is_region=is_region,
    )  # fmt: skip
    choices = {ATTRIBUTE + field.name: field.values for field in vertical.fields if field.type == "enum"}
    for place, one in enumerate(terms.filters):
        if one.field in choices and one.op in ("eq", "in"):
            gone = listed_keys(one) - {key_of(value) for value in choices[one.field]}
            if gone:
                named = ", ".join(sorted(str(value) for _, value in gone))
                yield Fault(f"filters.{place}.value", "value_gone", f"No lead can have {one.field} = {named} any more.")


def _orders(vertical_id: int, before: Vertical, after: Vertical) -> Iterator[Effect]:
    query = select(Order).where(Order.vertical_id == vertical_id, Order.status != "closed").order_by(Order.id)
    for row in db.session.scalars(query):
        terms = decode_terms(row.terms)
        if faults := order_faults(terms, before, after):
            yield Effect(show_id("ord", row.id), row.buyer_id, terms.name, tuple(faults))


def _sources(before: Vertical, after: Vertical) -> Iterator[Effect]:
    query = select(LeadSource).where(LeadSource.vertical == after.slug, LeadSource.status != "closed")
    for row in db.session.scalars(query.order_by(LeadSource.id)):
        old = set(_source_faults(row, before))
        if faults := [fault for fault in _source_faults(row, after) if fault not in old]:
            yield Effect(show_id("src", row.id), row.publisher_id, row.name, tuple(faults))


def _source_faults(row: LeadSource, vertical: Vertical) -> tuple[Fault, ...]:
    try:
        check_source(row.dialect, row.name, terms_of(row), vertical)
    except Invalid as wrong:
        return wrong.faults
    return ()
