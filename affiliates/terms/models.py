"""Terms as mapped rows: each version of a publisher's, and each weekly review of his tier."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from affiliates.terms.fields import Terms, terms_with
from core.db import Model

SCHEMA = {"schema": "affiliates"}
INSTANT = DateTime(timezone=True)


class TermsVersion(Model):
    """A publisher's terms as somebody said them once: what the tier granted then, and what was said for him alone."""

    __tablename__ = "terms_versions"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "version", name="terms_versions_pkey"),
        CheckConstraint(
            "version > 0 AND tier IN ('new', 'standard', 'trusted', 'top') AND length(reason) BETWEEN 1 AND 400 "
            "AND jsonb_typeof(tier_terms) = 'object' AND jsonb_typeof(own) = 'object' AND NOT own ? 'min_margin_minor'",
            name="terms_versions_check",
        ),
        SCHEMA,
    )

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("affiliates.publishers.account_id", name="terms_versions_account_id_fkey")
    )  # fmt: skip
    version: Mapped[int]
    tier: Mapped[str] = mapped_column(Text)
    is_pinned: Mapped[bool]
    tier_terms: Mapped[Any] = mapped_column(JSONB)
    own: Mapped[Any] = mapped_column(JSONB)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)

    @property
    def granted(self) -> Terms:
        """Return what the tier granted at that moment."""
        return Terms(**self.tier_terms)

    @property
    def terms(self) -> Terms:
        """Return what holds by this version."""
        return terms_with(self.granted, self.own)


class TierReview(Model):
    """What the look at a publisher in one week found and decided."""

    __tablename__ = "tier_reviews"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "week", name="tier_reviews_pkey"),
        CheckConstraint(
            "verdict IN ('promoted', 'demoted', 'kept', 'pinned', 'waits') AND extract(isodow FROM week) = 1 "
            "AND (verdict IN ('promoted', 'demoted')) = (before <> after) "
            "AND age_days >= 0 AND settled >= 0 AND judged >= 0 AND upheld BETWEEN 0 AND judged",
            name="tier_reviews_check",
        ),
        SCHEMA,
    )

    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("affiliates.publishers.account_id", name="tier_reviews_account_id_fkey")
    )  # fmt: skip
    week: Mapped[date]
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(Text)
    age_days: Mapped[int]
    settled: Mapped[int]
    judged: Mapped[int]
    upheld: Mapped[int]
    reviewed_at: Mapped[datetime] = mapped_column(INSTANT)
