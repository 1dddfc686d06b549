"""The rows of sources: the source itself, how a source stands, and the leads that Meta announced to one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model

Instant = DateTime(timezone=True)


class LeadSource(Model):
    """A source; of its key only the hash is kept, and what Meta gave the publisher is sealed."""

    __tablename__ = "sources"
    __table_args__ = (
        CheckConstraint("name <> ''"),
        CheckConstraint("status IN ('active', 'paused', 'closed')"),
        CheckConstraint("length(key_hash) = 32"),
        CheckConstraint("(sealed IS NULL) = (sealed_key IS NULL)"),
        CheckConstraint("(dialect = 'meta') = (sealed IS NOT NULL)"),
        UniqueConstraint("number", name="sources_number_key"),
        Index("sources_publisher_id_idx", "publisher_id", "id"),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True, start=1001))
    publisher_id: Mapped[UUID]
    dialect: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    vertical: Mapped[str] = mapped_column(ForeignKey("marketplace.verticals.slug"))
    status: Mapped[str] = mapped_column(Text)
    terms: Mapped[Any] = mapped_column(JSONB)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_key: Mapped[int | None] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class SourceStanding(Model):
    """How a publisher's source stands, by the name that its leads say; sales from `since` on count."""

    __tablename__ = "source_standings"
    __table_args__ = (
        CheckConstraint("standing IN ('active', 'warned', 'paused')"),
        Index("source_standings_stopped_idx", "changed_at", postgresql_where=text("standing <> 'active'")),
        {"schema": "marketplace"},
    )

    publisher_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_name: Mapped[str] = mapped_column(Text, primary_key=True)
    standing: Mapped[str] = mapped_column(Text, server_default="active")
    since: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    why: Mapped[str | None] = mapped_column(Text)


class SourceRule(Model):
    """What a publisher wants for the leads of one of his sources in a vertical, narrower than it sells them."""

    __tablename__ = "source_rules"
    __table_args__ = (
        CheckConstraint(
            "(exclusive_only OR most_buyers IS NOT NULL OR min_price_minor IS NOT NULL OR NOT offered_again"
            " OR NOT waits OR aged_min_price_minor IS NOT NULL)"
            " AND (most_buyers IS NULL OR most_buyers BETWEEN 2 AND 5 AND NOT exclusive_only)"
            " AND (min_price_minor IS NULL OR min_price_minor > 0)"
            " AND (aged_min_price_minor IS NULL OR aged_min_price_minor >= 0)",
            name="source_rules_check",
        ),
        Index("source_rules_vertical_id_idx", "vertical_id"),
        {"schema": "marketplace"},
    )

    publisher_id: Mapped[UUID] = mapped_column(primary_key=True)
    source_name: Mapped[str] = mapped_column(Text, primary_key=True)
    vertical_id: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("marketplace.verticals.id", name="source_rules_vertical_id_fkey"), primary_key=True
    )
    exclusive_only: Mapped[bool]
    most_buyers: Mapped[int | None] = mapped_column(SmallInteger)
    min_price_minor: Mapped[int | None] = mapped_column(BigInteger)
    offered_again: Mapped[bool] = mapped_column(server_default="true")
    waits: Mapped[bool] = mapped_column(server_default="true")
    aged_min_price_minor: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class MetaLead(Model):
    """A lead that Meta announced: waiting to be fetched, taken, refused as no lead, or given up; `reason` says why."""

    __tablename__ = "meta_leads"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'taken', 'refused', 'given_up')"),
        CheckConstraint("(state = 'waiting') = (next_attempt_at IS NOT NULL)"),
        CheckConstraint("(state = 'taken') = (lead_id IS NOT NULL)"),
        CheckConstraint("state NOT IN ('refused', 'given_up') OR reason IS NOT NULL"),
        Index("meta_leads_next_attempt_at_idx", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
        {"schema": "marketplace"},
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.sources.id"), primary_key=True)
    leadgen_id: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    announced_at: Mapped[datetime] = mapped_column(Instant)
    next_attempt_at: Mapped[datetime | None] = mapped_column(Instant)
    lead_id: Mapped[UUID | None]
    reason: Mapped[str | None] = mapped_column(Text)
