"""A buyer's documents over HTTP: receipts and credit notes as data and as PDF, and whom they name."""

from datetime import datetime
from typing import Annotated

from flask import Response, request
from msgspec import Struct

from billing import (
    BillingDetails,
    Document,
    Party,
    content_of,
    details_of,
    documents_of,
    get_document,
    pdf_of,
    say_details,
    sheet_of,
)
from core.http import Answer, body, business_clock, download, reads, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from core.schemas import Amount
from marketplace.web.api import api
from marketplace.web.api.answers import one_of
from marketplace.web.api.described import describe
from marketplace.web.api.shown import amount, instant

PART = 50


class PartyShown(Struct, frozen=True, kw_only=True):
    """Who a document is from or to, as of its issue; an address in lines."""

    name: str
    address: list[str]
    vat_id: str


class ReferenceShown(Struct, frozen=True, kw_only=True):
    """An earlier document, and how much of it this one is about."""

    number: str
    amount: Amount


class DocumentShown(Struct, frozen=True, kw_only=True):
    """A receipt or credit note, with everything that it shows; it never changes.

    Of a transfer `paid_at` is midnight of the day on which the bank booked it.
    """

    id: str
    kind: Annotated[str, one_of(("receipt", "credit_note"))]
    number: str
    amount: Amount
    seller: PartyShown
    buyer: PartyShown
    method: str
    payment_id: str | None
    transaction_id: str
    paid_at: datetime
    issued_at: datetime
    refers_to: list[ReferenceShown]
    language: str
    test: bool


class DetailsShown(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whom documents name from now on: a name, an address in lines, a VAT id."""

    name: str
    address: str = ""
    vat_id: str = ""


@api.get("/documents")
@reads("wallet:read")
@describe(DocumentShown, is_list=True)
def list_documents(actor: Actor) -> Answer:
    """List receipts and credit notes, the newest first."""
    cursor = request.args.get("cursor")
    rows = documents_of(actor.account_id, PART + 1, parse_id("doc", cursor) if cursor else None)
    more = show_id("doc", rows[PART - 1].id) if len(rows) > PART else None
    return Answer({"items": [_shown(row) for row in rows[:PART]], "next_cursor": more})


@api.get("/documents/<document_id>")
@reads("wallet:read")
@describe(DocumentShown)
def show_document(actor: Actor, document_id: str) -> Answer:
    """Show one document."""
    return Answer(_shown(get_document(actor.account_id, parse_id("doc", document_id))))


@api.get("/documents/<document_id>/pdf")
@reads("wallet:read")
@describe()
def print_document(actor: Actor, document_id: str) -> Response:
    """Save one document as PDF; the same bytes every time."""
    row = get_document(actor.account_id, parse_id("doc", document_id))
    return download(f"{row.shown_number}.pdf", "application/pdf", pdf_of(sheet_of(row)))


@api.get("/billing-details")
@reads("wallet:read|balance:read")
@describe(DetailsShown)
def show_details(actor: Actor) -> Answer:
    """Show whom documents name from now on."""
    return Answer(_details(details_of(actor.account_id)))


@api.put("/billing-details")
@writes("wallet:write")
@describe(DetailsShown, takes=DetailsShown)
def put_details(actor: Actor) -> Answer:
    """Name the account otherwise on documents from now on; those that were issued stay."""
    said = body(DetailsShown)
    at = business_clock().now()
    return Answer(_details(say_details(actor.account_id, said.name, said.address, said.vat_id, actor.name, at)))


def _details(row: BillingDetails) -> DetailsShown:
    return DetailsShown(name=row.name, address=row.address, vat_id=row.vat_id)


def party(one: Party) -> PartyShown:
    """Show who a document is from or to."""
    return PartyShown(name=one.name, address=[*filter(None, one.address.split("\n"))], vat_id=one.vat_id)


def _shown(row: Document) -> DocumentShown:
    content = content_of(row)
    return DocumentShown(
        id=show_id("doc", row.id), kind=row.kind, number=row.shown_number,
        amount=amount(row.amount_minor, row.currency),
        seller=party(content.seller), buyer=party(content.payer), method=content.method, payment_id=content.payment_id,
        transaction_id=show_id("txn", row.transaction_id or row.id), paid_at=instant(content.paid_at),
        issued_at=instant(row.issued_at), language=content.language, test=content.is_test,
        refers_to=[ReferenceShown(number=one.number, amount=amount(one.amount_minor, row.currency))
                   for one in content.refers_to],
    )  # fmt: skip
