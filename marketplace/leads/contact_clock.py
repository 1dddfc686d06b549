"""The clock of each delivered sale: set once from the order's terms, and the same before the watch has stored it."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.overrides import Overrides, overrides
from marketplace.catalog.regions import country_of
from marketplace.catalog.shelf import verticals_by_id
from marketplace.catalog.verticals import Vertical
from marketplace.catalog.zones import zone_of
from marketplace.leads.best_time import wanted_at
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.contact_speed import Setting, due_instant, left_alone_instant
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import unsealed
from marketplace.orders.models import OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

Versions = dict[tuple[UUID, int], OrderTerms]


def contacts_of(sales: list[Sale], leads: dict[UUID, Lead]) -> dict[UUID, SaleContact]:
    """Return the clock of each delivered sale by the sale's id, worked out but not stored where there is none yet."""
    delivered = [sale for sale in sales if sale.delivered_at is not None]
    query = select(SaleContact).where(SaleContact.sale_id.in_([sale.id for sale in delivered]))
    found = {contact.sale_id: contact for contact in db.session.scalars(query)}
    missing = [(sale, leads[sale.lead_id]) for sale in delivered if sale.id not in found]
    return found | {contact.sale_id: contact for contact in new_contacts(missing)}


def new_contacts(sales: list[tuple[Sale, Lead]]) -> list[SaleContact]:
    """Work out the clocks of delivered sales, each given with its lead, by the terms it was sold under."""
    if not sales:
        return []
    terms, said, verticals = _terms([sale for sale, _ in sales]), overrides(), verticals_by_id()
    return [_started(sale, lead, terms[sale.order_id, sale.order_version], verticals, said) for sale, lead in sales]


def store_contacts(contacts: list[SaleContact]) -> None:
    """Store new clocks; a sale that has one keeps it."""
    rows = [{name: value for name, value in vars(one).items() if not name.startswith("_")} for one in contacts]
    if rows:
        db.session.execute(insert(SaleContact).on_conflict_do_nothing(), rows, execution_options={"render_nulls": True})


def local_day(at: datetime, zone: str) -> date:
    """Return the date of an instant on the wall calendar of a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def _terms(sales: list[Sale]) -> Versions:
    wanted = {(sale.order_id, sale.order_version) for sale in sales}
    key = tuple_(OrderVersion.order_id, OrderVersion.version)
    rows = db.session.scalars(select(OrderVersion).where(key.in_(wanted)))
    return {(row.order_id, row.version): decode_terms(row.terms) for row in rows}


def _setting_of(lead: Lead, terms: OrderTerms, verticals: Mapping[int, Vertical], said: Overrides) -> Setting:
    """Say what settings are for a sale: its order's, its lead's country's, its vertical's, the exchange's."""
    vertical, country = verticals[lead.vertical_id], said.of_country(country_of(lead.region))
    return lambda key: int(vertical.setting(key, country, terms.settings, said.exchange))


def _started(
    sale: Sale, lead: Lead, terms: OrderTerms, verticals: Mapping[int, Vertical], said: Overrides
) -> SaleContact:
    """Start the clock at delivery, or when the person wants to be called, in the zone of the person's region."""
    assert sale.delivered_at is not None
    zone, schedule, setting = terms.timezone, terms.schedule, _setting_of(lead, terms, verticals, said)
    best_time = unsealed(lead, desk().vault)["contact"].get("best_time")
    wanted = wanted_at(best_time, zone_of(lead.region) or zone, sale.delivered_at)
    begins = wanted or sale.delivered_at
    return SaleContact(
        sale_id=sale.id, buyer_id=sale.buyer_id, order_id=sale.order_id, order_version=sale.order_version,
        publisher_id=sale.publisher_id, timezone=zone, delivered_at=sale.delivered_at,
        delivered_hour=sale.delivered_at.astimezone(ZoneInfo(zone)).hour,
        due_at=due_instant(lead.details["interest"], schedule, begins, setting),
        left_alone_at=left_alone_instant(schedule, begins, setting), attempts=0, attempt_days=0,
        wanted_at=wanted if begins > sale.delivered_at else None,
        best_time=None if not best_time else "respected" if wanted else "not_understood",
    )  # fmt: skip
