"""ADF 1.0: written as the format's DTD wants it, read as it is met in the wild."""

import io
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from core.errors import Malformed
from marketplace.leads.delivery.adf import (
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
    prospect_of,
    read_adf,
    write_adf,
)
from marketplace.leads.delivery.settings import AdfDelivery
from marketplace.leads.submission import Contact as LeadContact
from tests.marketplace.delivery.parcels import make_parcel

WILD = Path(__file__).parents[2] / "data" / "dialects" / "adf"
DTD = etree.DTD(io.BytesIO((WILD / "adf-1.0.dtd").read_bytes()))
DEALER = AdfDelivery(vendor="Dupont & Fils", url="https://dealer.example/adf")

# Text as a document gives it back: without characters that XML cannot hold, and without blanks at its ends.
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
).map(lambda text: text.strip()).filter(bool)  # fmt: skip
MAYBE = st.just("") | WORDS
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=OFFSETS).map(
    lambda at: at.replace(microsecond=0)
)
IDS = st.lists(st.builds(Id, text=WORDS, source=MAYBE, sequence=MAYBE), max_size=2).map(tuple)
NAMES = st.lists(
    st.builds(Name, text=WORDS, part=st.sampled_from(["first", "last", "full"]),
              type=st.sampled_from(["individual", "business"])), min_size=1, max_size=3,
).map(tuple)  # fmt: skip
PHONES = st.lists(
    st.builds(Phone, text=WORDS, type=st.sampled_from(["voice", "fax", "cellphone"]),
              time=st.sampled_from(["day", "nopreference"]), preferred=st.booleans()), max_size=3,
).map(tuple)  # fmt: skip
ADDRESSES = st.builds(
    Address, street=st.lists(WORDS, max_size=5).map(tuple), apartment=MAYBE, city=MAYBE, regioncode=MAYBE,
    postalcode=MAYBE, country=MAYBE,
)  # fmt: skip
CONTACTS = st.builds(
    Contact, names=NAMES, email=WORDS, email_preferred=st.booleans(), phones=PHONES, address=st.none() | ADDRESSES
)
VEHICLES = st.builds(
    Vehicle, interest=st.sampled_from(["buy", "lease", "test-drive"]), status=st.sampled_from(["new", "used"]), ids=IDS,
    **dict.fromkeys(["year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle", "comments"], MAYBE),
)  # fmt: skip
PROSPECTS = st.builds(
    Prospect,
    requested_at=INSTANTS,
    status=st.sampled_from(["new", "resend"]),
    ids=IDS,
    vehicles=st.lists(VEHICLES, min_size=1, max_size=2).map(tuple),
    customer=st.builds(Customer, contact=CONTACTS, ids=IDS, comments=MAYBE),
    vendor=st.builds(Vendor, vendorname=MAYBE, ids=IDS, url=MAYBE, contact=CONTACTS),
    provider=st.none() | st.builds(Provider, name=WORDS, ids=IDS, service=MAYBE, url=MAYBE, email=MAYBE, phone=MAYBE),
)


@given(PROSPECTS)
def test_what_is_written_is_read_again_and_fits_the_dtd(prospect: Prospect) -> None:
    document = write_adf(prospect)

    assert read_adf(document) == [prospect]
    assert DTD.validate(etree.fromstring(document)), DTD.error_log


@given(st.text(), st.text(), st.text())
def test_any_text_of_a_person_leaves_the_document_whole(name: str, street: str, comments: str) -> None:
    contact = LeadContact(first_name=name, address=street, phone="+33199004567")

    document = write_adf(prospect_of(DEALER, make_parcel(contact, comments=comments)))

    assert DTD.validate(etree.fromstring(document)), DTD.error_log
    assert len(read_adf(document)) == 1


def test_a_parcel_becomes_a_prospect() -> None:
    attributes = {"make": "Saab", "status": "Used", "course": "business"}

    document = write_adf(prospect_of(DEALER, make_parcel(attributes=attributes)))
    found = read_adf(document)[0]

    assert document.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>\n<adf>')
    assert b"<requestdate>2026-03-04T05:06:07+00:00</requestdate>" in document
    assert found.vehicles == (Vehicle(make="Saab", status="used"),)
    assert found.customer.contact.names == (Name(text="Ada Maria", part="first"), Name(text="O'Brien", part="last"))
    assert found.customer.contact.address.country == "FR"
    assert "course: business" in found.customer.comments
    assert found.vendor.vendorname == "Dupont & Fils"


def test_no_comment_of_a_person_passes_for_a_line_of_ours() -> None:
    parcel = make_parcel(comments="Soon\r\nAge: 1 minute old", age_minutes=1440 * 9, resold=True)
    lines = read_adf(write_adf(prospect_of(DEALER, parcel)))[0].customer.comments.splitlines()
    assert [line for line in lines if line.startswith("Age:")] == ["Age: 9 days old; bought before"]
    assert "  Age: 1 minute old" in lines


def test_a_contact_without_name_and_address_to_reach_is_written_all_the_same() -> None:
    parcel = make_parcel(LeadContact(profile_url="https://social.example/ada"))

    document = write_adf(prospect_of(DEALER, parcel))

    assert DTD.validate(etree.fromstring(document)), DTD.error_log
    assert "https://social.example/ada" in read_adf(document)[0].customer.comments


def wild(name: str) -> Prospect:
    return read_adf((WILD / name).read_bytes())[0]


def test_reads_odd_dates_cases_phones_and_bare_ampersands() -> None:
    lead = wild("plain.xml")

    assert lead.requested_at == datetime(2026, 3, 4, 8, 7, 50)
    assert lead.vehicles[0].status == "used" and lead.vehicles[0].stock == "A-12"
    assert lead.customer.comments == "Winter tyres & a towbar?"
    assert [(phone.type, phone.text) for phone in lead.customer.contact.phones] == [
        ("voice", "212-555-0144"),
        ("cellphone", "212-555-0145"),
    ]
    assert lead.vendor.contact.names[0].text == "Dealer North"


def test_reads_upper_case_and_declarations_in_the_wrong_place() -> None:
    lead = wild("declarations.xml.txt")

    assert lead.requested_at == datetime(2026, 2, 9, 18, 26)
    assert lead.vehicles[0].make == "Škoda"
    assert lead.customer.contact.names == (Name(text="Élodie Petit"),)
    assert lead.customer.contact.email_preferred
    assert lead.customer.contact.phones == (Phone(text="0199001234", type="cellphone"),)
    assert lead.notes == ("contact/identification: ID 9",)


def test_keeps_what_it_does_not_know_as_notes() -> None:
    lead = wild("invented.xml")

    assert lead.customer.contact.email == "nora@mail.example"
    assert lead.customer.comments == "May I see it?"
    assert lead.vehicles[0].interest == "buy"
    assert lead.notes == (
        "prospect/request: type=leadstatus",
        "vehicle/notes: With a cabin",
        "vehicle/price: 1000, type=asking",
    )


def test_reads_through_namespaces() -> None:
    lead = wild("extra.xml")

    assert lead.status == "resend"
    assert lead.requested_at == datetime(2026, 3, 4, 10, 6, 7, tzinfo=UTC)
    assert (lead.vehicles[0].odometer, lead.vehicles[0].odometer_units) == ("12", "km")
    assert lead.customer.contact.address == Address(street=("9 Elm Rd", "Yard"), city="Albany")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_reads_encodings_that_were_not_declared(encoding: str) -> None:
    document = "<adf><prospect><customer><comments>Été à Málaga</comments></customer></prospect></adf>"

    assert read_adf(document.encode(encoding))[0].customer.comments == "Été à Málaga"


def test_finds_the_document_in_the_text_of_an_email() -> None:
    document = "<adf><prospect><customer><comments>a &lt; b</comments></customer></prospect></adf>"
    escaped = document.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert read_adf(f"Hello,\n\n{document}\n-- \nA portal".encode())[0].customer.comments == "a < b"
    assert read_adf(f"<!DOCTYPE html><html><pre>{escaped}</pre></html>".encode())[0].customer.comments == "a < b"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not a document",
        b"<adf/>",
        b"<lead><prospect/></lead>",
        b'<!DOCTYPE adf SYSTEM "http://evil.example/adf.dtd"><adf><prospect/></adf>',
        b'<!DOCTYPE adf [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><adf><prospect><id>&b;</id></prospect></adf>',
        b'<?xml version="1.0"?><!doctype adf [<!ENTITY x SYSTEM "file:///etc/passwd">]><adf><prospect>&x;</prospect></adf>',
        b"<adf>" + b"<prospect><id>1</id></prospect>" * 6_000 + b"</adf>",
        b"<adf><prospect>" + b" " * 300_000 + b"</prospect></adf>",
    ],
)
def test_refuses_what_is_no_adf_or_dangerous(document: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_adf(document)
    assert refused.value.code == "not_adf"


def test_entities_that_nobody_declared_stay_text() -> None:
    document = b"<adf><prospect><customer><comments>a &nbsp; b</comments></customer></prospect></adf>"

    assert read_adf(document)[0].customer.comments == "a &nbsp; b"


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<adf><prospect>{text}</adf>".encode()))
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    try:
        assert read_adf(document)
    except Malformed as refused:
        assert refused.code == "not_adf"
