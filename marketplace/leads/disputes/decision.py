"""What a decision does: it moves the dispute and its sale, and the money follows it and only it.

Upheld returns the whole price at once. Part of a price, a new price and a rejection leave the money held until the
sale's release, which waits for the appeal. Of a sale that was settled before the claim, what is upheld is taken back.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from billing import HoldRequest, compensate, refund_capture, resolve_holds
from core.db import db
from core.errors import Conflict, NotFound
from core.money import Money
from core.outbox import announce
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.credit import Terms, reduced
from marketplace.leads.disputes.deadlines import appeal_ends
from marketplace.leads.disputes.guard import settle_fee
from marketplace.leads.events import move
from marketplace.leads.models import Sale

PUBLISHER, PLATFORM = "publisher", "platform"


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a dispute ends: its state, what goes back to the buyer, who bears that, and in which words."""

    state: str
    credit_minor: int
    note: str
    paid_by: str = PUBLISHER


def upheld_by_rule(sale: Sale, credit_bp: int, note: str, paid_by: str = PUBLISHER) -> Ruling:
    """Uphold as far as the reason gives credit: the whole price, or a part of it rounded down to the cent."""
    if credit_bp == 10_000:
        return Ruling("upheld", sale.price_minor, note, paid_by)
    return Ruling("partial", sale.price_minor * credit_bp // 10_000, note, paid_by)


def lock_dispute(dispute_id: UUID) -> tuple[Sale, Dispute]:
    """Return a dispute with its sale, both locked; NotFound when there is none."""
    # The sale's lock comes first everywhere, so that deciding and disputing cannot wait for each other.
    disputed = select(Dispute.sale_id).where(Dispute.id == dispute_id).scalar_subquery()
    query = select(Sale).where(Sale.id == disputed).with_for_update().execution_options(populate_existing=True)
    sale = db.session.scalar(query)
    if sale is None:
        raise NotFound(detail="There is no dispute with this id.")
    return sale, db.session.get_one(Dispute, dispute_id, with_for_update=True, populate_existing=True)


def rule(sale: Sale, dispute: Dispute, ruling: Ruling, actor: str, at: datetime) -> bool:
    """Decide a locked dispute; the same decision again changes nothing and returns False, another is a Conflict."""
    if dispute.state == ruling.state:
        if ruling.state in ("partial", "repriced") and dispute.credited_minor != ruling.credit_minor:
            raise Conflict("not_now", "The dispute was decided with another amount; only an appeal can change it.")
        return False
    appeal_until = dispute.appeal_until or appeal_ends(rules_in_force(), at)  # asked before the row is half changed
    dispute.decided_at, dispute.decided_by, dispute.decision_note = at, actor, ruling.note
    dispute.credited_minor, dispute.paid_by = ruling.credit_minor, ruling.paid_by if ruling.credit_minor else None
    dispute.appeal_until, dispute.watch_due = appeal_until, ruling.credit_minor > 0
    move(dispute, ruling.state, actor, at, ruling.note)
    if dispute.late:
        _take_back(sale, dispute, actor, at)
    _credit(sale, dispute, 0 if ruling.state == "upheld" else ruling.credit_minor)
    if dispute.late:
        _stay_settled(sale, dispute, actor, at)
    elif ruling.state == "upheld":
        _give_back(sale, dispute, actor, at)
    else:
        _hold_on(sale, dispute, actor, at)
    settle_fee(dispute, sale.currency, actor, at)  # a wallet before the earner, as everywhere
    if dispute.paid_by == PLATFORM:
        lost = dispute.full_payout_minor - (sale.payout_minor if sale.state != "returned" else 0)
        compensate_publisher(sale, dispute, lost, actor, at)
    db.session.flush()
    return True


def compensate_publisher(sale: Sale, dispute: Dispute, minor: int, actor: str, at: datetime) -> None:
    """Pay the publisher what a decision cost him out of the platform's pocket, once a dispute."""
    if minor:
        money, why = Money(minor, sale.currency), "credited without the publisher's fault"
        compensate(sale.publisher_id, money, f"dispute:{dispute.id}", why, actor, at)
    dispute.compensation_minor = minor


def tell(event: str, sale: Sale, at: datetime, data: dict[str, str]) -> None:
    """Leave the news for both sides of a sale."""
    accounts = [str(sale.publisher_id), str(sale.buyer_id)]
    shown = {"sale": str(sale.id), **data}
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": accounts, "data": shown})


def _credit(sale: Sale, dispute: Dispute, credit_minor: int) -> None:
    """Write what the sale will pay at its release, from the terms that it had before the dispute."""
    full = Terms(sale.price_minor, dispute.full_payout_minor, dispute.full_reserve_minor)
    _, sale.payout_minor, sale.reserve_minor = reduced(full, credit_minor)
    sale.credited_minor = credit_minor
    db.session.flush()


def _take_back(sale: Sale, dispute: Dispute, actor: str, at: datetime) -> None:
    """Take back from a settled sale what the decision adds to what went back before."""
    more = dispute.credited_minor - sale.credited_minor
    if more < 0:
        raise Conflict("not_now", "The money went back to the buyer: give as much or more, or reject.")
    if more:
        full = Terms(sale.price_minor, dispute.full_payout_minor, dispute.full_reserve_minor)
        share = sale.payout_minor - reduced(full, dispute.credited_minor).payout_minor
        key = f"dsp:{dispute.id}" + (":appeal" if sale.credited_minor else "")
        refund_capture(sale.id, more, share, key, f"dispute {dispute.state}", actor, at)


def _stay_settled(sale: Sale, dispute: Dispute, actor: str, at: datetime) -> None:
    """Let a settled sale be what it is unless its whole price went back."""
    if dispute.state == "upheld":
        sale.ended_at = at
        move(sale, "returned", actor, at, "dispute upheld")
        tell("sale.returned", sale, at, {"dispute": str(dispute.id), "reason": dispute.reason})


def _give_back(sale: Sale, dispute: Dispute, actor: str, at: datetime) -> None:
    request = HoldRequest(hold_id=sale.id, capture_minor=0, reason="dispute upheld")
    (outcome,) = resolve_holds([request], actor, at)
    if outcome.state not in ("resolved", "repeated"):
        raise Conflict("not_now", f"The money of this sale cannot be returned: its hold is {outcome.state}.")
    sale.ended_at = at
    move(sale, "returned", actor, at, "dispute upheld")
    tell("sale.returned", sale, at, {"dispute": str(dispute.id), "reason": dispute.reason})


def _hold_on(sale: Sale, dispute: Dispute, actor: str, at: datetime) -> None:
    """Let the sale go on to its settlement, not before an appeal would come too late."""
    assert sale.release_at is not None and dispute.appeal_until is not None
    sale.release_at = max(sale.release_at, dispute.appeal_until)
    move(sale, "delivered", actor, at, f"dispute {dispute.state}")
