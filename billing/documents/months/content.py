"""What an invoice or a statement says besides its lines, as one value that is kept with it."""

from typing import Any

import msgspec
from msgspec import Struct

from billing.documents.content import Party
from billing.documents.models import Document
from billing.documents.months.drafts import Position
from billing.documents.months.vat import Vat

LAYOUT = 2  # how invoices and statements are laid out and worded today; an older one keeps its own


class Label(Struct, frozen=True, kw_only=True):
    """What a line is about, in its owner's words: a short reference, small print, a reason, and all of it as data."""

    ref: str = ""
    told: tuple[str, ...] = ()
    reason: str = ""
    data: dict[str, Any] = {}


class Counted(Struct, frozen=True, kw_only=True):
    """What an issuer counted beside the money: its code, its words in the reader's language, how often."""

    code: str
    says: str
    count: int


class MonthContent(Struct, frozen=True, kw_only=True):
    """Everything that an invoice or a statement shows besides its lines, its number, its day and its amount."""

    layout: int
    seller: Party
    payer: Party
    language: str
    lines: int
    sums: dict[str, int]
    promo_minor: int
    opening: Position
    closing: Position
    vat: Vat
    counted: tuple[Counted, ...] = ()
    is_test: bool = False


def month_content_of(document: Document) -> MonthContent:
    """Return all that an invoice or a statement says besides its lines, its number, its day and its amount."""
    return msgspec.convert(document.content, MonthContent)
