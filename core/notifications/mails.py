"""Mail to the people of an account, but those from whom some came back, under a token by which it is known then."""

import logging
from datetime import datetime
from email.message import EmailMessage
from uuid import UUID

from core.bounces import Returned, Sender, bounced_among, token_for
from core.db import transaction
from core.identity import emails_of
from core.mail import NotSent, mailer
from core.notifications.news import BOUNCED_EVENT
from core.outbox import announce

log = logging.getLogger(__name__)

NOTICE_KIND = "n"  # of the tokens in mails to an account


def mail_account(account_id: UUID, subject: str, text: str) -> None:
    """Write to the people of an account; NotSent when it is worth trying again, logged when it is not."""
    with transaction():
        people = emails_of(account_id)
        back = bounced_among(people)
    recipients = [address for address in people if address not in back]
    if not recipients:
        log.warning("nobody of %s can be reached by mail", account_id)
        return
    message = EmailMessage()
    message["To"], message["Subject"] = ", ".join(recipients), subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    try:
        mailer().send(message, token_for(NOTICE_KIND, account_id))
    except NotSent as none:
        if none.code in ("later", "connection"):
            raise
        log.warning("a mail to %s was not sent: %s", account_id, none)


def _returned(returned: Returned, at: datetime) -> None:
    """Tell the account by its notices that an address of its people gets no mail any more."""
    data = {"address": returned.address, "code": returned.code, "why": returned.says, "permanent": returned.permanent}
    accounts = [str(returned.subject)]
    announce("notice", {"event": BOUNCED_EVENT, "at": at.isoformat(), "accounts": accounts, "data": data})


NOTICES = Sender(lambda account_id: tuple(emails_of(account_id)), _returned)
