"""The file of a dispute: all that belongs to it beside its row, the same for whoever may read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from core.db import db
from marketplace.leads.dispute_rows import Appeal, Dispute, EvidenceFile
from marketplace.leads.disputes.evidence import files_of
from marketplace.leads.models import Sale


@dataclass(frozen=True, slots=True)
class DisputeFile:
    """A dispute's evidence files, its appeal if there is one, and the currency of its sale."""

    files: list[EvidenceFile]
    appeal: Appeal | None
    currency: str


def files_about(disputes: Sequence[Dispute]) -> dict[UUID, DisputeFile]:
    """Return the file of each of these disputes, in three questions however many they are."""
    ids = [dispute.id for dispute in disputes]
    shown = files_of(ids)
    appeals = {row.dispute_id: row for row in db.session.scalars(select(Appeal).where(Appeal.dispute_id.in_(ids)))}
    sales = select(Sale.id, Sale.currency).where(Sale.id.in_([dispute.sale_id for dispute in disputes]))
    currencies = {row.id: row.currency for row in db.session.execute(sales)}
    return {one.id: DisputeFile(shown[one.id], appeals.get(one.id), currencies[one.sale_id]) for one in disputes}
