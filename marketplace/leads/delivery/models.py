"""The rows of deliveries: one a sale on its way, one an attempt, and the secrets that sign them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class DeliveryRow(Model):
    """One sale on its way to its buyer."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'in_hand', 'filed', 'accepted', 'refused', 'failed')"),
        CheckConstraint("attempts >= 0"),
        CheckConstraint("window_hours > 0"),
        CheckConstraint("hold_days > 0"),
        CheckConstraint("(state = 'in_hand') = (lease_until IS NOT NULL)", name="deliveries_lease_check"),
        CheckConstraint(
            "(state IN ('waiting', 'in_hand', 'filed')) = (ended_at IS NULL)", name="deliveries_ended_check"
        ),
        Index("deliveries_waiting_idx", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
        Index("deliveries_in_hand_idx", "lease_until", postgresql_where=text("state = 'in_hand'")),
        Index("deliveries_ended_idx", "ended_at",
              postgresql_where=text("state IN ('refused', 'failed') AND NOT passed_on")),
        Index("deliveries_lead_id_idx", "lead_id"),
        {"schema": "marketplace"},
    )  # fmt: skip

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    lead_id: Mapped[UUID]
    order_id: Mapped[UUID]
    order_version: Mapped[int]
    buyer_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    give_up_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    window_hours: Mapped[int]
    hold_days: Mapped[int]
    reference: Mapped[str | None] = mapped_column(Text)
    redirect_url: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    passed_on: Mapped[bool] = mapped_column(server_default="false")
    asked_by: Mapped[str | None] = mapped_column(Text)


class DeliveryAttempt(Model):
    """One try to deliver a sale; without an outcome it is under way, or its process died."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (
        CheckConstraint("number > 0"),
        CheckConstraint("outcome IN ('accepted', 'refused', 'error', 'not_sent')"),
        CheckConstraint("milliseconds >= 0"),
        CheckConstraint("(sealed IS NULL) = (sealed_key IS NULL)", name="delivery_attempts_sealed_check"),
        Index("delivery_attempts_by_hand_idx", "lease_until",
              postgresql_where=text("lease_until IS NOT NULL")),
        CheckConstraint("(bounced_at IS NULL) = (bounce IS NULL)", name="delivery_attempts_bounced_check"),
        {"schema": "marketplace"},
    )  # fmt: skip

    sale_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    milliseconds: Mapped[int | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_key: Mapped[int | None] = mapped_column(SmallInteger)
    asked_by: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    bounced_at: Mapped[datetime | None] = mapped_column(Instant)
    bounce: Mapped[str | None] = mapped_column(Text)


class OrderSecret(Model):
    """The secret that signs an order's webhook, sealed."""

    __tablename__ = "order_secrets"
    __table_args__ = {"schema": "marketplace"}

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_key: Mapped[int] = mapped_column(SmallInteger)
