"""The rows of suppression lists: each upload with what was found in it, and its entries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class SuppressionList(Model):
    """One upload: it proves what the buyer knew from `uploaded_at` on; entries are gone once it is deleted.

    One that `suppresses` keeps leads of its persons away from the buyer, from `valid_from` until `valid_until`.
    """

    __tablename__ = "suppression_lists"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 100"),
        CheckConstraint("valid_until > valid_from", name="suppression_lists_valid_check"),
        Index("suppression_lists_live_idx", "buyer_id", postgresql_where=text("suppresses AND deleted_at IS NULL")),
        UniqueConstraint("number", name="suppression_lists_number_key"),
        Index("suppression_lists_buyer_id_idx", "buyer_id", "id"),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    buyer_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(Text)
    lines: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int] = mapped_column(BigInteger)
    duplicates: Mapped[int] = mapped_column(BigInteger)
    bad: Mapped[int] = mapped_column(BigInteger)
    faults: Mapped[Any] = mapped_column(JSONB)
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    uploaded_by: Mapped[str] = mapped_column(Text)
    suppresses: Mapped[bool] = mapped_column(server_default="false")
    valid_from: Mapped[datetime | None] = mapped_column(Instant)
    valid_until: Mapped[datetime | None] = mapped_column(Instant)
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)


class SuppressedLead(Model):
    """A lead that a list kept away from its buyer; it outlives the list, so that what was decided can be told."""

    __tablename__ = "suppressed_leads"
    __table_args__ = (Index("suppressed_leads_list_number_idx", "list_number"), {"schema": "marketplace"})

    lead_id: Mapped[UUID] = mapped_column(primary_key=True)
    buyer_id: Mapped[UUID] = mapped_column(primary_key=True)
    list_number: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Instant)


class SuppressionEntry(Model):
    """One person on one list, under the keyed hash by which persons are recognised."""

    __tablename__ = "suppression_entries"
    __table_args__ = (
        CheckConstraint("length(key) = 32"),
        Index("suppression_entries_list_number_idx", "list_number"),
        {"schema": "marketplace"},
    )

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    list_number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
