"""Parcels and settings for the tests of deliveries."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from core.errors import Fault
from core.money import Money
from marketplace.catalog.verticals import read_shipped
from marketplace.leads.delivery.checks import delivery_faults
from marketplace.leads.delivery.parcel import ConsentGiven, Parcel, sample_parcel
from marketplace.leads.delivery.settings import Delivery, delivery_of
from marketplace.leads.submission import Contact

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ADA = Contact(
    first_name="Ada Maria",
    last_name="O'Brien",
    email="ada.obrien@mail.example",
    phone="+33199004567",
    postal_code="75011",
    city="Saint-Étienne",
    address='12 rue "Neuve"',
    company="Dupont & Fils <SARL>",
)


def make_parcel(contact: Contact = ADA, **changes: Any) -> Parcel:
    """Make a parcel of a person whose data needs every kind of escaping."""
    values: dict[str, Any] = {
        "sale_id": "sal_1", "lead_id": "lead_1", "vertical": "education", "region": "FR-IDF", "contact": contact,
        "attributes": {"course": "business", "free_copy": True, "visits": 3}, "comments": 'Call\r\n"soon" & <loud>',
        "source_name": "Spring", "price": Money(1250, "EUR"), "order_name": "Paris", "received_at": AT, "sold_at": AT,
        "score": 80, "temperature": "hot", "contact_class": "interested", "share_count": 3, "exclusive": False,
        "consent": ConsentGiven(text="I agree", given_at=AT, page_url="https://form.example/?a=1&b=2", ip="192.0.2.7"),
    }  # fmt: skip
    return Parcel(**(values | changes))


@cache
def example() -> Parcel:
    """Return the sample parcel of education."""
    return sample_parcel(read_shipped("education"))


def settings_of(kind: str, **values: Any) -> Any:
    """Read settings, which must have no faults."""
    settings = delivery_of({"kind": kind, **values})
    assert delivery_faults(settings, example()) == []
    return settings


def faults_of(kind: str, **values: Any) -> dict[str, str]:
    """Return the faults of settings: the code by the field."""
    settings: Delivery = delivery_of({"kind": kind, **values})
    found: list[Fault] = delivery_faults(settings, example())
    return {fault.field.removeprefix("delivery."): fault.code for fault in found}
