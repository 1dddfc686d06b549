"""The request that takes a parcel to its buyer, ready to be sent; signatures are added by whoever sends it."""

import json
import re
from typing import Any

from msgspec import Struct

from marketplace.leads.delivery.adf import prospect_of, write_adf
from marketplace.leads.delivery.answers import WEBHOOK_RULES, AnswerRules
from marketplace.leads.delivery.bodies import CONTENT_TYPES, body_of, query_of
from marketplace.leads.delivery.mapping import pairs_of
from marketplace.leads.delivery.parcel import Parcel, plain_of
from marketplace.leads.delivery.ready import completed
from marketplace.leads.delivery.settings import AdfDelivery, HttpDelivery, WebhookDelivery, text_of_header
from marketplace.leads.delivery.wording import rendered

MAX_HEADER = 4_000  # characters
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

Posted = WebhookDelivery | HttpDelivery | AdfDelivery


class Request(Struct, frozen=True):
    """One HTTP request, as the gate outward takes it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def request_of(settings: Posted, parcel: Parcel) -> Request:
    """Write the request for a parcel; the settings have no faults (`delivery_faults`).

    Raises Invalid `bad_template` when a template cannot be written for this parcel, because it grows too long.
    """
    match settings:
        case WebhookDelivery():
            return _json_request(settings.url, _announcement(parcel))
        case AdfDelivery():
            document = write_adf(prospect_of(settings, parcel))
            return Request(
                "POST", settings.url or "", {"Content-Type": "application/x-adf+xml; charset=utf-8"}, document
            )
        case HttpDelivery():
            return _http_request(completed(settings), plain_of(parcel))


def rules_of(settings: Posted) -> AnswerRules:
    """Return how the buyer's answer is judged; any 2xx accepts where the settings say nothing."""
    if isinstance(settings, HttpDelivery):
        return completed(settings).answer or WEBHOOK_RULES
    return settings.answer or WEBHOOK_RULES if isinstance(settings, AdfDelivery) else WEBHOOK_RULES


def _announcement(parcel: Parcel) -> dict[str, Any]:
    """Return what our webhook says: the envelope that Standard Webhooks recommends, of the instant of the sale."""
    plain = plain_of(parcel)
    return {"type": "lead.delivery", "timestamp": plain["sold_at"], "data": plain}


def _json_request(url: str, document: dict[str, Any]) -> Request:
    return Request("POST", url, {"Content-Type": "application/json"}, json.dumps(document, ensure_ascii=False).encode())


def _http_request(settings: HttpDelivery, plain: dict[str, Any]) -> Request:
    method = settings.method or "POST"
    pairs, query = pairs_of(settings.fields, plain), pairs_of(settings.query, plain)
    headers = {name: _header(rendered(text_of_header(source), plain)) for name, source in settings.headers.items()}
    if method == "GET":
        return Request(method, _with_query(settings.url, query_of(query + pairs)), headers, b"")
    form = settings.format or "json"
    if settings.body is not None:
        body = rendered(settings.body, plain | {"fields": dict(pairs)}, form).encode()
    else:
        body = body_of(form, pairs, settings.root or "lead", settings.namespace or "")
    named = {name.lower() for name in headers}
    own = {"Content-Type": CONTENT_TYPES[form]}
    if form == "soap":
        own["SOAPAction"] = f'"{_header(settings.soap_action or "")}"'
    own = {name: value for name, value in own.items() if name.lower() not in named}
    return Request(method, _with_query(settings.url, query_of(query)), own | headers, body)


def _header(text: str) -> str:
    """Write text as the value of a header: one line of ASCII, so that nothing can begin another header."""
    return _UNPRINTABLE.sub(" ", text).strip()[:MAX_HEADER]


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"
