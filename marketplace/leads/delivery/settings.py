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

DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS = 10, 60


class _Kind(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all kinds share: the tag that names them."""


class WebhookDelivery(_Kind, frozen=True, tag="webhook"):
    """Our own JSON, signed per Standard Webhooks; a secret of ours is made when none is given."""

    url: str
    secret: str | None = None
    mode: Mode = "async"


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
    """ADF 1.0 by HTTP (`url`) or e-mail (`to`); `vendor` is the dealer, `fields` fill elements of the vehicle."""

    vendor: str
    url: str | None = None
    to: str | None = None
    provider: str = "Leadbourse"
    fields: Fields = {}
    answer: AnswerRules | None = None
    mode: Mode = "async"


class EmailDelivery(_Kind, frozen=True, tag="email"):
    """A plain e-mail for each lead."""

    to: str


class CsvSchedule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """At which full hours of which days the file goes out, in an IANA zone."""

    hours: tuple[int, ...] = (8,)
    days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    timezone: str = "UTC"


class CsvDelivery(_Kind, frozen=True, tag="csv"):
    """The leads since the last file, by e-mail (`to`) or SFTP; `host_key` is the server's, which is never guessed."""

    columns: Fields
    to: str | None = None
    sftp_url: str | None = None
    password: str | None = None
    host_key: str | None = None
    schedule: CsvSchedule = CsvSchedule()
    bom: bool = False


class NoDelivery(_Kind, frozen=True, tag="none"):
    """The buyer collects his leads in the portal or by the API."""


Delivery = WebhookDelivery | HttpDelivery | AdfDelivery | EmailDelivery | CsvDelivery | NoDelivery


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
    return convert({name: value for name, value in document.items() if value is not None}, shape)
