"""The hearing: the publisher answers in time, and where somebody stays silent the rules decide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from core.db import db
from core.errors import Conflict, NotFound
from marketplace.catalog.dispute_rules import Reason
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.appeal import BUYER, SILENCE
from marketplace.leads.disputes.decision import PLATFORM, lock_dispute, rule, upheld_by_rule
from marketplace.leads.disputes.evidence import shows_file
from marketplace.leads.disputes.reasons import has_attempts, reason_of_sale
from marketplace.leads.models import Sale


def answer_dispute(account_id: UUID, dispute_id: UUID, accept: bool, note: str, actor: str, at: datetime) -> Dispute:
    """Hear the publisher, once and in time; who accepts has the claim upheld at once.

    NotFound for another's dispute; Conflict when it is decided, the hearing is over, or it was answered before.
    """
    sale, dispute = lock_dispute(dispute_id)
    if dispute.publisher_id != account_id:
        raise NotFound(detail="There is no dispute with this id.")
    if dispute.accepts is not None:
        raise Conflict("already_answered", "You answered this dispute before; an answer is given once.")
    if dispute.state != "open":
        raise Conflict("not_now", f"The dispute is {dispute.state}; it is not heard any more.")
    if at >= dispute.hear_until:
        raise Conflict("hearing_over", f"The hearing ended at {dispute.hear_until.isoformat()}.")
    dispute.accepts, dispute.answer_note, dispute.heard_at = accept, note, at
    if accept:
        _uphold(sale, dispute, "The publisher accepted the claim.", actor, at)
    db.session.flush()
    return dispute


def close_hearing(as_of: datetime) -> int:
    """Close one hearing whose time is over: a silent publisher accepts a claim whose evidence is complete."""
    found = _next(Dispute.heard_at.is_(None), Dispute.hear_until <= as_of)
    if found is None:
        return 0
    sale, dispute = found
    if dispute.state == "open" and dispute.heard_at is None:
        dispute.heard_at = as_of
        if is_complete(dispute, reason_of_sale(sale, dispute.reason)):
            note = "The publisher was silent and the evidence is complete."
            _uphold(sale, dispute, note, SILENCE, as_of)
    return 1


def decide_for_silent_operator(as_of: datetime) -> int:
    """Decide one dispute that no operator decided in time: the buyer is credited and the platform pays."""
    found = _next(Dispute.heard_at.is_not(None), Dispute.decide_by <= as_of)
    if found is None:
        return 0
    sale, dispute = found
    if dispute.state == "open":
        note = "Nobody decided in time: the buyer is credited, and the platform pays the publisher."
        _uphold(sale, dispute, note, SILENCE, as_of, PLATFORM)
    return 1


def is_complete(dispute: Dispute, reason: Reason) -> bool:
    """Tell whether the buyer has shown what the reason asks for; a file always counts as a note does."""
    if reason.evidence == "attempts" and reason.attempts:
        return has_attempts(dispute.evidence, reason.attempts)
    said = reason.evidence == "note" and bool(dispute.note.strip() or dispute.evidence)
    return said or shows_file(dispute.id, BUYER)


def _uphold(sale: Sale, dispute: Dispute, note: str, actor: str, at: datetime, paid_by: str = "publisher") -> None:
    credit_bp = reason_of_sale(sale, dispute.reason).credit_bp
    rule(sale, dispute, upheld_by_rule(sale, credit_bp, note, paid_by), actor, at)


def _next(*conditions: object) -> tuple[Sale, Dispute] | None:
    """Lock the oldest open dispute that meets the conditions; its state may have changed while we waited."""
    query = select(Dispute.id).where(Dispute.state == "open", *conditions)  # type: ignore[arg-type]
    due = db.session.scalar(query.order_by(Dispute.id).limit(1))
    return None if due is None else lock_dispute(due)
