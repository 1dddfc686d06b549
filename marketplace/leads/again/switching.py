"""Publishers say whether their leads are offered again: each by itself, or all of a source by its rule."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from core.db import db
from core.errors import Conflict, NotFound
from marketplace.leads.again.models import KeptLead
from marketplace.leads.events import move
from marketplace.leads.models import Lead

BY_PUBLISHER, BY_SOURCE = "publisher_off", "source_off"
_SWITCH = text("""
    WITH chosen AS (
        SELECT l.id FROM marketplace.leads l JOIN marketplace.kept_leads k ON k.lead_id = l.id
        WHERE k.publisher_id = :publisher AND k.source_name = :source AND k.vertical_id = :vertical
          AND k.state = :before AND (:before = 'open' OR k.why = :by)
        ORDER BY l.id FOR UPDATE OF l
    ), moved AS (
        UPDATE marketplace.kept_leads k
        SET state = :after, why = CASE WHEN :after = 'off' THEN :by END,
            due_at = CASE WHEN :after = 'open' THEN CAST(:at AS timestamptz) END
        FROM chosen WHERE k.lead_id = chosen.id RETURNING k.lead_id
    )
    INSERT INTO marketplace.events (subject_id, at, move, actor, why)
    SELECT lead_id, :at, 'offers ' || :before || '>' || :after, :actor, :by FROM moved
""")

_WAKE_SOURCE = text("""
    UPDATE marketplace.kept_leads k SET due_at = :at FROM (
        SELECT k.lead_id FROM marketplace.kept_leads k
        WHERE k.publisher_id = :publisher AND k.source_name = :source AND k.vertical_id = :vertical
          AND k.state = 'open' AND (k.due_at IS NULL OR k.due_at > :at) FOR UPDATE SKIP LOCKED) AS free
    WHERE k.lead_id = free.lead_id
""")


def switch_lead(publisher_id: UUID, lead_id: UUID, offered: bool, actor: str, at: datetime) -> KeptLead:
    """Let one of the publisher's leads be offered again from the commit on, or not; the same again changes nothing.

    NotFound for anybody else's lead or one that is never offered again, Conflict `not_now` when it is over.
    """
    mine = select(Lead.id).where(Lead.id == lead_id, Lead.publisher_id == publisher_id)
    if db.session.scalar(mine.with_for_update()) is None:
        raise NotFound(detail="There is no lead with this id.")
    kept = db.session.get(KeptLead, lead_id, with_for_update=True, populate_existing=True)
    if kept is None:
        raise NotFound(detail="This lead is not offered again: it was refused, is a test, or is sold for good.")
    if kept.state == "ended":
        raise Conflict("not_now", f"It is not offered any more: {kept.why}.")
    after = "open" if offered else "off"
    if after != kept.state:
        kept.due_at, kept.why = (at, None) if offered else (None, BY_PUBLISHER)
        move(kept, after, actor, at, BY_PUBLISHER)
    return kept


def wake_source(publisher_id: UUID, source: str, vertical_id: int, at: datetime) -> None:
    """Let the kept leads of a source be looked at again, as what it asks for has changed."""
    asked = {"publisher": publisher_id, "source": source, "vertical": vertical_id, "at": at}
    db.session.execute(_WAKE_SOURCE, asked)


def switch_source(
    publisher_id: UUID, source: str, vertical_id: int, offered: bool, actor: str, at: datetime
) -> None:  # fmt: skip
    """Let the leads of a source be offered again from the commit on, or not; each leaves an event.

    What the publisher has switched off by itself stays off.
    """
    before, after = ("off", "open") if offered else ("open", "off")
    db.session.execute(_SWITCH, {
        "publisher": publisher_id, "source": source, "vertical": vertical_id, "before": before, "after": after,
        "by": BY_SOURCE, "actor": actor, "at": at,
    })  # fmt: skip
