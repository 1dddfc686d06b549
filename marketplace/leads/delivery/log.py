"""The log of attempts: what was sent and what came back, sealed, and shown in the clear only to whoever bought it."""

from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import select

from core.db import db
from core.outbound import Request
from marketplace.leads.delivery.answers import Verdict
from marketplace.leads.delivery.masking import (
    headers_without_credentials,
    masked_request,
    masked_text,
    without_credentials,
)
from marketplace.leads.delivery.models import DeliveryAttempt
from marketplace.leads.delivery.parcel import Parcel
from marketplace.leads.delivery.requests import Request as Written
from marketplace.leads.desk import desk

MOST_ANSWER = 4_000  # bytes of an answer that are kept


class Exchanged(Struct, frozen=True):
    """One request and the beginning of its answer, as text."""

    method: str
    url: str
    headers: dict[str, str]
    body: str
    answer: str


class Sent(NamedTuple):
    """What was sent in an attempt, and what came of it; without a status nothing came back."""

    request: Request
    verdict: Verdict
    status: int | None = None
    milliseconds: int = 0
    answer: bytes = b""
    secrets: tuple[str, ...] = ()


def write_attempt(sale_id: UUID, number: int, sent: Sent) -> None:
    """Record what an attempt came to."""
    vault, request = desk().vault, sent.request
    row = db.session.get_one(DeliveryAttempt, (sale_id, number))
    row.outcome, row.reason = sent.verdict.outcome, sent.verdict.reason
    row.status, row.milliseconds, row.lease_until = sent.status, sent.milliseconds, None
    if not request.url:
        return  # nothing was sent
    row.sealed, row.sealed_key = vault.seal(msgspec.json.encode(exchanged_of(sent)), sale_id), vault.generation


def exchanged_of(sent: Sent) -> Exchanged:
    """Write what was exchanged as text, without credentials."""
    request, secrets = sent.request, sent.secrets
    return Exchanged(
        request.method,
        without_credentials(request.url, secrets),
        headers_without_credentials(request.headers, secrets),
        without_credentials(request.body.decode("utf-8", "replace"), secrets),
        without_credentials(sent.answer[:MOST_ANSWER].decode("utf-8", "replace"), secrets),
    )


def attempts_of(sale_id: UUID) -> list[DeliveryAttempt]:
    """Return the attempts to deliver a sale, the first first."""
    query = select(DeliveryAttempt).where(DeliveryAttempt.sale_id == sale_id).order_by(DeliveryAttempt.number)
    return list(db.session.scalars(query))


def exchanged_in(row: DeliveryAttempt) -> Exchanged | None:
    """Return what was exchanged in the clear, None while the attempt is under way."""
    if row.sealed is None or row.sealed_key is None:
        return None
    return msgspec.json.decode(desk().vault.open(row.sealed, row.sealed_key, row.sale_id), type=Exchanged)


def masked_exchange(exchanged: Exchanged, parcel: Parcel) -> Exchanged:
    """Return what was exchanged with contact data and credentials hidden: for an operator, who needs neither."""
    request = Written(exchanged.method, exchanged.url, exchanged.headers, exchanged.body.encode())
    hidden = masked_request(request, parcel)
    return Exchanged(hidden.method, hidden.url, hidden.headers, hidden.body.decode(),
                     masked_text(exchanged.answer, parcel))  # fmt: skip
