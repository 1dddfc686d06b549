"""The guard against false claims: who is rejected too often shows a file with each claim and pays for rejected ones.

The fee is fixed when the claim is opened, so that the buyer knows it; it is charged when the claim is rejected, given
back when an appeal changes that, and waived when the wallet lacks it. Whoever lives on credit owes it at once instead;
nobody else is put into debt for a fee.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from billing import charge_fee, return_fee
from core.db import db
from core.errors import Fault, Invalid
from core.money import BASIS_POINTS, Money
from marketplace.catalog.dispute_rules import FalseClaims
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Appeal, Dispute

# A rejection stands until its appeal is decided, or appealing against each one would undo them all for a while.
REJECTED = or_(Dispute.state == "rejected", and_(Dispute.state == "appealed", Appeal.against == "rejected"))


def is_guarded(rule: FalseClaims, decided: int, rejected: int) -> bool:
    """Tell whether so many rejections of so many decided claims are too many; a few claims show nothing."""
    return decided >= rule.least_claims and rejected * BASIS_POINTS > decided * rule.share_bp


def decided_and_rejected(buyer_id: UUID, at: datetime) -> tuple[int, int]:
    """Count the buyer's own claims that were decided within the rule's days, and the rejected ones of them."""
    decided, rejected = db.session.execute(count_decided(buyer_id, at)).one()
    return decided, rejected


def count_decided(buyer_id: UUID, at: datetime) -> Select[int, int]:
    """Ask for what `decided_and_rejected` counts.

    Open ones do not count: many of them at once would thin out the rejected ones.
    """
    since = at - timedelta(days=rules_in_force().false_claims.days)
    query = select(func.count().label("decided"), func.count().filter(REJECTED).label("rejected"))
    query = query.select_from(Dispute).outerjoin(Appeal, Appeal.dispute_id == Dispute.id)
    return query.where(Dispute.buyer_id == buyer_id, Dispute.decided_at > since, Dispute.opened_by == "buyer")


def check_file(guarded: bool, provable: bool, brings_file: bool) -> bool:
    """Tell whether a claim lacks the file that is compulsory for a guarded buyer.

    Invalid `invalid_dispute` for one that is not provable: what a machine decides from stored facts needs no file.
    """
    lacks = guarded and not brings_file
    if lacks and not provable:
        says = "Send a file with the claim: too many of your claims were rejected lately; see GET /disputes/standing."
        fault = Fault("file", "evidence_file_required", says)
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", [fault])
    return lacks


def fee_of(guarded: bool, currency: str) -> int:
    """Return what a claim costs if it is rejected, in minor units; nothing unless its buyer is guarded."""
    rule = rules_in_force().false_claims
    return rule.fee_minor if guarded and currency in rule.currencies else 0


def stands_guarded(buyer_id: UUID, at: datetime) -> bool:
    """Tell whether a buyer's claims were rejected so often that the guard holds for the next one."""
    return is_guarded(rules_in_force().false_claims, *decided_and_rejected(buyer_id, at))


def settle_fee(dispute: Dispute, currency: str, actor: str, at: datetime) -> None:
    """Charge the fee of a claim that is rejected, or give it back when it is rejected no more; each at most once."""
    if not dispute.fee_minor:
        return
    key = f"dsp:{dispute.id}:fee"
    if dispute.state == "rejected" and dispute.fee_state == "due":
        fee = Money(dispute.fee_minor, currency)
        posting = charge_fee(dispute.buyer_id, fee, key, "claim rejected", actor, at)
        dispute.fee_state = "charged" if posting.is_booked else "waived"
    elif dispute.state != "rejected" and dispute.fee_state == "charged":
        return_fee(key, f"claim {dispute.state} on appeal", actor, at)
        dispute.fee_state = "returned"
    db.session.flush()
