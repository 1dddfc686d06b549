"""Webhooks over HTTP: where an account wants its news sent, what became of it, and sending it again."""

from typing import Annotated

import msgspec

from core.http import Answer, body, business_clock, created, filter_of, page_request, reads, writes
from core.identity import Actor
from core.ids import parse_id
from core.notifications import (
    Webhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    deliveries_of,
    get_webhook,
    make_test,
    replay,
    rotate_secret,
    webhooks_of,
)
from core.paging import page_of
from marketplace.web.api import answers_webhooks as shown
from marketplace.web.api import api
from marketplace.web.api.described import Query, describe

Events = Annotated[list[str], msgspec.Meta(max_length=50)]


class WebhookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where news goes; without events all of it, without a secret one is made."""

    url: str
    events: Events | None = None
    secret: str | None = None


class WebhookPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; events `[]` means all, a new secret has the one before sign beside it for a day."""

    url: str | None = None
    events: Events | None = None
    enabled: bool | None = None
    new_secret: bool = False


def _mine(actor: Actor, webhook_id: str) -> Webhook:
    return get_webhook(actor.account_id, parse_id("whk", webhook_id))


@api.post("/webhooks")
@writes("webhooks:manage")
@describe(shown.WebhookShown, takes=WebhookBody, status=201)
def post_webhook(actor: Actor) -> Answer:
    """Add a webhook."""
    said = body(WebhookBody)
    now = business_clock().now()
    return created(shown.webhook(add_webhook(actor.account_id, said.url, said.events, said.secret, now)))


@api.get("/webhooks")
@reads("webhooks:manage")
@describe(shown.WebhookShown, is_list=True)
def list_webhooks(actor: Actor) -> Answer:
    """Show the account's webhooks with their secrets."""
    return Answer({"items": [shown.webhook(one) for one in webhooks_of(actor.account_id)], "next_cursor": None})


@api.patch("/webhooks/<webhook_id>")
@writes("webhooks:manage")
@describe(shown.WebhookShown, takes=WebhookPatch)
def patch_webhook(actor: Actor, webhook_id: str) -> Answer:
    """Change, disable or enable a webhook."""
    said, webhook = body(WebhookPatch), _mine(actor, webhook_id)
    change_webhook(webhook, said.url, said.events, said.enabled, business_clock().now())
    if said.new_secret:
        rotate_secret(webhook)
    return Answer(shown.webhook(webhook))


@api.delete("/webhooks/<webhook_id>")
@writes("webhooks:manage")
@describe(shown.WebhookShown)
def delete_one_webhook(actor: Actor, webhook_id: str) -> Answer:
    """Delete a webhook; what waits for it is dropped."""
    webhook = _mine(actor, webhook_id)
    delete_webhook(webhook, business_clock().now())
    return Answer(shown.webhook(webhook))


@api.get("/webhooks/<webhook_id>/deliveries")
@reads("webhooks:manage")
@describe(shown.WebhookDeliveryShown, pages=True, query=(Query("state", "Only deliveries so.", shown.DELIVERY_STATES),))
def list_deliveries(actor: Actor, webhook_id: str) -> Answer:
    """Show what was sent to a webhook, with every attempt, the newest first."""
    state = filter_of("state", shown.DELIVERY_STATES)
    webhook, asked = _mine(actor, webhook_id), page_request("del")
    return Answer(page_of("del", asked, lambda *page: deliveries_of(webhook.id, state, *page), shown.delivery))


@api.post("/webhooks/<webhook_id>/deliveries/<delivery_id>/replay")
@writes("webhooks:manage")
@describe(shown.WebhookDeliveryShown)
def post_replay(actor: Actor, webhook_id: str, delivery_id: str) -> Answer:
    """Send a delivery again, at once and with all its tries."""
    webhook = _mine(actor, webhook_id)
    return Answer(shown.delivery(replay(webhook, parse_id("del", delivery_id), business_clock().now())))


@api.post("/webhooks/<webhook_id>/test")
@writes("webhooks:manage")
@describe(shown.WebhookDeliveryShown, status=201)
def post_test(actor: Actor, webhook_id: str) -> Answer:
    """Send a `webhook.test`; what became of it is in the list of deliveries a moment later."""
    return created(shown.delivery(make_test(_mine(actor, webhook_id), business_clock().now())))
