"""Opening publishers and changing their standing; the tiers on which they start and rise."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from affiliates.models import Publisher
from core.db import db
from core.defaults import default
from core.errors import Fault, Invalid, NotFound
from core.overrides import overrides

STANDINGS = ("active", "paused")
MIN_MARGIN_MINOR = default("margin.least_minor")  # the platform keeps at least this of a sale


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tier grants: share of the price, days held beyond the vertical's, reserve and how long it is kept."""

    share_bp: int
    extra_hold_days: int
    reserve_bp: int
    reserve_days: int


TIERS = {
    tier: Terms(**{name: default(f"tier.{tier}.{name}") for name in Terms.__slots__})
    for tier in ("new", "standard", "trusted", "top")
}


def open_publisher(account_id: UUID, at: datetime) -> Publisher:
    """Add a publisher on a newcomer's terms, as operators have them now; they are his from then on."""
    say = overrides().setting
    terms = Terms(**{name: say(f"tier.new.{name}") for name in Terms.__slots__})
    publisher = Publisher(
        account_id=account_id, standing="active", tier="new", share_bp=terms.share_bp,
        extra_hold_days=terms.extra_hold_days, reserve_bp=terms.reserve_bp, reserve_days=terms.reserve_days,
        min_margin_minor=say("margin.least_minor"), changed_at=at,
    )  # fmt: skip
    db.session.add(publisher)
    db.session.flush()
    return publisher


def get_publisher(account_id: UUID) -> Publisher:
    """Return a publisher; NotFound when there is none of this account."""
    publisher = db.session.get(Publisher, account_id)
    if publisher is None:
        raise NotFound(detail="There is no publisher with this id.")
    return publisher


def change_publisher(account_id: UUID, at: datetime, standing: str | None = None) -> Publisher:
    """Pause or readmit a publisher for every lead whose request begins from now; Invalid for another standing."""
    publisher = get_publisher(account_id)
    if standing is not None and standing not in STANDINGS:
        raise Invalid("invalid_publisher", "The publisher cannot be changed.",
                      [Fault("standing", "not_allowed_value", "Choose active or paused.")])  # fmt: skip
    publisher.standing = standing or publisher.standing
    publisher.changed_at = at
    db.session.flush()
    return publisher
