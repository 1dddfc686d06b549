"""What a buyer may claim of one sale now: each reason with its window, what shows it, and what is in its way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import db
from core.money import Money
from marketplace.catalog.dispute_rules import Reason
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.contact_models import SaleContact
from marketplace.leads.dispositions import TRIES, dispositions_of
from marketplace.leads.disputes.reasons import reasons_of_sale, window_of
from marketplace.leads.models import Sale
from marketplace.leads.queries import get_sale
from marketplace.reports.claimants import BuyerStanding, buyer_standing

MOST_REPORTS = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """A reason as it holds for the sale now; `obstacle` is what keeps it from being chosen, empty when nothing does."""

    name: str
    rule: Reason
    opens_at: datetime | None
    until: datetime | None
    obstacle: str
    needs_file: bool


@dataclass(frozen=True, slots=True)
class ClaimSheet:
    """All that a buyer weighs before claiming; `calls` are the attempts reported so far, in the clock of `zone`."""

    sale: Sale
    choices: Sequence[Choice]
    stands: BuyerStanding
    fee: Money
    zone: str
    calls: Sequence[datetime]

    @property
    def open_choices(self) -> Sequence[Choice]:
        """Return the reasons that may be chosen now."""
        return [one for one in self.choices if not one.obstacle]

    @property
    def needs_calls(self) -> bool:
        """Tell whether one of them is shown by calls."""
        return any(one.rule.attempts for one in self.open_choices)


def claim_sheet(buyer_id: UUID, sale_id: UUID, at: datetime) -> ClaimSheet:
    """Return what may be claimed of one of the buyer's sales; NotFound for anybody else's."""
    sale = get_sale(buyer_id, sale_id)
    stands = buyer_standing(buyer_id, at)
    choices = [_choice(sale, name, rule, stands, at) for name, rule in reasons_of_sale(sale).items()]
    needs_calls = any(one.rule.attempts and not one.obstacle for one in choices)
    contact = db.session.get(SaleContact, sale.id) if needs_calls else None
    return ClaimSheet(
        sale, choices, stands, _fee(stands, sale.currency), contact.timezone if contact else "UTC",
        _calls(sale.id) if needs_calls else (),
    )  # fmt: skip


def _calls(sale_id: UUID) -> Sequence[datetime]:
    return sorted(one.at for one in dispositions_of(sale_id, None, MOST_REPORTS) if one.status in TRIES)


def obstacle_of(sale: Sale, rule: Reason, above_cap: bool, at: datetime) -> str:
    """Return what keeps a reason from being chosen: off, not_delivered, early, over, settled, capped; or nothing."""
    window = window_of(sale, rule)
    if not rule.enabled:
        return "off"
    if window is None:
        return "not_delivered"
    if at < window[0]:
        return "early"
    if at >= window[1]:
        return "over"
    if sale.state == "settled" and not rule.beyond_vertical:
        return "settled"
    return "capped" if above_cap and not rule.machine else ""


def _choice(sale: Sale, name: str, rule: Reason, stands: BuyerStanding, at: datetime) -> Choice:
    opens_at, until = window_of(sale, rule) or (None, None)
    return Choice(name, rule, opens_at, until, obstacle_of(sale, rule, stands.above_cap, at),
                  stands.guarded and not rule.machine)  # fmt: skip


def _fee(stands: BuyerStanding, currency: str) -> Money:
    rule = rules_in_force().false_claims
    return Money(rule.fee_minor if stands.guarded and currency in rule.currencies else 0, currency)
