"""Reading terms: those that hold now, those of a version, all that were said, and what the reviews found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from affiliates.models import Publisher
from affiliates.terms.fields import TIER_NAMES
from affiliates.terms.models import TermsVersion, TierReview
from core.db import db
from core.errors import NotFound

MOST = 50


def present_terms(account_id: UUID) -> TermsVersion:
    """Return the terms on which a publisher sells now; NotFound when there is no such publisher."""
    found = present_terms_of([account_id]).get(account_id)
    if found is None:
        raise NotFound(detail="There is no publisher with this id.")
    return found


def present_terms_of(account_ids: Sequence[UUID]) -> dict[UUID, TermsVersion]:
    """Return the present terms of each of these publishers, in one question however many they are."""
    query = select(TermsVersion).join(
        Publisher, (Publisher.account_id == TermsVersion.account_id) & (Publisher.terms_version == TermsVersion.version)
    )
    rows = db.session.scalars(query.where(Publisher.account_id.in_(account_ids)))
    return {row.account_id: row for row in rows}


def terms_at(account_id: UUID, version: int) -> TermsVersion:
    """Return the terms of a version, as a sale names it; NotFound when there is none."""
    found = db.session.get(TermsVersion, (account_id, version))
    if found is None:
        raise NotFound(detail="This publisher has no such version of his terms.")
    return found


def terms_history(account_id: UUID, most: int = MOST) -> Sequence[TermsVersion]:
    """Return the versions of a publisher's terms, the newest first."""
    query = select(TermsVersion).where(TermsVersion.account_id == account_id)
    return db.session.scalars(query.order_by(TermsVersion.version.desc()).limit(most)).all()


def opened_at_of(account_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """Return when each of these publishers was opened, which is when his first terms were said."""
    query = select(TermsVersion.account_id, TermsVersion.changed_at).where(
        TermsVersion.account_id.in_(account_ids), TermsVersion.version == 1
    )
    return dict(db.session.execute(query).all())


def reviews_of(account_id: UUID, most: int = MOST) -> Sequence[TierReview]:
    """Return the weekly reviews of a publisher, the newest first."""
    query = select(TierReview).where(TierReview.account_id == account_id)
    return db.session.scalars(query.order_by(TierReview.week.desc()).limit(most)).all()


def lowered_at_of(account_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Return when each of these publishers was lowered last; who never was is left out."""
    query = select(TierReview.account_id, TierReview.reviewed_at).where(
        TierReview.account_id.in_(account_ids), TierReview.verdict == "demoted"
    )
    return dict(db.session.execute(query.order_by(TierReview.week)).all())


def rank_of(tier: str) -> int:
    """Return a tier's place among all, 0 for the lowest."""
    return TIER_NAMES.index(tier)
