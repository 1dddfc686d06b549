"""How an order's buyer wants his leads: one shape a kind, told apart by `kind`.

Types are judged here, by msgspec; values in `delivery/checks.py`, so that every bad value is named at once.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from msgspec import Struct

from core.errors import Fault, Malformed
from core.schemas import convert
from marketplace.leads.delivery.answers import AnswerRules
from marketplace.leads.delivery.bodies import BodyFormat
from marketplace.leads.delivery.mapping import Fields

Mode = Literal["async", "sync"]
Method = Literal["GET", "POST", "PUT", "PATCH"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Addresses = str | tuple[str, ...] | None  # one, several, or None for those of the account's own people

DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS = 10, 60


class _Kind(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all kinds share: the tag that names them."""


class WebhookDelivery(_Kind, frozen=True, tag="webhook"):
    """Our own JSON, signed per Standard Webhooks; a secret of ours is made when none is given."""

    url: str
    secret: str | None = None
    mode: Mode = "async"
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


class Header(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A header with its mark: a `secret` one is kept sealed and never shown again."""

    value: str
    secret: bool = False


class HttpDelivery(_Kind, frozen=True, tag="http"):
    """A request in the buyer's own format; what is None is the template's, or the default without one.

    `fields` are added to the template's and replace those of the same name. With GET they stand in the query string.
    """

    url: str
    template: str | None = None
    method: Method | None = None
    headers: dict[str, str | Header] = {}
    query: Fields = {}
    format: BodyFormat | None = None
    root: str | None = None
    namespace: str | None = None
    soap_action: str | None = None
    fields: Fields = {}
    body: str | None = None
    answer: AnswerRules | None = None
    mode: Mode = "async"
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


class AdfDelivery(_Kind, frozen=True, tag="adf"):
    """ADF 1.0 by HTTP (`url`) or e-mail (`to`); `vendor` is the dealer, `fields` fill elements of the vehicle.

    By e-mail the document is the text, as dealers' software takes it, or an attachment.
    """

    vendor: str
    url: str | None = None
    to: Addresses = None
    attach: bool = False
    provider: str = "Leadbourse"
    fields: Fields = {}
    answer: AnswerRules | None = None
    mode: Mode = "async"
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS


class EmailDelivery(_Kind, frozen=True, tag="email"):
    """An e-mail for each lead: a table of what is known, `fields` alone, or a `text` of the buyer's own.

    With the format `adf` it carries an ADF document for `vendor` (the order's name without one), whose `fields` are
    elements of the vehicle; `attach` puts the document beside the text.
    """

    to: Addresses = None
    format: Literal["text", "adf"] = "text"
    subject: str | None = None
    text: str | None = None
    fields: Fields = {}
    vendor: str | None = None
    attach: bool = False


class CsvSchedule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """At which full hours of which days the file goes out, in an IANA zone, or that of the order's own schedule."""

    hours: tuple[int, ...] = (8,)
    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    timezone: str | None = None


class CsvDelivery(_Kind, frozen=True, tag="csv"):
    """The leads since the last file, by e-mail (`to`) or SFTP; `host_key` is the server's, which is never guessed.

    The `password` or `private_key` is sealed apart from the order, and kept when a change brings none.
    """

    columns: Fields
    to: Addresses = None
    sftp_url: str | None = None
    password: str | None = None
    private_key: str | None = None
    host_key: str | None = None
    schedule: CsvSchedule = CsvSchedule()
    separator: Literal[",", ";", "|", "\t"] = ","
    encoding: Literal["utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15"] = "utf-8"
    header: bool = True
    bom: bool = False


class NoDelivery(_Kind, frozen=True, tag="none"):
    """The buyer collects his leads in the portal or by the API."""


Delivery = WebhookDelivery | HttpDelivery | AdfDelivery | EmailDelivery | CsvDelivery | NoDelivery


ORDERED = ("columns", "fields", "query", "headers")  # mappings whose names stand in an order of the buyer's
SEALED = ("secret", "password", "private_key")  # what is never kept among an order's terms


def addresses_of(to: Addresses) -> tuple[str, ...]:
    """Return the addresses that settings name; none when mail goes to the account's own people."""
    return (to,) if isinstance(to, str) else tuple(dict.fromkeys(to or ()))


def in_order(document: Mapping[str, Any]) -> dict[str, Any]:
    """Write settings with pairs for mappings, since a store may sort their names; `delivery_of` reads both."""
    return {
        name: list(map(list, value.items())) if name in ORDERED and isinstance(value, dict) else value
        for name, value in document.items()
    }


def by_name(document: Mapping[str, Any]) -> dict[str, Any]:
    """Write settings with mappings instead of pairs; what are no pairs stays as it is."""
    return {name: dict(value) if name in ORDERED and _are_pairs(value) else value for name, value in document.items()}


def _are_pairs(value: Any) -> bool:
    pairs = value if isinstance(value, list | tuple) else (None,)
    sound = all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs)
    return sound and len({pair[0] for pair in pairs}) == len(pairs)


_BY_KIND: dict[Any, type[Delivery]] = {shape.__struct_config__.tag: shape for shape in get_args(Delivery)}


def text_of_header(header: str | Header) -> str:
    """Return the template of a header's value."""
    return header if isinstance(header, str) else header.value


def delivery_of(document: Mapping[str, Any]) -> Delivery:
    """Read settings from plain values; null is not given. Malformed names every field of a wrong type or name."""
    kind = document.get("kind")
    shape = _BY_KIND.get(kind) if isinstance(kind, str) else None
    if shape is None:
        fault = Fault("kind", "unknown_value", f"Use one of {', '.join(map(str, _BY_KIND))}.")
        raise Malformed("invalid_fields", "There is no such kind of delivery.", [fault])
    return convert({name: value for name, value in by_name(document).items() if value is not None}, shape)
