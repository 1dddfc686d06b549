"""The one appeal of a dispute: by the side that lost, within its days, decided by an operator or by silence.

Money that is still held waits for the appeal. Money that went back to the buyer stays with him: a publisher who wins
then is paid by the platform, since a new hold could find an empty wallet.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from core.db import db
from core.errors import Conflict, NotFound
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Appeal, Dispute
from marketplace.leads.disputes.deadlines import appeal_due
from marketplace.leads.disputes.decision import PLATFORM, Ruling, compensate_publisher, lock_dispute, rule
from marketplace.leads.disputes.guard import settle_fee
from marketplace.leads.events import move
from marketplace.leads.models import Sale

BUYER, PUBLISHER = "buyer", "publisher"
# Who lost by a decision; a part of the price is a loss to both.
LOSERS = {"upheld": {PUBLISHER}, "rejected": {BUYER}, "partial": {BUYER, PUBLISHER}, "repriced": {BUYER, PUBLISHER}}
SILENCE = "system:silence"


def side_of(dispute: Dispute, account_id: UUID) -> str:
    """Return which side of the dispute an account is; NotFound for a stranger."""
    if account_id not in (dispute.buyer_id, dispute.publisher_id):
        raise NotFound(detail="There is no dispute with this id.")
    return BUYER if account_id == dispute.buyer_id else PUBLISHER


def open_appeal(account_id: UUID, dispute_id: UUID, note: str, actor: str, at: datetime) -> Dispute:
    """Appeal against a decision, once; the sale's money waits when it is still held.

    Conflict when it is undecided, too late, appealed before, or when this side lost nothing by it.
    """
    sale, dispute = lock_dispute(dispute_id)
    side = side_of(dispute, account_id)
    _check(dispute, side, at)
    against = dispute.state
    move(dispute, "appealed", actor, at, note)
    if sale.state != "returned" and not dispute.late:  # settled money is not held any more: the move is refused
        move(sale, "disputed", actor, at, "appeal")
    due = appeal_due(rules_in_force(), at)
    db.session.add(Appeal(dispute_id=dispute.id, side=side, against=against, note=note, appealed_at=at, decide_by=due))
    db.session.flush()
    return dispute


def decide_appeal(sale: Sale, dispute: Dispute, ruling: Ruling, actor: str, at: datetime) -> Dispute:
    """Decide an appeal on a locked dispute; what was decided first stands when the ruling is the same."""
    appeal = db.session.get_one(Appeal, dispute.id, with_for_update=True)
    stands = (ruling.state, ruling.credit_minor) == (appeal.against, dispute.credited_minor)
    if sale.state == "returned" or (dispute.late and ruling.state == "rejected" and dispute.credited_minor):
        _rule_on_returned(sale, dispute, ruling, actor, at)
    else:
        rule(sale, dispute, ruling, actor, at)
    appeal.outcome = "stands" if stands else "changed"
    appeal.decided_at, appeal.decided_by, appeal.decision_note = at, actor, ruling.note
    db.session.flush()
    return dispute


def decide_silent_appeal(as_of: datetime) -> int:
    """Let the decision stand of one appeal that nobody decided in time; return how many that was."""
    query = select(Appeal.dispute_id).where(Appeal.decided_at.is_(None), Appeal.decide_by <= as_of)
    due = db.session.scalar(query.order_by(Appeal.decide_by).limit(1))
    if due is None:
        return 0
    sale, dispute = lock_dispute(due)
    if dispute.state == "appealed":
        appeal = db.session.get_one(Appeal, due)
        note = "Nobody decided the appeal in time: the decision stands."
        decide_appeal(sale, dispute, Ruling(appeal.against, dispute.credited_minor, note), SILENCE, as_of)
    return 1


def _check(dispute: Dispute, side: str, at: datetime) -> None:
    if dispute.state != "appealed" and db.session.get(Appeal, dispute.id) is not None:
        raise Conflict("already_appealed", "This dispute was appealed before; a dispute is appealed once.")
    if dispute.state not in LOSERS:
        raise Conflict("not_now", f"The dispute is {dispute.state}; only a decision can be appealed.")
    if not _lost(dispute, side):
        raise Conflict("nothing_lost", "You lost nothing by this decision, or accepted it, so there is no appeal.")
    if dispute.appeal_until is None or at >= dispute.appeal_until:
        until = dispute.appeal_until.isoformat() if dispute.appeal_until else "before"
        raise Conflict("appeal_closed", f"The time to appeal ended at {until}.")


def is_open_to_appeal(dispute: Dispute, side: str, at: datetime) -> bool:
    """Tell whether a side may appeal against a decision now, as far as its row tells: it may have appealed before."""
    return _lost(dispute, side) and dispute.appeal_until is not None and at < dispute.appeal_until


def _lost(dispute: Dispute, side: str) -> bool:
    accepted = side == PUBLISHER and dispute.accepts
    return side in LOSERS.get(dispute.state, ()) and dispute.paid_by != PLATFORM and not accepted


def _rule_on_returned(sale: Sale, dispute: Dispute, ruling: Ruling, actor: str, at: datetime) -> None:
    """Decide where the buyer has his money back: he keeps it, and the platform pays a publisher who was right."""
    if ruling.state not in ("upheld", "rejected"):
        raise Conflict("not_now", "The money went back to the buyer: uphold, or reject and the platform pays.")
    move(dispute, ruling.state, actor, at, ruling.note)
    settle_fee(dispute, sale.currency, actor, at)  # a wallet before the earner, as everywhere
    if ruling.state == "rejected":
        dispute.paid_by = PLATFORM
        left = sale.payout_minor if sale.state != "returned" else 0
        compensate_publisher(sale, dispute, dispute.full_payout_minor - left, actor, at)
