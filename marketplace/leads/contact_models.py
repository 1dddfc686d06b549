"""The rows of speed to contact: a sale's clock and what became of it, the buyer's reports, how far the watch is."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class SaleContact(Model):
    """A delivered sale's clock, and the sum of what its buyer reported; only `dispositions` writes the sum."""

    __tablename__ = "sale_contacts"
    __table_args__ = (
        CheckConstraint("delivered_hour BETWEEN 0 AND 23"),
        CheckConstraint("due_at >= delivered_at AND left_alone_at >= delivered_at"),
        CheckConstraint("attempts >= attempt_days AND attempt_days >= 0"),
        CheckConstraint("(first_attempt_at IS NULL) = (last_status IS NULL)"
                        " AND (last_status IS NULL) = (last_at IS NULL)"),
        CheckConstraint("best_time IN ('respected', 'not_understood')"),
        Index("sale_contacts_buyer_id_idx", "buyer_id", "delivered_at"),
        Index("sale_contacts_publisher_id_idx", "publisher_id", "delivered_at"),
        Index("sale_contacts_order_id_idx", "order_id", "left_alone_at"),
        Index("sale_contacts_due_at_idx", "due_at",
              postgresql_where=text("first_attempt_at IS NULL AND late_at IS NULL")),
        Index("sale_contacts_follow_up_at_idx", "follow_up_at",
              postgresql_where=text("follow_up_at IS NOT NULL AND follow_up_told_at IS NULL")),
        Index("sale_contacts_follow_ups_idx", "buyer_id", "follow_up_at",
              postgresql_where=text("follow_up_at IS NOT NULL")),
        {"schema": "marketplace"},
    )  # fmt: skip

    sale_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.sales.id"), primary_key=True)
    buyer_id: Mapped[UUID]
    order_id: Mapped[UUID]
    order_version: Mapped[int]
    publisher_id: Mapped[UUID]
    timezone: Mapped[str] = mapped_column(Text)
    delivered_at: Mapped[datetime] = mapped_column(Instant)
    delivered_hour: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime] = mapped_column(Instant)
    left_alone_at: Mapped[datetime] = mapped_column(Instant)
    wanted_at: Mapped[datetime | None] = mapped_column(Instant)
    best_time: Mapped[str | None] = mapped_column(Text)
    first_attempt_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(server_default="0")
    attempt_days: Mapped[int] = mapped_column(server_default="0")
    first_contact_at: Mapped[datetime | None] = mapped_column(Instant)
    last_status: Mapped[str | None] = mapped_column(Text)
    last_at: Mapped[datetime | None] = mapped_column(Instant)
    follow_up_at: Mapped[datetime | None] = mapped_column(Instant)
    late_at: Mapped[datetime | None] = mapped_column(Instant)
    follow_up_told_at: Mapped[datetime | None] = mapped_column(Instant)


class Disposition(Model):
    """One report of a buyer on a sale; never changed."""

    __tablename__ = "dispositions"
    __table_args__ = (
        CheckConstraint("status IN ('attempted', 'contacted', 'qualified', 'unreachable', 'won', 'lost')"),
        CheckConstraint("(status = 'lost') = (lost_reason IS NOT NULL)"),
        CheckConstraint("follow_up_at > at AND status NOT IN ('won', 'lost') OR follow_up_at IS NULL"),
        UniqueConstraint("sale_id", "at", "status", name="dispositions_sale_id_key"),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sale_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.sale_contacts.sale_id"))
    status: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    local_day: Mapped[date] = mapped_column(Date)
    lost_reason: Mapped[str | None] = mapped_column(Text)
    follow_up_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(Instant)


class ContactWatch(Model):
    """Up to which delivery the watch has given sales their clock; one row."""

    __tablename__ = "contact_watch"
    __table_args__ = (CheckConstraint("id = 1"), {"schema": "marketplace"})

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    looked_to: Mapped[datetime] = mapped_column(Instant)
