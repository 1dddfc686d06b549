"""The rows of verticals: each as it is now, and every definition it ever had."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class VerticalRow(Model):
    """A vertical's definition, and the version of its book, raised by whatever changes what its leads may meet."""

    __tablename__ = "verticals"
    __table_args__ = (
        UniqueConstraint("slug", name="verticals_slug_key"),
        CheckConstraint(
            "(definition ->> 'window_hours')::integer BETWEEN 48 AND 720"
            " AND (definition ->> 'decision_days')::integer BETWEEN 5 AND 30",
            name="verticals_windows_check",
        ),
        {"schema": "marketplace"},
    )

    id: Mapped[int] = mapped_column(SmallInteger, Identity(always=True), primary_key=True)
    slug: Mapped[str] = mapped_column(Text)
    definition: Mapped[Any] = mapped_column(JSONB)
    book_version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class VerticalVersion(Model):
    """A definition from one version of the book on; written by the database whenever a vertical's changes."""

    __tablename__ = "vertical_versions"
    __table_args__ = {"schema": "marketplace"}

    vertical_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("marketplace.verticals.id"), primary_key=True)
    book_version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    definition: Mapped[Any] = mapped_column(JSONB)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
