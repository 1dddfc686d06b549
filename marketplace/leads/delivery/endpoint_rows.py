"""The rows of endpoints: where a buyer's leads are sent, and how that has gone lately."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class Endpoint(Model):
    """One address of one buyer: his orders that deliver there share its breaker."""

    __tablename__ = "endpoints"
    __table_args__ = (
        CheckConstraint("state IN ('closed', 'open', 'half_open', 'probing')"),
        CheckConstraint("pauses >= 0"),
        CheckConstraint("(state = 'closed') = (probe_at IS NULL)", name="endpoints_probe_at_check"),
        CheckConstraint("(state = 'probing') = (probe_sale_id IS NOT NULL)", name="endpoints_probe_sale_id_check"),
        UniqueConstraint("buyer_id", "address", name="endpoints_buyer_id_address_key"),
        Index("endpoints_not_closed_idx", "id", postgresql_where=text("state <> 'closed'")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    address: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="closed")
    recent: Mapped[Any] = mapped_column(JSONB, server_default="[]")
    pauses: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    probe_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    probe_sale_id: Mapped[UUID | None]
