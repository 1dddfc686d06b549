"""A parcel as an ADF prospect: the contact in the format's parts, the vehicle from attributes, the rest in words."""

from typing import Any

from core.schemas import convert
from marketplace.leads.delivery.adf.model import (
    INTERESTS,
    VEHICLE_TEXTS,
    Address,
    Contact,
    Customer,
    Id,
    Name,
    Phone,
    Prospect,
    Provider,
    Vehicle,
    Vendor,
)
from marketplace.leads.delivery.formats import text_of
from marketplace.leads.delivery.mapping import pairs_of
from marketplace.leads.delivery.parcel import Parcel, age_said, plain_of
from marketplace.leads.delivery.settings import AdfDelivery

# What the fields of ADF settings may fill; an attribute of the same name fills it by itself.
VEHICLE_ELEMENTS = (*VEHICLE_TEXTS, "odometer", "odometer_units", "interest", "status", "comments")


def prospect_of(settings: AdfDelivery, parcel: Parcel) -> Prospect:
    """Write a parcel as the prospect that this dealer receives."""
    plain = plain_of(parcel)
    vehicle = {name: text_of(value) for name, value in plain["attributes"].items() if name in VEHICLE_ELEMENTS}
    vehicle |= {name: text_of(value) for name, value in pairs_of(settings.fields, plain)}
    return Prospect(
        requested_at=parcel.received_at,
        ids=(Id(text=parcel.lead_id, source=settings.provider, sequence="1"),),
        vehicles=(_vehicle(vehicle),),
        customer=Customer(contact=_contact(parcel), comments=_comments(plain)),
        vendor=Vendor(
            vendorname=settings.vendor, contact=Contact(names=(Name(text=settings.vendor, type="business"),))
        ),
        provider=Provider(name=settings.provider),
    )


def _vehicle(texts: dict[str, str]) -> Vehicle:
    interest, units = texts.get("interest", "").lower(), texts.get("odometer_units", "").lower()
    limited = {
        "interest": interest if interest in INTERESTS else "buy",
        "status": "used" if texts.get("status", "").lower() == "used" else "new",
        "odometer_units": units if units in ("km", "mi") else "",
    }
    return convert(texts | limited, Vehicle)


def _contact(parcel: Parcel) -> Contact:
    contact = parcel.contact
    names = [Name(text=text, part=part) for part, text in (("first", contact.first_name), ("last", contact.last_name))
             if text]  # fmt: skip
    country, _, subdivision = parcel.region.partition("-")
    return Contact(
        names=tuple(names) or tuple(Name(text=text, type="business") for text in (contact.company,) if text),
        email=contact.email or "",
        phones=tuple(Phone(text=text) for text in (contact.phone,) if text),
        address=Address(
            street=(contact.address,) if contact.address else (),
            city=contact.city or "",
            regioncode=subdivision,
            postalcode=contact.postal_code or "",
            country=country,
        ),
    )


def _comments(plain: dict[str, Any]) -> str:
    """Put what ADF has no element for into the customer's comments, a line each; what goes on is set in."""
    contact, others = plain["contact"], plain["attributes"]
    lines = [("Test", "nobody is waiting for a call" if plain["test"] else None), ("Age", age_said(plain)),
             ("Comments", plain["comments"])]  # fmt: skip
    lines += [("Profile", contact["profile_url"]), ("Best time", contact["best_time"])]
    lines += [(name, value) for name, value in others.items() if name not in VEHICLE_ELEMENTS]
    told = [(name, "\n  ".join(text_of(value).splitlines())) for name, value in lines if value is not None]
    return "\n".join(f"{name}: {text}" for name, text in told)
