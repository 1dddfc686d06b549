"""The rows of notifications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import text

from core.db import Model


class Notice(Model):
    """What happened, for one account that it concerns."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_account_id_idx", "account_id", "occurred_at"), {"schema": "core"})

    outbox_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Webhook(Model):
    """An address that an account wants its news sent to; `events` None means all."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("events <> '{}'"),
        CheckConstraint("disabled_reason IN ('by_hand', 'gone', 'failing')"),
        CheckConstraint("(disabled_at IS NULL) = (disabled_reason IS NULL)"),
        CheckConstraint("num_nulls(old_secret, old_secret_generation, old_secret_until) IN (0, 3)"),
        Index("webhooks_account_id_idx", "account_id", postgresql_where=text("deleted_at IS NULL")),
        Index(
            "webhooks_stopped_idx",
            "disabled_at",
            postgresql_where=text("deleted_at IS NULL AND disabled_reason IN ('gone', 'failing')"),
        ),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.accounts.id"))
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    secret_generation: Mapped[int] = mapped_column(SmallInteger)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_generation: Mapped[int | None] = mapped_column(SmallInteger)
    old_secret_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Delivery(Model):
    """One piece of news on its way to one webhook; due by business time, leased by real time."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'failed', 'dropped')"),
        CheckConstraint("reason IN ('exhausted', 'gone', 'disabled', 'deleted')"),
        CheckConstraint("(state = 'waiting') = (next_attempt_at IS NOT NULL)"),
        CheckConstraint("(state IN ('failed', 'dropped')) = (reason IS NOT NULL)"),
        UniqueConstraint("webhook_id", "outbox_id", name="deliveries_webhook_id_outbox_id_key"),
        Index("deliveries_webhook_id_id_idx", "webhook_id", "id"),
        Index("deliveries_due_idx", "webhook_id", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
        Index("deliveries_leased_idx", "webhook_id", postgresql_where=text("leased_until IS NOT NULL")),
        {"schema": "core"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("core.webhooks.id"))
    outbox_id: Mapped[int | None] = mapped_column(BigInteger)
    event: Mapped[str] = mapped_column(Text)
    data: Mapped[Any] = mapped_column(JSONB)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    tries: Mapped[int] = mapped_column(Integer, server_default="0", default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DeliveryAttempt(Model):
    """One attempt: the status of the answer or why there was none, how long it took, how the answer began."""

    __tablename__ = "delivery_attempts"
    __table_args__ = (CheckConstraint("(status IS NULL) = (error IS NOT NULL)"), {"schema": "core"})

    delivery_id: Mapped[UUID] = mapped_column(ForeignKey("core.deliveries.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(Text)


class Digest(Model):
    """An account that asked for a daily mail of its notices, by business time."""

    __tablename__ = "digests"
    __table_args__ = (CheckConstraint("next_due_at > told_until"), {"schema": "core"})

    account_id: Mapped[UUID] = mapped_column(ForeignKey("core.accounts.id"), primary_key=True)
    told_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
