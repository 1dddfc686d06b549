"""Telling a buyer that his endpoint is paused or works again: news for his account, and a mail to his people."""

import logging
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.clock import as_rfc3339
from core.db import db, transaction
from core.identity import emails_of
from core.ids import show_id
from core.jobs import enqueue, job
from core.mail import NotSent, mailer
from core.outbox import announce
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.orders.models import Order

log = logging.getLogger(__name__)

MAIL_JOB = "market.endpoint_mail"
_SUBJECTS = {
    "endpoint.paused": "We stopped sending leads to one of your addresses",
    "endpoint.resumed": "We send leads to your address again",
}
_TEXTS = {
    "endpoint.paused": """Hello,

too many attempts to send you leads have failed, so nothing is sent to this address for now:

{address}

{why}.

Leads that were waiting for it went to other buyers, and your money for them came back. At the time above one lead is
sent to try your endpoint; when it is answered, you receive leads again. You can try it yourself at any time with
POST /api/v1/orders/ID/test. Orders concerned: {orders}.
""",
    "endpoint.resumed": """Hello,

your endpoint answers again, and leads are sent to it as before:

{address}

Orders concerned: {orders}.
""",
}


def tell_paused(endpoint: Endpoint, why: str, at: datetime) -> None:
    """Announce that nothing is sent to an endpoint any more, within the session's transaction."""
    until = as_rfc3339(endpoint.probe_at) if endpoint.probe_at else None
    _tell("endpoint.paused", endpoint, {"why": why, "until": until}, at)


def tell_resumed(endpoint: Endpoint, at: datetime) -> None:
    """Announce that an endpoint receives leads again, within the session's transaction."""
    _tell("endpoint.resumed", endpoint, {}, at)


def _tell(event: str, endpoint: Endpoint, more: dict[str, Any], at: datetime) -> None:
    query = select(Order.id).where(Order.buyer_id == endpoint.buyer_id, Order.endpoint == endpoint.address)
    orders = [show_id("ord", order_id) for order_id in db.session.scalars(query.order_by(Order.id))]
    data = {"address": endpoint.address, "orders": orders, **more}
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": [str(endpoint.buyer_id)], "data": data})
    enqueue(MAIL_JOB, event=event, buyer_id=str(endpoint.buyer_id), data=data)


@job(MAIL_JOB)
def tell_by_mail(event: str, buyer_id: str, data: dict[str, Any]) -> None:
    """Write to the people of a buyer's account about his endpoint; tried again when mail cannot be sent."""
    with transaction():
        recipients = emails_of(UUID(buyer_id))
    if not recipients:
        return
    message = EmailMessage()
    message["To"], message["Subject"] = ", ".join(recipients), _SUBJECTS[event]
    message.set_content(_TEXTS[event].format_map({**data, "orders": ", ".join(data["orders"])}))
    try:
        mailer().send(message)
    except NotSent as none:
        if none.code in ("later", "connection"):
            raise
        log.warning("nobody of %s could be told of %s: %s", buyer_id, event, none)
