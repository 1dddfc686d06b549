"""A lead as a letter on its way: written under its order version, handed to the mail server, and what that said.

A sale is delivered when the mail server has accepted the letter for at least one address.
"""

import time
from email.message import EmailMessage
from typing import NamedTuple
from uuid import UUID

from core.bounces import token_for
from core.errors import Invalid
from core.mail import NotSent, mailer
from core.outbound import Request
from marketplace.leads.delivery.answers import Outcome, Verdict
from marketplace.leads.delivery.log import Sent
from marketplace.leads.delivery.mail.addresses import recipients_for
from marketplace.leads.delivery.mails import mail_of
from marketplace.leads.delivery.masking import masked_text
from marketplace.leads.delivery.parcel import Parcel
from marketplace.leads.delivery.settings import AdfDelivery, EmailDelivery, addresses_of

SALE_KIND = "s"  # of the tokens in letters about a sale
ACCEPTED = 250  # RFC 5321 section 4.2.2


class Letter(NamedTuple):
    """A mail that is ready to go, what it carries, and the token by which it is known when it comes back."""

    message: EmailMessage
    parcel: Parcel
    token: str


def letter_of(sale_id: UUID, buyer_id: UUID, settings: EmailDelivery | AdfDelivery, parcel: Parcel) -> Letter:
    """Write the letter of a sale to whoever may get it now; reads only.

    Its Message-ID is the same in every attempt. Invalid when nobody may get it, or a template grows too long.
    """
    to = recipients_for(buyer_id, addresses_of(settings.to))
    if not to:
        raise Invalid("no_address", "Mail came back from every address that this order's leads may go to.")
    token = token_for(SALE_KIND, sale_id)
    message = mail_of(settings, parcel, to)
    message["Message-ID"] = mailer().message_id(token)
    return Letter(message, parcel, token)


def send_letter(letter: Letter) -> Sent:
    """Hand a letter over and judge what the server said: a refusal for good ends the sale, else it is tried again."""
    began = time.monotonic()
    status: int | None = ACCEPTED
    try:
        taken = mailer().send(letter.message, letter.token)
    except NotSent as none:
        outcome: Outcome = "error" if none.code in ("later", "connection") else "refused"
        verdict, status = Verdict(outcome, masked_text(f"{none.code}: {none}"[:300], letter.parcel)), none.status
    else:
        missed = "; ".join(f"not taken for {address}: {words}" for address, words in taken.refused.items())
        verdict = Verdict("accepted", masked_text(missed[:300], letter.parcel), reference=taken.message_id)
    milliseconds = round((time.monotonic() - began) * 1000)
    return Sent(_shown(letter.message), verdict, status, milliseconds, verdict.reason.encode())


def _shown(message: EmailMessage) -> Request:
    """Return a mail as the log of attempts keeps it."""
    headers = {name: str(message[name]) for name in ("To", "Subject", "Message-ID")}
    body = message.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    parts = [part.get_content() for part in message.iter_attachments()]
    written = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts]
    return Request("MAIL", f"mailto:{message['To']}", headers, "\n\n".join([text, *written]).encode())
