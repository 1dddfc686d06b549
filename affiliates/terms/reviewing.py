"""The weekly review of tiers: once a week and publisher, by figures of the ledger, kept with what it found."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from affiliates.models import Publisher
from affiliates.terms.changing import Wish, change_terms
from affiliates.terms.deciding import Figures, rules_in, verdict_on
from affiliates.terms.models import TermsVersion, TierReview
from affiliates.terms.reading import lowered_at_of, present_terms
from core.db import db
from core.defaults import Said

ACTOR = "system:review"


def week_of(at: datetime) -> date:
    """Return the Monday of an instant's week, UTC: weeks of reviews are named by it."""
    return at.date() - timedelta(days=at.weekday())


def due_for_review(at: datetime, limit: int) -> Sequence[UUID]:
    """Return some publishers whose review of this week is not done; those in work elsewhere are passed over."""
    done = select(TierReview.account_id).where(
        TierReview.account_id == Publisher.account_id, TierReview.week == week_of(at)
    )
    query = select(Publisher.account_id).where(~done.exists()).order_by(Publisher.account_id).limit(limit)
    return db.session.scalars(query.with_for_update(key_share=True, skip_locked=True)).all()


def review(account_id: UUID, seen: Figures, said: Said, at: datetime) -> TermsVersion | None:
    """Review a publisher's tier, once a week, and return his new terms; None when they stay or the week is reviewed."""
    present, rules = present_terms(account_id), rules_in(said)
    lowered_at = lowered_at_of([account_id]).get(account_id)
    lowered_days = (at - lowered_at).days if lowered_at else None
    verdict = verdict_on(present.tier, seen, rules, lowered_days, present.is_pinned)
    row = insert(TierReview).values(
        account_id=account_id, week=week_of(at), before=present.tier, after=verdict.tier, verdict=verdict.code,
        age_days=seen.age_days, settled=seen.settled, judged=seen.judged, upheld=seen.upheld, reviewed_at=at,
    )  # fmt: skip
    if db.session.scalar(row.on_conflict_do_nothing().returning(TierReview.week)) is None:
        return None
    if verdict.tier == present.tier:
        return None
    wish = Wish(verdict.tier, False, present.own, _reason(seen), present.version)
    return change_terms(account_id, wish, said, ACTOR, at)


def _reason(seen: Figures) -> str:
    share = f"{seen.upheld} of {seen.judged} judged sales went back ({seen.upheld_bp / 100:g} %)"
    return f"By the ledger: {seen.age_days} days old, {seen.settled} settled sales, {share}."
