"""An ADF document of anybody's make, read for what it says: wrong case, order, dates and encodings are forgiven.

What ADF does not know is kept as a note. Entities, DTDs and references to other files are refused, never followed.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from core.errors import Malformed
from marketplace.leads.delivery.adf.model import (
    ADDRESS_TEXTS,
    INTERESTS,
    NAME_PARTS,
    PHONE_TIMES,
    PHONE_TYPES,
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
from marketplace.leads.delivery.finding import MAX_BODY, MAX_ELEMENTS, decoded

MAX_NOTE, MAX_NOTES = 500, 100
_START = re.compile(r"<(?:[\w.-]+:)?adf[\s/>]", re.IGNORECASE)
_ESCAPED_START = re.compile(r"&lt;(?:[\w.-]+:)?adf(?:\s|&gt;)", re.IGNORECASE)
_END = re.compile(r"</(?:[\w.-]+:)?adf\s*>", re.IGNORECASE)
_FORBIDDEN = re.compile(r"<!doctype\s+(?!html[\s>])|<!entity", re.IGNORECASE)  # an e-mail around it may be HTML
_BARE_AMPERSAND = re.compile(r"&(?!#\d{1,7};|#x[0-9a-f]{1,6};|(?:amp|lt|gt|quot|apos);)", re.IGNORECASE)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d{0,2})?", re.IGNORECASE
)
_US_FORMS = ("%m/%d/%Y %I:%M%p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M", "%m/%d/%Y")
_PHONES = {"cell": "cellphone", "mobile": "cellphone", "mobilephone": "cellphone"}  # words of the wild
_YES = ("1", "true", "yes")


def read_adf(document: bytes) -> list[Prospect]:
    """Read every prospect of a document, or of an e-mail's text around one.

    Malformed `not_adf` when there is none, it is larger than 256 KiB, or it brings a DTD.
    """
    if len(document) > MAX_BODY:
        raise Malformed("not_adf", f"Send an ADF document of at most {MAX_BODY // 1024} KiB.")
    root = _parsed(_document_in(decoded(document)))
    found = [_prospect(each) for each in root.iter("prospect")]
    if not found:
        raise Malformed("not_adf", "Send an ADF document with a prospect.")
    return found


# -- the document ------------------------------------------------------------------------------------------------------


def _document_in(text: str) -> str:
    """Cut out the document: what stands around it is declarations of all kinds, or an e-mail."""
    if not _START.search(text) and _ESCAPED_START.search(text):
        text = html.unescape(text)
    start = _START.search(text)
    if start is None:
        raise Malformed("not_adf", "Send an ADF document: XML whose root is adf.")
    if _FORBIDDEN.search(text):
        raise Malformed("not_adf", "Send the document without a DOCTYPE and without entities.")
    ends = [match.end() for match in _END.finditer(text, start.start())]
    return text[start.start() : ends[-1] if ends else None]


def _parsed(text: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    sound = _BARE_AMPERSAND.sub("&amp;", text).encode("utf-8", "replace")
    try:
        root = etree.fromstring(sound, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None or sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise Malformed("not_adf", "Send an ADF document of XML that can be read.")
    for element in root.iter(etree.Element):
        element.tag = etree.QName(element).localname.lower()
        for name, value in list(element.attrib.items()):
            del element.attrib[name]
            element.set(etree.QName(name).localname.lower(), value)
    return root


# -- its parts ---------------------------------------------------------------------------------------------------------


def _prospect(element: etree._Element) -> Prospect:
    customer, vendor, provider = (element.find(name) for name in ("customer", "vendor", "provider"))
    status = _word(element.get("status"))
    return Prospect(
        requested_at=_instant(_said(element, "requestdate")),
        status=status if status in ("new", "resend") else "new",
        ids=_ids(element),
        vehicles=tuple(_vehicle(each) for each in element.findall("vehicle")),
        customer=_customer(element if customer is None else customer, element),
        vendor=Vendor() if vendor is None else _vendor(vendor),
        provider=None if provider is None else _provider(provider),
        notes=tuple(_notes(element))[:MAX_NOTES],
    )


def _vehicle(element: etree._Element) -> Vehicle:
    interest, odometer = _word(element.get("interest")), element.find("odometer")
    units = "" if odometer is None else _word(odometer.get("units"))
    return Vehicle(
        interest=interest if interest in INTERESTS else "buy",
        status="used" if _word(element.get("status")) == "used" else "new",
        ids=_ids(element),
        odometer=_said(element, "odometer"),
        odometer_units=units if units in ("km", "mi") else "",
        comments=_said(element, "comments"),
        **{name: _said(element, name) for name in VEHICLE_TEXTS},
    )


def _customer(element: etree._Element, prospect: etree._Element) -> Customer:
    contact = element.find("contact")
    return Customer(
        contact=Contact() if contact is None else _contact(contact),
        ids=() if element is prospect else _ids(element),
        comments=_said(element, "comments") or _said(prospect, "comments"),
    )


def _vendor(element: etree._Element) -> Vendor:
    contact = element.find("contact")
    return Vendor(
        vendorname=_said(element, "vendorname"),
        ids=_ids(element),
        url=_said(element, "url"),
        contact=Contact() if contact is None else _contact(contact),
    )


def _provider(element: etree._Element) -> Provider:
    texts = {name: _said(element, name) for name in ("name", "service", "url", "email", "phone")}
    return Provider(ids=_ids(element), **texts)


def _contact(element: etree._Element) -> Contact:
    email, address = next((each for each in element.findall("email") if _own(each)), None), element.find("address")
    return Contact(
        names=tuple(_name(each) for each in element.findall("name") if _own(each)),
        email="" if email is None else _own(email),
        email_preferred=email is not None and _word(email.get("preferredcontact")) in _YES,
        phones=tuple(_phone(each) for each in element.findall("phone") if _own(each)),
        address=None if address is None else _address(address),
    )


def _name(element: etree._Element) -> Name:
    part, kind = _word(element.get("part")), _word(element.get("type"))
    return Name(
        text=_own(element),
        part=part if part in NAME_PARTS else "full",
        type=kind if kind == "business" else "individual",
    )


def _phone(element: etree._Element) -> Phone:
    kind, time = _word(element.get("type")), _word(element.get("time"))
    kind = _PHONES.get(kind, kind)
    return Phone(
        text=_own(element),
        type=kind if kind in PHONE_TYPES else "voice",
        time=time if time in PHONE_TIMES else "nopreference",
        preferred=_word(element.get("preferredcontact")) in _YES,
    )


def _address(element: etree._Element) -> Address:
    street = tuple(_own(each) for each in element.findall("street") if _own(each))
    return Address(street=street, **{name: _said(element, name) for name in ADDRESS_TEXTS})


def _ids(element: etree._Element) -> tuple[Id, ...]:
    return tuple(
        Id(text=_own(each), source=each.get("source", ""), sequence=each.get("sequence", ""))
        for each in element.findall("id")
        if _own(each) or each.get("source")
    )


def _said(element: etree._Element, name: str) -> str:
    """Return the text of the first part of this name that has one."""
    return next((text for each in element.findall(name) if (text := _own(each))), "")


def _own(element: etree._Element) -> str:
    return "".join(element.itertext()).strip()


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _instant(text: str) -> datetime | None:
    """Read a date in any of the forms of the wild; without an offset it has none, and a broken one is left out."""
    if match := _ISO.match(text):
        day, hour, minute, second, offset = match.groups()
        plain = f"{day}T{int(hour):02}:{minute}:{second or '00'}"
        for candidate in (plain + (offset or ""), plain):
            try:
                return datetime.fromisoformat(candidate.upper())
            except ValueError:
                continue
    for form in _US_FORMS:
        try:
            return datetime.strptime(text.strip().upper(), form)  # noqa: DTZ007  # the sender gave no offset
        except ValueError:
            continue
    return None


# -- what has no place -------------------------------------------------------------------------------------------------

_KNOWN = {
    "prospect": {"id", "requestdate", "vehicle", "customer", "vendor", "provider", "contact", "comments"},
    "vehicle": {"id", *VEHICLE_TEXTS, "odometer", "comments"},
    "customer": {"contact", "id", "comments"},
    "vendor": {"id", "vendorname", "url", "contact"},
    "provider": {"id", "name", "service", "url", "email", "phone"},
    "contact": {"name", "email", "phone", "address"},
    "address": {"street", *ADDRESS_TEXTS},
}


def _notes(element: etree._Element) -> Iterator[str]:
    known = _KNOWN.get(str(element.tag), set())
    for child in element.iterchildren(etree.Element):
        if child.tag in _KNOWN and child.tag in known:
            yield from _notes(child)
        elif child.tag not in known:
            text = " ".join("".join(child.itertext()).split())
            said = [text] * bool(text) + [f"{name!s}={value!s}" for name, value in child.attrib.items()]
            if said:
                yield f"{element.tag!s}/{child.tag!s}: {', '.join(said)}"[:MAX_NOTE]
