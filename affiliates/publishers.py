"""Opening publishers and changing their standing; on which terms they are paid is told in `terms`."""

from datetime import datetime
from uuid import UUID

from affiliates.models import Publisher
from affiliates.terms.changing import open_terms
from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.overrides import overrides

STANDINGS = ("active", "paused")


def open_publisher(account_id: UUID, at: datetime) -> Publisher:
    """Add a publisher on a newcomer's terms."""
    open_terms(account_id, overrides().exchange, at)
    return get_publisher(account_id)


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
