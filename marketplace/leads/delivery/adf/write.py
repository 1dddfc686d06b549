"""A prospect written as ADF 1.0: the elements and the order that its DTD requires, in UTF-8."""

from lxml import etree

from marketplace.leads.delivery.adf.model import (
    ADDRESS_TEXTS,
    REQUIRED_TEXTS,
    VEHICLE_TEXTS,
    Address,
    Contact,
    Customer,
    Id,
    Prospect,
    Provider,
    Vehicle,
    Vendor,
)
from marketplace.leads.delivery.bodies import xml_safe

_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>\n'
_NOT_GIVEN = "not given"


def write_adf(prospect: Prospect) -> bytes:
    """Write an ADF document of one prospect; ValueError without an instant of the request.

    Elements that the format requires stand there empty when nothing is known; notes are left out.
    """
    if prospect.requested_at is None:
        raise ValueError("ADF requires the instant of the request")
    root = etree.Element("adf")
    lead = etree.SubElement(root, "prospect", status=prospect.status)
    _ids(lead, prospect.ids)
    _text(lead, "requestdate", prospect.requested_at.isoformat(timespec="seconds"))
    for vehicle in prospect.vehicles or (Vehicle(),):
        _vehicle(lead, vehicle)
    _customer(lead, prospect.customer)
    _vendor(lead, prospect.vendor)
    if prospect.provider:
        _provider(lead, prospect.provider)
    return _HEAD + etree.tostring(root, encoding="utf-8", pretty_print=True)


def _vehicle(parent: etree._Element, vehicle: Vehicle) -> None:
    element = etree.SubElement(parent, "vehicle", interest=vehicle.interest, status=vehicle.status)
    _ids(element, vehicle.ids)
    for name in VEHICLE_TEXTS:
        if name in REQUIRED_TEXTS or getattr(vehicle, name):
            _text(element, name, getattr(vehicle, name))
    if vehicle.odometer:
        odometer = _text(element, "odometer", vehicle.odometer)
        if vehicle.odometer_units:
            odometer.set("units", vehicle.odometer_units)
    _optional(element, "comments", vehicle.comments)


def _customer(parent: etree._Element, customer: Customer) -> None:
    element = etree.SubElement(parent, "customer")
    _contact(element, customer.contact)
    _ids(element, customer.ids)
    _optional(element, "comments", customer.comments)


def _vendor(parent: etree._Element, vendor: Vendor) -> None:
    element = etree.SubElement(parent, "vendor")
    _ids(element, vendor.ids)
    _text(element, "vendorname", vendor.vendorname)
    _optional(element, "url", vendor.url)
    _contact(element, vendor.contact)


def _provider(parent: etree._Element, provider: Provider) -> None:
    element = etree.SubElement(parent, "provider")
    _ids(element, provider.ids)
    _text(element, "name", provider.name).set("part", "full")
    for name in ("service", "url", "email", "phone"):
        _optional(element, name, getattr(provider, name))


def _contact(parent: etree._Element, contact: Contact) -> None:
    element = etree.SubElement(parent, "contact")
    for name in contact.names:
        _text(element, "name", name.text).attrib.update({"part": name.part, "type": name.type})
    if not contact.names:
        _text(element, "name", _NOT_GIVEN).set("part", "full")
    if contact.email or not contact.phones:
        _text(element, "email", contact.email).set("preferredcontact", _flag(contact.email_preferred))
    for phone in contact.phones:
        attributes = {"type": phone.type, "time": phone.time, "preferredcontact": _flag(phone.preferred)}
        _text(element, "phone", phone.text).attrib.update(attributes)
    if contact.address:
        _address(element, contact.address)


def _address(parent: etree._Element, address: Address) -> None:
    element = etree.SubElement(parent, "address")
    for line, street in enumerate(address.street[:5] or ("",), 1):
        _text(element, "street", street).set("line", str(line))
    for name in ADDRESS_TEXTS:
        _optional(element, name, getattr(address, name))


def _ids(parent: etree._Element, ids: tuple[Id, ...]) -> None:
    for each in ids:
        element = _text(parent, "id", each.text)
        for name in ("sequence", "source"):
            if getattr(each, name):
                element.set(name, xml_safe(getattr(each, name)))


def _optional(parent: etree._Element, name: str, text: str) -> None:
    if text:
        _text(parent, name, text)


def _text(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, name)
    element.text = xml_safe(text)
    return element


def _flag(yes: bool) -> str:
    return "1" if yes else "0"
