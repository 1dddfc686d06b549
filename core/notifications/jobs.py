"""What news becomes for each account: a notice, deliveries to its webhooks, and mail when a webhook is given up."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from core.db import db, transaction
from core.http import business_clock
from core.ids import show_id
from core.jobs import job
from core.notifications.claims import MAIL_JOB
from core.notifications.deliveries import make_deliveries
from core.notifications.mails import mail_account
from core.notifications.models import Notice, Webhook

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
        account_id, reason, url = webhook.account_id, webhook.disabled_reason or "", webhook.url
    if reason in _WHY:  # it may be enabled again meanwhile
        text = _TEXT.format(id=show_id("whk", UUID(webhook_id)), url=url, why=_WHY[reason])
        mail_account(account_id, "We stopped sending to one of your webhooks", text)
