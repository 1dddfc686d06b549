"""What one attempt sends: the parcel of a sale as its order version asks, signed, and how the answer is read."""

from datetime import UTC, datetime
from typing import NamedTuple, TypeVar
from uuid import UUID

from msgspec import convert
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from core.db import Model, db
from core.errors import Invalid
from core.ids import show_id
from core.money import Money
from core.outbound import Request
from core.signatures import sign
from marketplace.catalog.models import VerticalRow
from marketplace.leads.delivery.answers import AnswerRules
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.delivery.offered import secret_of
from marketplace.leads.delivery.parcel import ConsentGiven, Parcel
from marketplace.leads.delivery.requests import Posted, request_of, rules_of
from marketplace.leads.delivery.settings import delivery_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import unsealed
from marketplace.leads.submission import Contact
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

Row = TypeVar("Row", bound=Model)


class Posting(NamedTuple):
    """A request that is ready to go, what it carries, for how long it is waited for, and how its answer is judged."""

    request: Request
    parcel: Parcel
    rules: AnswerRules
    currency: str
    timeout_seconds: float


def postings_of(sale_ids: list[UUID]) -> dict[UUID, Posting | Invalid]:
    """Write the requests that deliver some sales, each under the order version that bought it; reads only.

    Invalid in the place of one that cannot be written.
    """
    sales = {sale.id: sale for sale in _by_id(Sale, Sale.id, sale_ids)}
    leads = {lead.id: lead for lead in _by_id(Lead, Lead.id, [sale.lead_id for sale in sales.values()])}
    rows = _by_id(DeliveryRow, DeliveryRow.sale_id, sale_ids)
    return {row.sale_id: _written(row, sales[row.sale_id], leads[row.lead_id]) for row in rows}


def _by_id(kind: type[Row], key: InstrumentedAttribute[UUID], ids: list[UUID]) -> list[Row]:
    return list(db.session.scalars(select(kind).where(key.in_(ids)))) if ids else []


def _written(row: DeliveryRow, sale: Sale, lead: Lead) -> Posting | Invalid:
    try:
        return _posting_of(row, sale, lead)
    except Invalid as unwritable:
        return unwritable


def _posting_of(row: DeliveryRow, sale: Sale, lead: Lead) -> Posting:
    terms = decode_terms(db.session.get_one(OrderVersion, (row.order_id, row.order_version)).terms)
    settings = delivery_of(terms.delivery)
    assert isinstance(settings, Posted)
    parcel = parcel_of(sale, lead, terms)
    written = request_of(settings, parcel)
    headers = {**written.headers, **_signature(row, written.body)}
    request = Request(written.method, written.url, headers, written.body)
    return Posting(request, parcel, rules_of(settings), sale.currency, settings.timeout_seconds)


def parcel_of(sale: Sale, lead: Lead, terms: OrderTerms) -> Parcel:
    """Return a bought lead as its buyer receives it."""
    private, details = unsealed(lead, desk().vault), lead.details
    return Parcel(
        sale_id=show_id("sale", sale.id), lead_id=show_id("lead", lead.id),
        vertical=db.session.get_one(VerticalRow, lead.vertical_id).slug, region=lead.region,
        contact=convert(private["contact"], Contact), attributes=details.get("attributes", {}),
        comments=private["comments"], interest=details.get("interest") or "request",
        consent=convert(details.get("consent") or {}, ConsentGiven), price=Money(sale.price_minor, sale.currency),
        order_name=terms.name, received_at=lead.received_at, sold_at=sale.sold_at, score=lead.score,
        temperature=lead.temperature, contact_class=lead.contact_class, share_count=terms.max_share,
        exclusive=terms.exclusive, test=lead.test,
    )  # fmt: skip


def _signature(row: DeliveryRow, body: bytes) -> dict[str, str]:
    """Sign per Standard Webhooks where the order has a secret; the message id stays the same in every attempt."""
    secret = secret_of(row.order_id, desk().vault)
    return sign([secret], show_id("sale", row.sale_id), datetime.now(UTC), body) if secret else {}
