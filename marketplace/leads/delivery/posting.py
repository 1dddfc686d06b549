"""What one attempt sends: the parcel of a sale as its order version asks, and how what comes back is read."""

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
from marketplace.leads.again.told import Aged, aged_of
from marketplace.leads.delivery.answers import AnswerRules
from marketplace.leads.delivery.credentials import opened, secrets_in
from marketplace.leads.delivery.mail.letters import Letter, letter_of
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.delivery.offered import secret_of
from marketplace.leads.delivery.parcel import ConsentGiven, Parcel
from marketplace.leads.delivery.requests import Posted, request_of, rules_of
from marketplace.leads.delivery.settings import AdfDelivery, CsvDelivery, EmailDelivery, delivery_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import unsealed
from marketplace.leads.submission import Contact
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

Row = TypeVar("Row", bound=Model)


class Posting(NamedTuple):
    """A request that is ready to go, what it carries, for how long it is waited for, and how its answer is judged.

    `secrets` are hidden in what is logged of it.
    """

    request: Request
    parcel: Parcel
    rules: AnswerRules
    currency: str
    timeout_seconds: float
    secrets: tuple[str, ...] = ()


class Sold(NamedTuple):
    """A sale with its lead, and what its buyer is told when the lead was not fresh."""

    sale: Sale
    lead: Lead
    aged: Aged | None


# What a sale is delivered by: a request, a letter, the next file of its order, or nothing as it cannot be written.
Prepared = Posting | Letter | CsvDelivery | Invalid


def postings_of(sale_ids: list[UUID], *, by_present_terms: bool = False) -> dict[UUID, Prepared]:
    """Write what delivers some sales, each under the order version that bought it; reads only.

    Or as their orders ask at present, for what is sent again. The settings stand in the place of what goes into a file,
    Invalid in that of one that cannot be written.
    """
    sales = {sale.id: sale for sale in _by_id(Sale, Sale.id, sale_ids)}
    leads = {lead.id: lead for lead in _by_id(Lead, Lead.id, [sale.lead_id for sale in sales.values()])}
    rows, aged = _by_id(DeliveryRow, DeliveryRow.sale_id, sale_ids), aged_of(sale_ids)
    return {
        row.sale_id: _written(
            row, Sold(sales[row.sale_id], leads[row.lead_id], aged.get(row.sale_id)), by_present_terms
        )
        for row in rows
    }


def _by_id(kind: type[Row], key: InstrumentedAttribute[UUID], ids: list[UUID]) -> list[Row]:
    return list(db.session.scalars(select(kind).where(key.in_(ids)))) if ids else []


def _written(row: DeliveryRow, sold: Sold, by_present_terms: bool) -> Prepared:
    try:
        return _posting_of(row, sold, by_present_terms)
    except Invalid as unwritable:
        return unwritable


def _posting_of(row: DeliveryRow, sold: Sold, by_present_terms: bool) -> Posting | Letter | CsvDelivery:
    terms = _terms_of(row, by_present_terms)
    plain = opened(terms.delivery, desk().vault, row.buyer_id)
    settings = delivery_of(plain)
    if isinstance(settings, CsvDelivery) and not by_present_terms:
        return settings
    sale, parcel = sold.sale, parcel_of(sold, terms)
    if isinstance(settings, EmailDelivery) or (isinstance(settings, AdfDelivery) and settings.url is None):
        return letter_of(sale.id, sale.buyer_id, settings, parcel)
    if not isinstance(settings, Posted):  # the order was changed since it was asked to send a lead again
        raise Invalid("nothing_to_send_to", "The order sends no lead by itself now.")
    secret = secret_of(row.order_id, desk().vault)
    return posting_with(settings, parcel, sale.currency, secret, secrets_in(plain))


def posting_with(
    settings: Posted, parcel: Parcel, currency: str, secret: str | None, secrets: tuple[str, ...]
) -> Posting:
    """Write the request that takes a parcel to its buyer, signed per Standard Webhooks where there is a secret.

    The message id is the sale's, the same in every attempt.
    """
    written = request_of(settings, parcel)
    signature = sign([secret], parcel.sale_id, datetime.now(UTC), written.body) if secret else {}
    request = Request(written.method, written.url, {**written.headers, **signature}, written.body)
    return Posting(request, parcel, rules_of(settings), currency, settings.timeout_seconds, secrets)


def _terms_of(row: DeliveryRow, at_present: bool = False) -> OrderTerms:
    if at_present:
        return decode_terms(db.session.get_one(Order, row.order_id).terms)
    return decode_terms(db.session.get_one(OrderVersion, (row.order_id, row.order_version)).terms)


def parcel_of_sale(sale: Sale) -> Parcel:
    """Return a bought lead as its buyer receives it under the order version that bought it; reads only."""
    version = db.session.get_one(OrderVersion, (sale.order_id, sale.order_version))
    sold = Sold(sale, db.session.get_one(Lead, sale.lead_id), aged_of([sale.id]).get(sale.id))
    return parcel_of(sold, decode_terms(version.terms))


def parcel_of(sold: Sold, terms: OrderTerms) -> Parcel:
    """Return a bought lead as its buyer receives it."""
    sale, lead, aged = sold
    private, details = unsealed(lead, desk().vault), lead.details
    age = aged._asdict() if aged else {}
    return Parcel(
        sale_id=show_id("sale", sale.id), lead_id=show_id("lead", lead.id),
        vertical=db.session.get_one(VerticalRow, lead.vertical_id).slug, region=lead.region,
        contact=convert(private["contact"], Contact), attributes=details.get("attributes", {}),
        comments=private["comments"], interest=details.get("interest") or "request",
        consent=convert(details.get("consent") or {}, ConsentGiven), price=Money(sale.price_minor, sale.currency),
        order_name=terms.name, received_at=lead.received_at, sold_at=sale.sold_at, score=lead.score,
        temperature=lead.temperature, contact_class=lead.contact_class, share_count=terms.max_share,
        exclusive=terms.exclusive and not age.get("resold"), test=lead.test, **age,
    )  # fmt: skip
