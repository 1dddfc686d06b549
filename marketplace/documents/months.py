"""A month's document of a buyer or publisher, drafted with all that is not in the books, and issued when it is over."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, literal, select, union_all

from billing import (
    Booked,
    Counted,
    Draft,
    Label,
    Side,
    draft_of,
    issue_month,
    next_due_month,
    unpaid_lines,
)
from core.db import db
from core.identity import language_of
from core.months import begin_of, end_of, month_before, month_of
from core.overrides import overrides
from marketplace.documents.labels import labels_of
from marketplace.documents.telling import tell
from marketplace.documents.words import reason_in, say
from marketplace.leads.models import UNPAID, Lead, Sale


@dataclass(frozen=True, slots=True)
class Month:
    """A draft with what its lines are about and what was counted beside them."""

    draft: Draft
    labels: dict[UUID, Label]
    counted: tuple[Counted, ...]


def month_of_account(
    side: Side, account_id: UUID, currency: str, period: date, until: datetime | None = None,
    shown: tuple[int, int | None] = (0, None),
) -> Month:  # fmt: skip
    """Draft a month of an account: what waits for a document until the month's end, or until an instant within it.

    Only the lines that are shown, from one place to another, are told what they are about.
    """
    language = language_of(account_id) or "en"
    draft, counted = draft_of(side, account_id, currency, period, until), tuple[Counted, ...]()
    if side == "statement":
        draft = draft.with_more(_unpaid(draft))
        counted = _counted(account_id, period, language)
    return Month(draft, labels_of(side, draft.lines[slice(*shown)], language), counted)


def issue_next(as_of: datetime) -> int:
    """Issue the oldest document that is due, one account and month at a time; zero when none is.

    Its account is told of the month that has just ended, and not of those that are made up for.
    """
    done = _issue(as_of)
    if done is None:
        return 0
    month, is_mine = done
    if is_mine and month.draft.lines and month.draft.period == month_before(month_of(as_of)):
        tell(month.draft, as_of)
    return 1


def issue_untold(as_of: datetime) -> int:
    """Issue the oldest document that is due and tell nobody; zero when none is."""
    return int(_issue(as_of) is not None)


def _issue(as_of: datetime) -> tuple[Month, bool] | None:
    """Issue what is due next, and say whether this was it and no other worker."""
    due = next_due_month(as_of - timedelta(hours=overrides().setting("document.issue_after_hours")))
    if due is None:
        return None
    month = month_of_account(due.side, due.account_id, due.currency, due.period)
    return month, issue_month(month.draft, month.labels, month.counted, as_of)


def _unpaid(draft: Draft) -> list[Booked]:
    """Return the sales that ended in this month or before, brought nothing, and were told on no statement."""
    query = select(Sale.id).where(
        Sale.publisher_id == draft.account_id, Sale.currency == draft.currency, UNPAID,
        Sale.ended_at < end_of(draft.period),
    )  # fmt: skip
    if draft.looked_until is not None:  # with a month's overlap, for what was ending while that one was looked at
        query = query.where(Sale.ended_at >= begin_of(draft.looked_until))
    ended = list(db.session.scalars(query))
    return unpaid_lines(draft, ended) if ended else []


def _counted(publisher_id: UUID, period: date, language: str) -> tuple[Counted, ...]:
    """Count the publisher's leads of the month by what became of them, the refused ones by reason too."""
    mine = (Lead.publisher_id == publisher_id, Lead.test.is_(False), Lead.received_at >= begin_of(period),
            Lead.received_at < end_of(period))  # fmt: skip
    reason = func.unnest(Lead.reasons)
    query = union_all(
        select(Lead.status, literal(None), func.count()).where(*mine).group_by(Lead.status),
        select(literal(None), reason, func.count()).where(*mine, Lead.status == "rejected").group_by(reason),
    )  # fmt: skip
    rows = db.session.execute(query).all()
    by_status = {status: count for status, _, count in rows if status}
    statuses = ("sold", "unsold", "pending", "rejected")
    counted = [Counted(code="posted", says=say(language, "posted"), count=sum(by_status.values()))]
    counted += [Counted(code=one, says=say(language, one), count=by_status.get(one, 0)) for one in statuses]
    counted += [
        Counted(code=f"rejected:{code}", says=say(language, "because", reason=reason_in(language, code)), count=count)
        for code, count in sorted((code, count) for _, code, count in rows if code)
    ]
    return tuple(counted)
