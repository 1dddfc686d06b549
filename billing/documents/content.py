"""What a document says, as one value: it is kept with the document, and nothing else is asked when it is shown."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from billing.documents.models import Document

LAYOUT = 1  # how documents are laid out and worded today; an older one keeps its own


class Party(Struct, frozen=True, kw_only=True):
    """Who a document is from or to, as of its issue."""

    name: str
    address: str = ""
    vat_id: str = ""


class Reference(Struct, frozen=True, kw_only=True):
    """An earlier document, and how much of its amount this one is about, in minor units."""

    number: str
    amount_minor: int


class Content(Struct, frozen=True, kw_only=True):
    """Everything that a document shows besides its number, its day and its amount; `method` as "Visa •• 4242"."""

    layout: int
    seller: Party
    payer: Party
    language: str
    method: str
    payment_id: str | None
    paid_at: datetime
    refers_to: tuple[Reference, ...] = ()
    is_test: bool = False


def as_kept(content: Content) -> Any:
    """Return the content as the database keeps it."""
    return msgspec.to_builtins(content)


def content_of(document: Document) -> Content:
    """Return all that a document says besides its number, its day and its amount."""
    read = msgspec.convert(document.content, Content)
    return msgspec.structs.replace(read, paid_at=read.paid_at.astimezone(UTC))
