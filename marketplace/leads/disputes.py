"""Disputes: a buyer claims that a lead was none; an operator decides; money follows the decision, and only it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing import HoldRequest, resolve_holds
from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.outbox import announce
from marketplace.leads.events import move
from marketplace.leads.models import Dispute, Sale

# Pseudo-leads by their causes (domain D5), and what the trade accepts beside them.
REASONS = ("mistyped", "bot", "hired", "competitor", "prank", "duplicate", "out_of_criteria", "unreachable",
           "no_consent")  # fmt: skip
DECISIONS = {"uphold": "upheld", "reject": "rejected"}


def open_dispute(
    buyer_id: UUID, sale_id: UUID, reason: str, note: str, evidence: list[Any], actor: str, at: datetime
) -> Dispute:
    """Open the buyer's one dispute of a sale; its money stays held until the decision.

    Invalid for an unknown reason, NotFound for another's sale, Conflict when it is too late, or disputed or settled.
    """
    if reason not in REASONS:
        fault = Fault("reason", "not_allowed_value", f"Choose one of {', '.join(REASONS)}.")
        raise Invalid("invalid_dispute", "The dispute cannot be opened.", [fault])
    sale = db.session.scalar(select(Sale).where(Sale.id == sale_id, Sale.buyer_id == buyer_id).with_for_update())
    if sale is None:
        raise NotFound(detail="There is no sale with this id.")
    if db.session.scalar(select(Dispute.id).where(Dispute.sale_id == sale.id)) is not None:
        raise Conflict("already_disputed", "This sale was disputed before; a sale is disputed once.")
    if sale.window_ends_at is not None and at >= sale.window_ends_at:
        raise Conflict("window_closed", f"The dispute window of this sale closed at {sale.window_ends_at.isoformat()}.")
    move(sale, "disputed", actor, at, reason)
    dispute = Dispute(id=new_id(), sale_id=sale.id, buyer_id=buyer_id, publisher_id=sale.publisher_id, reason=reason,
                      note=note, evidence=evidence, state="open", opened_at=at)  # fmt: skip
    db.session.add(dispute)
    db.session.flush()
    _tell("sale.disputed", sale, at, {"dispute": str(dispute.id), "reason": reason})
    return dispute


def resolve_dispute(dispute_id: UUID, decision: str, note: str, actor: str, at: datetime) -> Dispute:
    """Decide a dispute: upheld returns the whole price to the buyer, rejected lets the sale go on to its settlement.

    The same decision again changes nothing; another one is a Conflict.
    """
    if decision not in DECISIONS:
        fault = Fault("decision", "not_allowed_value", "Choose uphold or reject.")
        raise Invalid("invalid_decision", "The dispute cannot be decided.", [fault])
    found = db.session.scalar(select(Dispute.sale_id).where(Dispute.id == dispute_id))
    if found is None:
        raise NotFound(detail="There is no dispute with this id.")
    # The sale's lock comes first everywhere, so that deciding and disputing cannot wait for each other.
    sale = db.session.get_one(Sale, found, with_for_update=True)
    dispute = db.session.get_one(Dispute, dispute_id, with_for_update=True)
    if dispute.state == "open":
        dispute.decided_at, dispute.decided_by, dispute.decision_note = at, actor, note
    if not move(dispute, DECISIONS[decision], actor, at, note):
        return dispute
    if dispute.state == "upheld":
        _return_money(sale, actor, at)
    move(sale, "returned" if dispute.state == "upheld" else "delivered", actor, at, f"dispute {dispute.state}")
    if sale.state == "returned":
        sale.ended_at = at
        _tell("sale.returned", sale, at, {"dispute": str(dispute.id), "reason": dispute.reason})
    return dispute


def _return_money(sale: Sale, actor: str, at: datetime) -> None:
    request = HoldRequest(hold_id=sale.id, capture_minor=0, reason="dispute upheld")
    (outcome,) = resolve_holds([request], actor, at)
    if outcome.state not in ("resolved", "repeated"):
        raise Conflict("not_now", f"The money of this sale cannot be returned: its hold is {outcome.state}.")


def _tell(event: str, sale: Sale, at: datetime, data: dict[str, str]) -> None:
    accounts = [str(sale.publisher_id), str(sale.buyer_id)]
    shown = {"sale": str(sale.id), **data}
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": accounts, "data": shown})
