"""The rows of briefs and deals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)
RUNNING = "state = 'active'"


class Brief(Model):
    """What a buyer wants made for him: an order's body, how many leads, from when until when, and for which publishers.

    `taken` is what running deals have promised and ended ones have bought; an empty list of publishers is for all.
    """

    __tablename__ = "briefs"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'full', 'ended', 'cancelled') AND volume > 0 AND taken BETWEEN 0 AND volume"
            " AND (state <> 'full' OR taken = volume) AND starts_at < ends_at",
            name="briefs_check",
        ),
        Index("briefs_buyer_id_idx", "buyer_id", "id"),
        Index("briefs_open_idx", "ends_at", postgresql_where=text("state IN ('open', 'full')")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID]
    vertical_id: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("marketplace.verticals.id", name="briefs_vertical_id_fkey")
    )
    state: Mapped[str] = mapped_column(Text)
    body: Mapped[Any] = mapped_column(JSONB)
    publishers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    volume: Mapped[int]
    taken: Mapped[int] = mapped_column(server_default="0")
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class Deal(Model):
    """What one publisher promised to send for a brief, and the order that buys it from him alone."""

    __tablename__ = "deals"
    __table_args__ = (
        CheckConstraint(
            "state IN ('active', 'full', 'ended', 'cancelled') AND volume > 0"
            " AND (state = 'active') = (ended_at IS NULL)",
            name="deals_check",
        ),
        UniqueConstraint("order_id", name="deals_order_id_key"),
        Index("deals_active_key", "brief_id", "publisher_id", unique=True, postgresql_where=text(RUNNING)),
        Index("deals_publisher_id_idx", "publisher_id", "id"),
        Index("deals_buyer_id_idx", "buyer_id", "id"),
        Index("deals_running_idx", "ends_at", postgresql_where=text(RUNNING)),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    brief_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.briefs.id", name="deals_brief_id_fkey"))
    publisher_id: Mapped[UUID]
    buyer_id: Mapped[UUID]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.orders.id", name="deals_order_id_fkey"))
    state: Mapped[str] = mapped_column(Text)
    volume: Mapped[int]
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
