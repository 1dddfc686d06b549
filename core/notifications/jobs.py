"""What news becomes for each account: a notice, deliveries to its webhooks, and mail when a webhook is given up."""

import logging
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from core.db import db, transaction
from core.http import business_clock
from core.identity import emails_of
from core.ids import show_id
from core.jobs import job
from core.mail import NotSent, mailer
from core.notifications.claims import MAIL_JOB
from core.notifications.deliveries import make_deliveries
from core.notifications.models import Notice, Webhook

log = logging.getLogger(__name__)

_WHY = {
    "gone": "Your server answered 410 Gone, which asks us to stop.",
    "failing": "Nothing that we sent was accepted for three days, and a message used up all its tries.",
}
_TEXT = """Hello,

we no longer send news to your webhook {id}:

{url}

{why}

What had not been sent is kept. When your server is ready again, enable the webhook with
PATCH /api/v1/webhooks/{id} {{"enabled": true}}, and replay what you missed from the list of its deliveries.
"""


@job("notice")
def write_notices(news: Sequence[Mapping[str, Any]]) -> None:
    """Write what happened for each account that it concerns, on its way to its webhooks; a second time changes nothing.

    Each piece of news is `{"id", "event", "at", "accounts": [...], "data": {...}}`.
    """
    rows = [
        {"outbox_id": one["id"], "account_id": account, "event": one["event"], "payload": one["data"],
         "occurred_at": one["at"]}
        for one in news for account in one["accounts"]
    ]  # fmt: skip
    if not rows:
        return  # news that concerns nobody
    with transaction() as session:
        session.execute(insert(Notice).on_conflict_do_nothing(), rows)
        make_deliveries(rows, business_clock().now())


@job(MAIL_JOB)
def tell_by_mail(webhook_id: str) -> None:
    """Write to the people of an account that one of its webhooks is disabled; tried again when mail cannot be sent."""
    with transaction():
        webhook = db.session.get_one(Webhook, UUID(webhook_id))
        recipients, reason = emails_of(webhook.account_id), webhook.disabled_reason or ""
        url = webhook.url
    if reason not in _WHY or not recipients:
        return  # enabled again meanwhile, or nobody to write to
    message = EmailMessage()
    message["To"], message["Subject"] = ", ".join(recipients), "We stopped sending to one of your webhooks"
    message.set_content(_TEXT.format(id=show_id("whk", UUID(webhook_id)), url=url, why=_WHY[reason]))
    try:
        mailer().send(message)
    except NotSent as none:
        if none.code in ("later", "connection"):
            raise
        log.warning("nobody could be told of %s: %s", webhook_id, none)
