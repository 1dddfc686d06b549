"""What was no lead at all: counted per publisher, day, field and code, so that nobody wonders where it went."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.errors import DomainError
from marketplace.leads.models import Refusal

# A field's path may repeat what the sender wrote (an unknown field's name), so only these heads are kept.
_KEPT_HEADS = ("vertical", "region", "contact", "attributes", "comments", "interest", "channel", "source", "consent",
               "external_id", "exclusive_only", "min_price", "ping_id", "test")  # fmt: skip


def count_refusal(publisher_id: UUID, refused: DomainError, at: datetime) -> None:
    """Count a refused body once for each of its faults, or once for its code when it has none."""
    count_refusals(publisher_id, [refused], at)


def count_refusals(publisher_id: UUID, refused: Iterable[DomainError], at: datetime) -> None:
    """Count refused bodies or rows, each as `count_refusal` does, in one statement for each field and code."""
    counts = Counter(found for one in refused for found in _found(one))
    for (field, code), number in sorted(counts.items()):
        row = {"publisher_id": publisher_id, "day": at.date(), "field": field, "code": code, "refused": number}
        statement = insert(Refusal).values(row)
        raised = {"refused": Refusal.refused + number}
        db.session.execute(statement.on_conflict_do_update(constraint="refusals_pkey", set_=raised))


def _found(refused: DomainError) -> set[tuple[str, str]]:
    return {(_head(fault.field), fault.code) for fault in refused.faults} or {("", refused.code)}


def refusals_of(publisher_id: UUID) -> list[Refusal]:
    """Return the publisher's counts, the newest days first."""
    query = select(Refusal).where(Refusal.publisher_id == publisher_id)
    return list(db.session.scalars(query.order_by(Refusal.day.desc(), Refusal.field, Refusal.code).limit(1000)))


def _head(field: str) -> str:
    head = field.split(".", 1)[0]
    return head if head in _KEPT_HEADS else ""
