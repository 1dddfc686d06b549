"""How an account hears of its news besides webhooks: a daily mail, if it asks for one."""

import msgspec

from core.http import Answer, body, business_clock, reads, writes
from core.identity import Actor
from core.notifications import has_digest, set_digest
from marketplace.web.api import api
from marketplace.web.api.described import describe


class NotificationsShown(msgspec.Struct, frozen=True):
    """What an account has asked for."""

    daily_mail: bool


class NotificationsPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change."""

    daily_mail: bool


@api.get("/notifications")
@reads("webhooks:manage")
@describe(NotificationsShown)
def show_notifications(actor: Actor) -> Answer:
    """Show how the account hears of its news."""
    return Answer(NotificationsShown(has_digest(actor.account_id)))


@api.patch("/notifications")
@writes("webhooks:manage")
@describe(NotificationsShown, takes=NotificationsPatch)
def patch_notifications(actor: Actor) -> Answer:
    """Begin or stop the daily mail to everybody of the account."""
    set_digest(actor.account_id, body(NotificationsPatch).daily_mail, business_clock().now())
    return Answer(NotificationsShown(has_digest(actor.account_id)))
