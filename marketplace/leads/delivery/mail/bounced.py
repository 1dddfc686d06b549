"""What follows when a letter comes back: the log says so, and a refusal for good stops the order that sent it.

Within the grace a sale that nobody has worked on is undone and its lead goes to the next buyer, when the letter that
delivered it came back from all who got it; otherwise it stays delivered, since its contact has been in the portal all
the time. What was sent once more by hand undoes nothing. Either way the order is paused, so that nobody reads leads and
has their mail refused more than once.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from core.bounces import Returned, Sender, bounced_among
from core.db import db
from core.identity import accounts_of_kind, emails_of
from core.outbox import announce
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.delivery.files.gathering import csv_terms
from marketplace.leads.delivery.files.models import DeliveryFile, FiledSale
from marketplace.leads.delivery.files.outgoing import FILE_KIND
from marketplace.leads.delivery.log import attempts_of, exchanged_in
from marketplace.leads.delivery.mail.addresses import ADDRESS_KIND, MailAddress
from marketplace.leads.delivery.mail.letters import SALE_KIND
from marketplace.leads.delivery.models import DeliveryAttempt
from marketplace.leads.delivery.outcomes import undeliver
from marketplace.leads.delivery.settings import CsvDelivery, addresses_of
from marketplace.leads.models import Event, Sale
from marketplace.orders.models import Order
from marketplace.orders.standing import pause_order

ACTOR = "system:bounces"
_LOG = text("""
    UPDATE marketplace.delivery_attempts a SET bounced_at = :at, bounce = :bounce
    WHERE a.sale_id = ANY(:sales) AND a.number = (
        SELECT max(b.number) FROM marketplace.delivery_attempts b WHERE b.sale_id = a.sale_id)
""")


def _recipients_of_sale(sale_id: UUID) -> tuple[str, ...]:
    """Return who got the letter, as the log of attempts tells."""
    return tuple(address for attempt in attempts_of(sale_id) for address in _addressees(attempt))


def _delivered_to(sale_id: UUID) -> tuple[str, ...]:
    """Return whom the letter that delivered a sale was for; nobody when it was delivered in another way.

    The first attempt that was accepted delivered it; later ones were asked for by hand.
    """
    accepted = (attempt for attempt in attempts_of(sale_id) if attempt.outcome == "accepted")
    return _addressees(next(accepted))


def _addressees(attempt: DeliveryAttempt) -> tuple[str, ...]:
    exchanged = exchanged_in(attempt)
    return tuple(exchanged.headers["To"].split(", ")) if exchanged is not None and exchanged.method == "MAIL" else ()


def _recipients_of_file(file_id: UUID) -> tuple[str, ...]:
    file = db.session.get(DeliveryFile, file_id)
    if file is None:
        return ()
    settings: CsvDelivery = csv_terms(file.order_id)[1]
    return (*addresses_of(settings.to), *emails_of(db.session.get_one(Order, file.order_id).buyer_id))


def _recipients_of_question(account_id: UUID) -> tuple[str, ...]:
    return tuple(db.session.scalars(select(MailAddress.address).where(MailAddress.account_id == account_id)))


def _sale_returned(returned: Returned, at: datetime) -> None:
    sale = db.session.get_one(Sale, returned.subject)
    _returned(returned, sale.order_id, [sale.id], _delivered_to(sale.id), at)


def _file_returned(returned: Returned, at: datetime) -> None:
    sales = select(FiledSale.sale_id).where(FiledSale.file_id == returned.subject).order_by(FiledSale.sale_id)
    order_id = db.session.get_one(DeliveryFile, returned.subject).order_id
    _returned(returned, order_id, list(db.session.scalars(sales)), _recipients_of_file(returned.subject), at)


def _question_returned(returned: Returned, at: datetime) -> None:
    """Do nothing more: the address is marked, and its account sees it among its addresses."""


def _returned(
    returned: Returned, order_id: UUID, sale_ids: list[UUID], delivered_to: tuple[str, ...], at: datetime
) -> None:
    """Log what came back, undo the sales that reached nobody, pause the order and tell who must know."""
    why = f"bounced {returned.code}: {returned.says}"[:300]
    db.session.execute(_LOG, {"at": at, "bounce": why, "sales": sale_ids})
    all_back = {address.lower() for address in delivered_to} == bounced_among(delivered_to)
    undone = [sale_id for sale_id in sale_ids if returned.permanent and delivered_to and all_back
              and not _is_worked_on(sale_id) and undeliver(sale_id, f"bounced {returned.code}", at)]  # fmt: skip
    if returned.permanent and pause_order(order_id, ACTOR, at) is not None:
        db.session.add(Event(subject_id=order_id, at=at, move="active>paused", actor=ACTOR, why=why))
    buyer_id = db.session.get_one(Order, order_id).buyer_id
    accounts = [str(buyer_id), *(str(account.id) for account in accounts_of_kind("operator"))]
    data = {"order": str(order_id), "address": returned.address, "why": why, "permanent": returned.permanent,
            "undone": len(undone)}  # fmt: skip
    announce("notice", {"event": "order.mail_bounced", "at": at.isoformat(), "accounts": accounts, "data": data})


def _is_worked_on(sale_id: UUID) -> bool:
    """Tell whether the buyer has reported a contact, which he cannot have without the lead."""
    contact = db.session.get(SaleContact, sale_id)
    return contact is not None and contact.first_attempt_at is not None


SENDERS = {
    SALE_KIND: Sender(_recipients_of_sale, _sale_returned),
    FILE_KIND: Sender(_recipients_of_file, _file_returned),
    ADDRESS_KIND: Sender(_recipients_of_question, _question_returned),
}
