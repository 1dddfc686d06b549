"""One publisher's terms: those that hold, every version with why, what the next tier asks for, and the reviews."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from affiliates import (
    Figures,
    Progress,
    TermsVersion,
    TierReview,
    next_run_day,
    progress_of,
    reviews_of,
    rules_in,
    terms_history,
)
from core.errors import NotFound
from core.overrides import overrides
from marketplace.reports.kept import Kept, kept
from marketplace.terms.figures import figures_of


@dataclass(frozen=True, slots=True)
class TermsStory:
    """A publisher's terms with all that explains them; `ahead` is None on the highest tier and for a pinned one."""

    versions: Sequence[TermsVersion]
    figures: Kept[Figures]
    ahead: Progress | None
    reviews: Sequence[TierReview]
    next_run_on: date

    @property
    def now(self) -> TermsVersion:
        """Return the terms that hold."""
        return self.versions[0]


def terms_story(publisher_id: UUID, at: datetime) -> TermsStory:
    """Tell a publisher's terms; NotFound when there is no such publisher. Sales are counted every few minutes."""
    versions = terms_history(publisher_id)
    if not versions:
        raise NotFound(detail="There is no publisher with this id.")
    rules, reviews = rules_in(overrides().exchange), reviews_of(publisher_id)
    count = ("tier", publisher_id, rules.judged_days)
    figures = kept(count, at, lambda: figures_of([publisher_id], rules, at)[publisher_id])
    lowered_at = next((one.reviewed_at for one in reviews if one.verdict == "demoted"), None)
    lowered_days = (at - lowered_at).days if lowered_at else None
    now = versions[0]
    ahead = None if now.is_pinned else progress_of(now.tier, figures.value, rules, lowered_days)
    return TermsStory(versions, figures, ahead, reviews, next_run_day(now.terms.payouts_a_month, at.date()))
