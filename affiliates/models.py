"""The rows of the publishers' floor."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKeyConstraint, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model


class Publisher(Model):
    """A publisher's standing, and what a sale needs of his present terms, which it pins."""

    __tablename__ = "publishers"
    __table_args__ = (
        CheckConstraint("standing IN ('active', 'paused')"),
        CheckConstraint("tier IN ('new', 'standard', 'trusted', 'top')"),
        CheckConstraint("share_bp BETWEEN 0 AND 10000"),
        CheckConstraint("reserve_bp BETWEEN 0 AND 10000"),
        CheckConstraint("extra_hold_days >= 0"),
        CheckConstraint("reserve_days >= 0"),
        CheckConstraint("min_margin_minor >= 0"),
        ForeignKeyConstraint(
            ("account_id", "terms_version"),
            ("affiliates.terms_versions.account_id", "affiliates.terms_versions.version"),
            name="publishers_terms_version_fkey",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        Index("publishers_paused_idx", "changed_at", postgresql_where=text("standing = 'paused'")),
        {"schema": "affiliates"},
    )

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    standing: Mapped[str] = mapped_column(Text, server_default="active")
    tier: Mapped[str] = mapped_column(Text)
    share_bp: Mapped[int] = mapped_column(Integer)
    extra_hold_days: Mapped[int] = mapped_column(Integer)
    reserve_bp: Mapped[int] = mapped_column(Integer)
    reserve_days: Mapped[int] = mapped_column(Integer)
    min_margin_minor: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    terms_version: Mapped[int] = mapped_column(Integer)
