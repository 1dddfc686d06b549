"""What delivery settings may say: every bad value found in one pass, tried on a sample of what will be delivered."""

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from core.errors import Fault, Invalid
from marketplace.leads.delivery.adf import VEHICLE_ELEMENTS
from marketplace.leads.delivery.answers import answer_faults
from marketplace.leads.delivery.bodies import name_faults
from marketplace.leads.delivery.mapping import mapping_faults, pairs_of, template_faults
from marketplace.leads.delivery.parcel import Parcel, plain_of
from marketplace.leads.delivery.places import mail_faults, sftp_faults
from marketplace.leads.delivery.ready import completed, dialects
from marketplace.leads.delivery.settings import (
    MAX_TIMEOUT_SECONDS,
    AdfDelivery,
    CsvDelivery,
    Delivery,
    EmailDelivery,
    Header,
    HttpDelivery,
    WebhookDelivery,
    text_of_header,
)
from marketplace.leads.delivery.wording import rendered
from marketplace.orders.periods import is_zone

MAX_URL, MAX_HEADERS, MAX_WORDS = 2000, 30, 200

Faults = Iterator[Fault]
Plain = dict[str, Any]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
# What the connection itself says, and what the sender signs with.
_OURS = re.compile(
    r"host|content-length|content-encoding|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|via"
    r"|accept-encoding|forwarded|x-forwarded-.*|proxy-.*|sec-.*|webhook-(?:id|timestamp|signature)",
    re.IGNORECASE,
)


def delivery_faults(settings: Delivery, sample: Parcel, *, plain_http: bool = False) -> list[Fault]:
    """Return every fault of delivery settings, none for settings that can be used; fields begin with `delivery.`.

    `sample` is a parcel of the order's vertical (`sample_parcel`), in which every name of a mapping or template must
    exist; `plain_http` also lets addresses without TLS pass (demo and tests).
    """
    plain = plain_of(sample)
    match settings:
        case WebhookDelivery():
            found = [*_url_faults("url", settings.url, plain_http), *_secret_faults(settings.secret)]
        case HttpDelivery():
            found = [*_url_faults("url", settings.url, plain_http), *_http_faults(settings, plain)]
        case AdfDelivery():
            found = list(_adf_faults(settings, plain, plain_http))
        case EmailDelivery():
            found = list(_email_faults(settings, plain))
        case CsvDelivery():
            found = list(_csv_faults(settings, plain))
        case _:
            found = []
    if isinstance(settings, WebhookDelivery | HttpDelivery | AdfDelivery):
        found += _wait_faults(settings)
    return [Fault(f"delivery.{each.field}", each.code, each.message) for each in found]


# -- by HTTP -----------------------------------------------------------------------------------------------------------


def _wait_faults(settings: WebhookDelivery | HttpDelivery | AdfDelivery) -> Faults:
    if not 1 <= settings.timeout_seconds <= MAX_TIMEOUT_SECONDS:
        yield Fault("timeout_seconds", "out_of_range", f"Wait 1 to {MAX_TIMEOUT_SECONDS} seconds.")
    if settings.mode == "sync" and settings.url is None:
        yield Fault("mode", "not_by_mail", "Use async, or give a url: an e-mail has no answer to wait for.")


def _http_faults(settings: HttpDelivery, plain: Plain) -> Faults:
    if settings.template is not None and settings.template not in dialects():
        message = f"There is no template {settings.template[:50]!r}; use one of {', '.join(dialects())}, or null."
        yield Fault("template", "unknown_value", message)
        return
    whole = completed(settings)
    faults = [
        *_asked_faults(settings),
        *_header_faults(whole.headers, plain),
        *mapping_faults("query", settings.query, plain),
        *mapping_faults("fields", whole.fields, plain),
        *name_faults("fields", whole.format or "json", list(whole.fields), whole.root or "lead"),
        *_soap_faults(settings),
        *([] if whole.answer is None else answer_faults("answer", whole.answer)),
    ]
    yield from faults
    if settings.body is not None and not faults:
        yield from _body_faults(whole, settings.body, plain)
    if settings.body is not None and whole.method == "GET":
        yield Fault("body", "invalid_value", "Remove the body, or choose another method: GET has none.")
    if whole.body is None and not whole.fields:
        yield Fault("fields", "required", "Say which fields the buyer receives, or write a body.")


def _asked_faults(settings: HttpDelivery) -> Faults:
    asks = dialects()[settings.template].asks if settings.template else {}
    for name, what in asks.items():
        if name not in settings.fields and name not in settings.query:
            yield Fault(f"fields.{name}", "missing", f'Send {{"constant": …}}: {what}')


def _header_faults(headers: dict[str, str | Header], plain: Plain) -> Faults:
    if len(headers) > MAX_HEADERS:
        yield Fault("headers", "too_many", f"Send at most {MAX_HEADERS} headers.")
        return
    for name, source in ((name, text_of_header(header)) for name, header in headers.items()):
        where = f"headers.{name[:50]}" if name.isprintable() else "headers"
        if not _HEADER_NAME.fullmatch(name):
            yield Fault(where, "invalid_name", "Name the header with letters, digits and dashes.")
        elif _OURS.fullmatch(name):
            yield Fault(where, "not_settable", "Remove this header: it is set for you.")
        if not source.isprintable():
            yield Fault(where, "invalid_value", "Write the header's value on one line, of printable characters.")
        yield from template_faults(where, source, plain)


def _soap_faults(settings: HttpDelivery) -> Faults:
    for name in ("namespace", "soap_action"):
        text = getattr(settings, name) or ""
        if len(text) > MAX_URL or not text.isprintable() or not text.isascii() or re.search(r"[\s\"<>{}]", text):
            yield Fault(name, "invalid_value", "Write a URI without blanks, quotes and brackets.")
        elif name == "namespace" and text and not _is_namespace(text):
            yield Fault(name, "invalid_value", "Write the namespace as a URI.")


def _is_namespace(text: str) -> bool:
    try:
        return bool(etree.Element(f"{{{text}}}a", nsmap={None: text}).tag)
    except ValueError:
        return False


def _body_faults(settings: HttpDelivery, body: str, plain: Plain) -> Faults:
    """Try the body on the sample: it must be of the format that it is sent as."""
    form = settings.format or "json"
    names = plain | {"fields": dict(pairs_of(settings.fields, plain))}
    try:
        text = rendered(body, names, form, strict=True)
        if form == "json":
            json.loads(text)
        elif form in ("xml", "soap"):
            etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except Invalid as wrong:
        yield Fault("body", "bad_template", wrong.detail)
    except (ValueError, RecursionError, etree.XMLSyntaxError) as error:
        yield Fault("body", "bad_template", f"With a sample lead the body is not {form}: {str(error)[:200]}.")


def _url_faults(where: str, url: str, plain_http: bool) -> Faults:
    schemes = ("https", "http") if plain_http else ("https",)
    if not _is_url(url, schemes) or "@" in urlsplit(url).netloc or "#" in url:
        message = f"Write a full {' or '.join(schemes)} address, without a user, a password and a #."
        yield Fault(where, "invalid_url", message)


def _is_url(url: str, schemes: Container[str]) -> bool:
    if len(url) > MAX_URL or not url.isascii() or re.search(r"[\s\\\"<>{}^`|\x00-\x1f\x7f]", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _secret_faults(secret: str | None) -> Faults:
    if secret is None:
        return
    try:
        size = len(b64decode(secret.removeprefix("whsec_"), validate=True))
    except (NotBase64, ValueError):
        size = 0
    if not secret.startswith("whsec_") or not 24 <= size <= 64:
        yield Fault("secret", "invalid_secret", "Send whsec_ and 24 to 64 bytes in Base64, or null and we make one.")


# -- other ways --------------------------------------------------------------------------------------------------------


def _adf_faults(settings: AdfDelivery, plain: Plain, plain_http: bool) -> Faults:
    if (settings.url is None) == (settings.to is None):
        yield Fault("url", "one_source", "Give either url or to.")
    if settings.url is not None:
        yield from _url_faults("url", settings.url, plain_http)
    yield from mail_faults("to", settings.to)
    yield from _word_faults("vendor", settings.vendor)
    yield from _word_faults("provider", settings.provider)
    yield from _vehicle_faults(settings.fields)
    yield from mapping_faults("fields", settings.fields, plain)
    if settings.answer is not None:
        yield from answer_faults("answer", settings.answer)


def _email_faults(settings: EmailDelivery, plain: Plain) -> Faults:
    yield from mail_faults("to", settings.to)
    for name in ("subject", "text"):
        if (template := getattr(settings, name)) is not None:
            yield from template_faults(name, template, plain)
    yield from mapping_faults("fields", settings.fields, plain)
    if settings.format == "adf":
        yield from _vehicle_faults(settings.fields)
        if settings.vendor is not None:
            yield from _word_faults("vendor", settings.vendor)
        if settings.text is not None and not settings.attach:
            yield Fault("text", "invalid_value", "Leave the text out, or attach the document: it is the text itself.")
    elif settings.attach or settings.vendor is not None:
        yield Fault("format", "invalid_value", "Only the format adf has attach and vendor.")


def _word_faults(where: str, text: str) -> Faults:
    if not text.strip() or len(text) > MAX_WORDS or not text.isprintable():
        yield Fault(where, "invalid_name", f"Use 1 to {MAX_WORDS} printable characters.")


def _vehicle_faults(fields: Iterable[str]) -> Faults:
    for element in fields:
        if element not in VEHICLE_ELEMENTS:
            message = f"ADF's vehicle has no such element here; use {', '.join(VEHICLE_ELEMENTS)}."
            yield Fault(f"fields.{element[:50]}", "unknown_field", message)


def _csv_faults(settings: CsvDelivery, plain: Plain) -> Faults:
    if settings.to is not None and settings.sftp_url is not None:
        yield Fault("to", "one_source", "Give either to or sftp_url.")
    yield from mail_faults("to", settings.to)
    yield from sftp_faults(settings)
    if not settings.columns:
        yield Fault("columns", "required", "Name at least one column.")
    yield from mapping_faults("columns", settings.columns, plain)
    schedule = settings.schedule
    if not schedule.hours or any(not 0 <= hour <= 23 for hour in schedule.hours):
        yield Fault("schedule.hours", "out_of_range", "Name full hours from 0 to 23, at least one.")
    if not schedule.days:
        yield Fault("schedule.days", "required", "Name at least one day.")
    if schedule.timezone is not None and not is_zone(schedule.timezone):
        yield Fault("schedule.timezone", "unknown_timezone", "Name an IANA time zone, such as Europe/Paris.")
