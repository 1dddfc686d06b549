"""What a buyer receives of one lead bought, and the plain values that mappings, templates and our own webhook share."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from core.clock import as_rfc3339
from core.money import Money
from marketplace.catalog.fields import example_of
from marketplace.catalog.regions import country_of
from marketplace.catalog.verticals import Vertical
from marketplace.leads.submission import Contact
from marketplace.orders.ages import DAY

Scalar = str | int | float | bool | None
_UNITS = ((DAY, "day"), (60, "hour"), (1, "minute"))


class ConsentGiven(Struct, frozen=True, kw_only=True):
    """What the person agreed to, when, where and from which address."""

    text: str | None = None
    given_at: datetime | None = None
    page_url: str | None = None
    ip: str | None = None


class Parcel(Struct, frozen=True, kw_only=True):
    """One bought lead as its buyer may see it; ids are the public ones, `test` marks what no person sent.

    The publisher's sub ids, click ids and costs are left out: they name campaigns and people of the publisher, and
    with them a buyer could buy around the exchange. `source_name` is None unless the publisher shows it. How old it is,
    whether others bought it before, and why one sent it back are None for a lead that is sold as it came.
    """

    sale_id: str
    lead_id: str
    vertical: str
    region: str
    contact: Contact
    attributes: dict[str, Scalar] = {}
    comments: str | None = None
    interest: str = "request"
    source_name: str | None = None
    consent: ConsentGiven = ConsentGiven()
    price: Money
    order_name: str
    received_at: datetime
    sold_at: datetime
    score: int
    temperature: str
    contact_class: str
    share_count: int = 1
    exclusive: bool = True
    age_minutes: int | None = None
    resold: bool | None = None
    returned: str | None = None
    test: bool = False


def plain_of(parcel: Parcel) -> dict[str, Any]:
    """Write a parcel as plain values: the paths of a mapping, the names of a template and the webhook's `data`."""
    contact: dict[str, Any] = msgspec.to_builtins(parcel.contact)
    names = (name for name in (parcel.contact.first_name, parcel.contact.last_name) if name)
    country, _, subdivision = parcel.region.partition("-")
    return {
        "sale_id": parcel.sale_id,
        "lead_id": parcel.lead_id,
        "vertical": parcel.vertical,
        "region": parcel.region,
        "country": country,
        "subdivision": subdivision or None,
        "contact": {"full_name": " ".join(names) or None, **contact},
        "attributes": dict(parcel.attributes),
        "comments": parcel.comments,
        "interest": parcel.interest,
        "source": parcel.source_name,
        "consent": _plain_consent(parcel.consent),
        "price": parcel.price.as_json(),
        "order": parcel.order_name,
        "received_at": as_rfc3339(parcel.received_at),
        "sold_at": as_rfc3339(parcel.sold_at),
        "score": parcel.score,
        "temperature": parcel.temperature,
        "contact_class": parcel.contact_class,
        "exclusive": parcel.exclusive,
        "share_count": parcel.share_count,
        "aged": {"age_minutes": parcel.age_minutes, "resold": parcel.resold, "returned": parcel.returned},
        "test": parcel.test,
    }


def age_said(plain: dict[str, Any]) -> str | None:
    """Say how old a lead was when it was sold, and who had it before; None for one that was sold as it came."""
    minutes, returned = plain["aged"]["age_minutes"], plain["aged"]["returned"]
    if minutes is None:
        return None
    size, unit = next((each for each in _UNITS if minutes >= 2 * each[0]), _UNITS[-1])
    before = "bought before" if plain["aged"]["resold"] else "nobody bought it before"
    if returned:
        before = f"bought before and sent back: {returned.replace('_', ' ')}"
    return f"{minutes // size} {unit}{'' if minutes // size == 1 else 's'} old; {before}"


def is_aged(plain: dict[str, Any]) -> bool:
    """Tell whether a lead is not fresh: a day old or bought before; one that only waited for a while is fresh."""
    return (plain["aged"]["age_minutes"] or 0) >= DAY or bool(plain["aged"]["resold"])


def paths_in(plain: dict[str, Any]) -> frozenset[str]:
    """Name every path of plain values that leads to a single value: `region`, `contact.email` …"""
    inner = {f"{name}.{part}" for name, value in plain.items() if isinstance(value, dict) for part in value}
    return frozenset(inner | {name for name, value in plain.items() if not isinstance(value, dict)})


def value_at(plain: dict[str, Any], path: str) -> Scalar:
    """Return the value at a path, None when there is none."""
    value: Any = plain
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if isinstance(value, dict | list) else value


def sample_parcel(vertical: Vertical) -> Parcel:
    """Make the parcel that the test button sends: marked as a test, with every attribute of the vertical."""
    region = vertical.definition.example_region
    received_at = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    return Parcel(
        sale_id="sal_01kexample0000000000000000",
        lead_id="lead_01kexample000000000000000",
        vertical=vertical.slug,
        region=region,
        contact=_sample_contact(country_of(region)),
        attributes={field.name: example_of(field) for field in vertical.fields},
        comments="This is a test; nobody is waiting for a call.",
        source_name="example-source",
        consent=ConsentGiven(
            text="I agree that my data is passed on to companies that make me an offer.",
            given_at=received_at - timedelta(minutes=1),
            page_url="https://example.com/form",
            ip="203.0.113.9",
        ),
        price=Money(2000, vertical.currency),
        order_name="Example order",
        received_at=received_at,
        sold_at=received_at + timedelta(seconds=1),
        score=78,
        temperature="warm",
        contact_class="interested",
        test=True,
    )


# Numbers reserved for fiction, by country.
_PHONES = {"FR": "+33199001234", "GB": "+447700900123", "IE": "+353209112345", "US": "+12125550123"}


def _sample_contact(country: str) -> Contact:
    return Contact(
        first_name="Test",
        last_name="Martin",
        email="test.martin@example.com",
        phone=_PHONES.get(country, _PHONES["FR"]),
        profile_url="https://social.example/test.martin",
        postal_code="75011",
        city="Paris",
        address="1 rue de l'Exemple",
        language="fr",
        best_time="evenings",
        company="Example & Sons",
        position="Owner",
    )


def _plain_consent(consent: ConsentGiven) -> dict[str, Any]:
    given_at = as_rfc3339(consent.given_at) if consent.given_at else None
    return {"text": consent.text, "given_at": given_at, "page_url": consent.page_url, "ip": consent.ip}
