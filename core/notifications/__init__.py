"""Telling accounts what happened: notices, and webhooks signed per Standard Webhooks, patient and logged."""

from core.notifications.deliveries import Logged, deliveries_of, forget_deliveries, make_test, replay, waiting_webhooks
from core.notifications.digests import has_digest, queue_digests, set_digest
from core.notifications.jobs import write_notices
from core.notifications.mails import NOTICE_KIND, NOTICES, mail_account
from core.notifications.models import Delivery, DeliveryAttempt, Webhook
from core.notifications.news import EXTENSION, News, news
from core.notifications.sending import run_sender, send_due
from core.notifications.webhooks import (
    add_webhook,
    change_webhook,
    delete_webhook,
    get_webhook,
    rotate_secret,
    secrets_of,
    webhooks_of,
)

__all__ = [
    "EXTENSION",
    "NOTICES",
    "NOTICE_KIND",
    "Delivery",
    "DeliveryAttempt",
    "Logged",
    "News",
    "Webhook",
    "add_webhook",
    "change_webhook",
    "delete_webhook",
    "deliveries_of",
    "forget_deliveries",
    "get_webhook",
    "has_digest",
    "mail_account",
    "make_test",
    "news",
    "queue_digests",
    "replay",
    "rotate_secret",
    "run_sender",
    "secrets_of",
    "send_due",
    "set_digest",
    "waiting_webhooks",
    "webhooks_of",
    "write_notices",
]
