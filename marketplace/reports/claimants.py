"""How a buyer stands as one who claims: how much of what was bought came back, and how many claims were rejected."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from marketplace.catalog.dispute_rules import dispute_rules
from marketplace.leads.disputes.cap import bought_and_returned, is_above
from marketplace.leads.disputes.guard import decided_and_rejected, is_guarded


@dataclass(frozen=True, slots=True)
class BuyerStanding:
    """How a buyer stands as one who claims: counts of the rules' days, and what follows from them."""

    bought: int
    sent_back: int
    above_cap: bool
    decided: int
    rejected: int
    guarded: bool

    @property
    def next_passes_cap(self) -> bool:
        """Tell whether one more claim puts the buyer above the cap on returns."""
        return not self.above_cap and is_above(dispute_rules().return_cap, self.bought, self.sent_back + 1)


def buyer_standing(buyer_id: UUID, at: datetime) -> BuyerStanding:
    """Return how a buyer stands at an instant."""
    rules = dispute_rules()
    bought, back = bought_and_returned(buyer_id, at)
    decided, rejected = decided_and_rejected(buyer_id, at)
    return BuyerStanding(bought, back, is_above(rules.return_cap, bought, back), decided, rejected,
                         is_guarded(rules.false_claims, decided, rejected))  # fmt: skip
