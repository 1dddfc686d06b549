"""Publishers over HTTP, for operators: pausing one, and admitting it again."""

from datetime import datetime
from uuid import UUID

import msgspec

from core.http import Answer, body, business_clock, writes
from core.identity import Actor
from core.ids import parse_id, show_id
from marketplace.leads.publisher_standing import set_publisher_standing
from marketplace.web.api import answers, api
from marketplace.web.api.described import describe


class PublisherPatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator changes of a publisher."""

    standing: str | None = None


@api.patch("/publishers/<publisher_id>")
@writes("operate")
@describe(answers.PublisherShown, takes=PublisherPatch)
def patch_publisher(actor: Actor, publisher_id: str) -> Answer:
    """Pause or readmit a publisher, for every lead whose request begins after the answer."""
    return Answer(_change(parse_id("acc", publisher_id), body(PublisherPatch), actor.name, business_clock().now()))


def _change(account_id: UUID, patch: PublisherPatch, actor: str, at: datetime) -> dict[str, object]:
    row = set_publisher_standing(account_id, patch.standing, actor, at)
    return {"id": show_id("acc", row.account_id), "standing": row.standing, "tier": row.tier,
            "share_bp": row.share_bp, "extra_hold_days": row.extra_hold_days, "reserve_bp": row.reserve_bp,
            "reserve_days": row.reserve_days}  # fmt: skip
