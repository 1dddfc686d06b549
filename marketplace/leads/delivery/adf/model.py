"""What an ADF prospect says, in the words of the format; what is not known is empty."""

from datetime import datetime

from msgspec import Struct


class Id(Struct, frozen=True, kw_only=True):
    """A number that some system gave, and which system."""

    text: str
    source: str = ""
    sequence: str = ""


class Name(Struct, frozen=True, kw_only=True):
    """A name or a part of one: first, middle, last, suffix, full."""

    text: str
    part: str = "full"
    type: str = "individual"


class Phone(Struct, frozen=True, kw_only=True):
    """A number: voice, fax, cellphone or pager, and when to call."""

    text: str
    type: str = "voice"
    time: str = "nopreference"
    preferred: bool = False


class Address(Struct, frozen=True, kw_only=True):
    """Where somebody lives or works; the format holds five lines of street."""

    street: tuple[str, ...] = ()
    apartment: str = ""
    city: str = ""
    regioncode: str = ""
    postalcode: str = ""
    country: str = ""


class Contact(Struct, frozen=True, kw_only=True):
    """A person or firm: names, at least an e-mail or a phone, and an address."""

    names: tuple[Name, ...] = ()
    email: str = ""
    email_preferred: bool = False
    phones: tuple[Phone, ...] = ()
    address: Address | None = None


class Vehicle(Struct, frozen=True, kw_only=True):
    """A vehicle and what the person wants with it; prices and options are kept as notes when read."""

    interest: str = "buy"
    status: str = "new"
    ids: tuple[Id, ...] = ()
    year: str = ""
    make: str = ""
    model: str = ""
    vin: str = ""
    stock: str = ""
    trim: str = ""
    doors: str = ""
    bodystyle: str = ""
    transmission: str = ""
    odometer: str = ""
    odometer_units: str = ""
    comments: str = ""


class Customer(Struct, frozen=True, kw_only=True):
    """Who asks, and in which words."""

    contact: Contact = Contact()
    ids: tuple[Id, ...] = ()
    comments: str = ""


class Vendor(Struct, frozen=True, kw_only=True):
    """The dealer who receives the lead."""

    vendorname: str = ""
    ids: tuple[Id, ...] = ()
    url: str = ""
    contact: Contact = Contact()


class Provider(Struct, frozen=True, kw_only=True):
    """Who sends the lead."""

    name: str
    ids: tuple[Id, ...] = ()
    service: str = ""
    url: str = ""
    email: str = ""
    phone: str = ""


class Prospect(Struct, frozen=True, kw_only=True):
    """One lead; `requested_at` has an offset unless the sender gave none, `notes` hold what has no place here."""

    requested_at: datetime | None = None
    status: str = "new"
    ids: tuple[Id, ...] = ()
    vehicles: tuple[Vehicle, ...] = ()
    customer: Customer = Customer()
    vendor: Vendor = Vendor()
    provider: Provider | None = None
    notes: tuple[str, ...] = ()


# The parts of a vehicle that are plain text, in the order of the format.
VEHICLE_TEXTS = ("year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle", "transmission")
REQUIRED_TEXTS = VEHICLE_TEXTS[:3]
ADDRESS_TEXTS = ("apartment", "city", "regioncode", "postalcode", "country")

NAME_PARTS = ("first", "middle", "last", "surname", "suffix", "full")
PHONE_TYPES = ("voice", "fax", "cellphone", "pager")
PHONE_TIMES = ("morning", "afternoon", "evening", "nopreference", "day")
INTERESTS = ("buy", "lease", "sell", "trade-in", "test-drive")
