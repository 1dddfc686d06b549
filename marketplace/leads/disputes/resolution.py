"""An operator decides a dispute, or its appeal, at any time after it was opened."""

from datetime import datetime
from uuid import UUID

from core.money import Money
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.appeal import decide_appeal
from marketplace.leads.disputes.decision import lock_dispute, rule
from marketplace.leads.disputes.rulings import Decision, ruling_of


def resolve_dispute(
    dispute_id: UUID, decision: Decision | str, note: str, actor: str, at: datetime
) -> Dispute:  # fmt: skip
    """Decide a dispute; a plain word is a decision without an amount.

    The same decision again changes nothing; another one is a Conflict. Invalid when the words make no sense.
    """
    said = Decision(decision, note) if isinstance(decision, str) else decision
    sale, dispute = lock_dispute(dispute_id)
    ruling = ruling_of(said, dispute.reason, Money(sale.price_minor, sale.currency))
    if dispute.state == "appealed":
        return decide_appeal(sale, dispute, ruling, actor, at)
    rule(sale, dispute, ruling, actor, at)
    return dispute
