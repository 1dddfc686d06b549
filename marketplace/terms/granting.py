"""An operator says a publisher's terms anew: they are in the log with why, and the publisher is told."""

from datetime import datetime
from uuid import UUID

from affiliates import TermsVersion, Wish, change_terms
from core.db import db
from core.overrides import overrides
from marketplace.leads.models import Event
from marketplace.terms.telling import tell


def set_terms(publisher_id: UUID, wish: Wish, actor: str, at: datetime) -> TermsVersion | None:
    """Say a publisher's terms anew, for what is sold from the commit on; None when nothing changes.

    NotFound when there is no such publisher; refusals as `change_terms`.
    """
    now = change_terms(publisher_id, wish, overrides().exchange, actor, at)
    if now is not None:
        note(now, at)
    return now


def note(now: TermsVersion, at: datetime) -> None:
    """Write new terms into the log, and tell the publisher."""
    pinned = ", pinned" if now.is_pinned else ""
    move = f"terms>version {now.version}: {now.tier}{pinned}"
    db.session.add(Event(subject_id=now.account_id, at=at, move=move, actor=now.actor, why=now.reason))
    tell(now, at)
