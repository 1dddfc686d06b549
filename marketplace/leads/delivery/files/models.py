"""The rows of files: one a file, one a sale in it, and what signs in where files go."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class DeliveryFile(Model):
    """One file of an order for one slot of its schedule; slot and tries by business time, the lease by real time."""

    __tablename__ = "delivery_files"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'in_hand', 'taken', 'failed')"),
        CheckConstraint("attempts >= 0"),
        CheckConstraint("(state = 'in_hand') = (lease_until IS NOT NULL)", name="delivery_files_lease_check"),
        CheckConstraint("(state IN ('waiting', 'in_hand')) = (ended_at IS NULL)", name="delivery_files_ended_check"),
        UniqueConstraint("order_id", "slot", name="delivery_files_order_id_slot_key"),
        Index("delivery_files_due_idx", "next_attempt_at", postgresql_where=text("state IN ('waiting', 'in_hand')")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    slot: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0", default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str | None] = mapped_column(Text)


class FiledSale(Model):
    """A sale that waits for its file, or is in it for good."""

    __tablename__ = "filed_sales"
    __table_args__ = (
        Index("filed_sales_order_id_idx", "order_id", "sold_at", postgresql_where=text("file_id IS NULL")),
        Index("filed_sales_file_id_idx", "file_id"),
        {"schema": "marketplace"},
    )

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    sold_at: Mapped[datetime] = mapped_column(Instant)
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("marketplace.delivery_files.id"))


class FileCredential(Model):
    """What signs in on the server to which an order's files go, sealed together with the server it was given for."""

    __tablename__ = "file_credentials"
    __table_args__ = {"schema": "marketplace"}

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_key: Mapped[int] = mapped_column(SmallInteger)
