"""One file on its way: written from its sales, and put on a server or into a mail; the same name at every try."""

import time
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from core.bounces import token_for
from core.db import db
from core.errors import Invalid
from core.ids import show_id
from core.mail import NotSent, mailer
from core.outbound import Drop, NotTaken, sftp_door
from marketplace.leads.again.told import aged_of
from marketplace.leads.delivery.files.credentials import credential_of
from marketplace.leads.delivery.files.gathering import csv_terms
from marketplace.leads.delivery.files.models import DeliveryFile, FiledSale
from marketplace.leads.delivery.mail.addresses import recipients_for
from marketplace.leads.delivery.mails import readable
from marketplace.leads.delivery.parcel import Parcel
from marketplace.leads.delivery.places import read_host_key
from marketplace.leads.delivery.posting import Sold, parcel_of
from marketplace.leads.delivery.settings import CsvDelivery, addresses_of
from marketplace.leads.delivery.sheets import sheet_of
from marketplace.leads.desk import desk
from marketplace.leads.models import Lead, Sale
from marketplace.orders.models import Order, OrderVersion
from marketplace.orders.terms import OrderTerms, decode_terms

FILE_KIND = "f"  # of the tokens in mails that carry a file
TIMEOUT_SECONDS = 60.0


class Outgoing(NamedTuple):
    """A file that is ready to go: to a server, or as a mail with its token."""

    name: str
    content: bytes
    drop: Drop | None = None
    message: EmailMessage | None = None
    token: str = ""


class Handed(NamedTuple):
    """What came of a try: `outcome` as a verdict's; the server's words, its reply code for mail, and milliseconds."""

    outcome: str
    reason: str = ""
    status: int | None = None
    milliseconds: int = 0


def outgoing_of(file: DeliveryFile) -> Outgoing:
    """Write a file by its order's present settings; reads only. Invalid when there is no way for it to go."""
    terms, settings = csv_terms(file.order_id)
    name = file_name(file)
    content = sheet_of(settings, parcels_in(file.id))
    if settings.sftp_url is not None:
        return Outgoing(name, content, drop=_drop(file.order_id, settings, settings.sftp_url))
    buyer_id = db.session.get_one(Order, file.order_id).buyer_id
    to, token = recipients_for(buyer_id, addresses_of(settings.to)), token_for(FILE_KIND, file.id)
    if not to:
        raise Invalid("no_address", "Mail came back from every address that this order's files may go to.")
    return Outgoing(name, content, message=_mail(file, terms, to, token, content), token=token)


def file_name(file: DeliveryFile) -> str:
    """Return the name of a file, which its slot and id alone decide."""
    return f"leads-{file.slot:%Y%m%d-%H%M}-{show_id('file', file.id)}.csv"


def parcels_in(file_id: UUID) -> list[Parcel]:
    """Return the leads of a file in the order in which they were sold, each under the order version that bought it."""
    rows = db.session.execute(
        select(Sale, Lead)
        .join(FiledSale, FiledSale.sale_id == Sale.id)
        .join(Lead, Lead.id == Sale.lead_id)
        .where(FiledSale.file_id == file_id)
        .order_by(Sale.sold_at, Sale.id)
    ).all()
    terms: dict[tuple[UUID, int], OrderTerms] = {}
    for sale, _ in rows:
        key = (sale.order_id, sale.order_version)
        if key not in terms:
            terms[key] = decode_terms(db.session.get_one(OrderVersion, key).terms)
    aged = aged_of([sale.id for sale, _ in rows])
    return [
        parcel_of(Sold(sale, lead, aged.get(sale.id)), terms[sale.order_id, sale.order_version]) for sale, lead in rows
    ]


def hand_over(outgoing: Outgoing) -> Handed:
    """Put a file where it goes; a mail that is refused for good is refused, all else is an error to try again."""
    began = time.monotonic()
    outcome, reason, status = "accepted", "", None
    try:
        if outgoing.drop is not None:
            sftp_door().put(outgoing.drop, outgoing.name, outgoing.content, timeout_seconds=TIMEOUT_SECONDS)
        else:
            assert outgoing.message is not None  # a file goes one way or the other
            mailer().send(outgoing.message, outgoing.token)
    except NotTaken as none:
        outcome, reason = "error", f"{none.code}: {none}"
    except NotSent as none:
        outcome = "error" if none.code in ("later", "connection") else "refused"
        reason, status = f"{none.code}: {none}", none.status
    return Handed(outcome, reason[:300], status, round((time.monotonic() - began) * 1000))


def _drop(order_id: UUID, settings: CsvDelivery, url: str) -> Drop:
    known, host_key = credential_of(order_id, desk().vault), read_host_key(settings.host_key or "")
    if known is None or host_key is None or (known.sftp_url, known.host_key) != (url, settings.host_key):
        raise Invalid("no_credential", "Nothing is known that signs in on the server of this order's files.")
    return Drop(url, host_key, known.password, known.private_key)


def _mail(file: DeliveryFile, terms: OrderTerms, to: tuple[str, ...], token: str, content: bytes) -> EmailMessage:
    message, name = EmailMessage(policy=SMTP), file_name(file)
    message["To"] = ", ".join(to)
    message["Subject"] = " ".join(readable(f"Leads of {file.slot:%Y-%m-%d %H:%M} UTC: {terms.name}").split())[:200]
    message["Auto-Submitted"] = "auto-generated"
    message["Message-ID"] = mailer().message_id(token)
    message.set_content(f"The leads since the last file are in {name}.\n", charset="utf-8")
    message.add_attachment(content, maintype="text", subtype="csv", filename=name)
    return message
