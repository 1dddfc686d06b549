"""Opening a dispute: a buyer claims in time that a lead of his was none, once; the money waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from core.db import db
from core.errors import Conflict, NotFound
from core.ids import new_id
from marketplace.catalog.dispute_rules import Reason
from marketplace.catalog.rules_in_force import rules_in_force
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.disputes.cap import check_cap
from marketplace.leads.disputes.deadlines import decision_due, hearing_ends
from marketplace.leads.disputes.decision import tell
from marketplace.leads.disputes.guard import check_file, fee_of, stands_guarded
from marketplace.leads.disputes.reasons import (
    check_evidence,
    check_operator_time,
    check_right,
    check_time,
    check_words,
    reason_of_sale,
)
from marketplace.leads.events import move
from marketplace.leads.models import Event, Sale

BUYER, OPERATOR = "buyer", "operator"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said of a lead; `brings_file` promises that a file is shown in the same transaction."""

    reason: str
    note: str = ""
    evidence: Sequence[Any] = field(default_factory=list)
    sub_reason: str | None = None
    brings_file: bool = False


def open_dispute(buyer_id: UUID, sale_id: UUID, claim: Claim, actor: str, at: datetime) -> Dispute:
    """Open the buyer's one dispute of a sale; money that is still held stays held until the decision.

    Invalid for an unknown reason, missing attempts or a file that his rejected claims make compulsory, NotFound for
    another's sale, Conflict when it is too early or too late, or disputed, or settled (unless the reason reaches beyond
    settlement), when the reason does not count in the vertical, or above the cap on returns.
    """
    check_words(claim.reason, claim.sub_reason)
    sale = _undisputed(select(Sale).where(Sale.id == sale_id, Sale.buyer_id == buyer_id))
    check_right(sale, claim.reason)
    reason = reason_of_sale(sale, claim.reason)
    if not reason.enabled:
        raise Conflict("reason_off", f"{claim.reason} is no reason in this vertical.")
    check_time(sale, claim.reason, reason, at)
    check_evidence(claim.evidence, reason)
    above = check_cap(buyer_id, reason.is_provable(claim.sub_reason), at)
    guarded = stands_guarded(buyer_id, at)
    heard = _as_heard(claim, reason, above, guarded)
    late = reason.beyond_vertical and sale.state == "settled"
    return enter_dispute(sale, heard, actor, at, late=late, fee_minor=fee_of(guarded, sale.currency))


def _as_heard(claim: Claim, reason: Reason, above: bool, guarded: bool) -> Claim:
    """Return the claim as it is heard: of who claims too much, or brings no file that he must, by the machine alone.

    It decides the first of its sub-reasons where none is named; a person could not be told from it otherwise.
    """
    lacks_file = check_file(guarded, reason.is_provable(claim.sub_reason), claim.brings_file)
    return replace(claim, sub_reason=claim.sub_reason or reason.machine[0]) if above or lacks_file else claim


def open_claim(sale_id: UUID, claim: Claim, actor: str, at: datetime) -> Dispute:
    """Open a dispute as an operator, for a reason that shows late: settled money is taken back where it lies.

    Otherwise as `open_dispute`, without the buyer's cap, guard and fee.
    """
    check_words(claim.reason, claim.sub_reason)
    sale = _undisputed(select(Sale).where(Sale.id == sale_id))
    check_operator_time(sale, claim.reason, reason_of_sale(sale, claim.reason), at)
    return enter_dispute(sale, claim, actor, at, late=sale.state == "settled", opened_by=OPERATOR)


def _undisputed(query: Select[Sale]) -> Sale:
    sale = db.session.scalar(query.with_for_update())
    if sale is None:
        raise NotFound(detail="There is no sale with this id.")
    if db.session.scalar(select(Dispute.id).where(Dispute.sale_id == sale.id)) is not None:
        raise Conflict("already_disputed", "This sale was disputed before; a sale is disputed once.")
    return sale


def enter_dispute(
    sale: Sale, claim: Claim, actor: str, at: datetime, group_id: UUID | None = None, *, late: bool = False,
    opened_by: str = BUYER, fee_minor: int = 0,
) -> Dispute:  # fmt: skip
    """Write the dispute of a locked sale and tell both sides; Conflict when the sale's state does not permit it.

    A late one leaves the sale settled until it is decided.
    """
    if not late:
        move(sale, "disputed", actor, at, claim.reason)
    hear_until = hearing_ends(rules_in_force(), at)
    dispute = Dispute(
        id=new_id(), sale_id=sale.id, buyer_id=sale.buyer_id, publisher_id=sale.publisher_id, reason=claim.reason,
        sub_reason=claim.sub_reason, note=claim.note, evidence=list(claim.evidence), group_id=group_id, state="open",
        opened_at=at, hear_until=hear_until, decide_by=decision_due(rules_in_force(), hear_until),
        full_payout_minor=sale.payout_minor, full_reserve_minor=sale.reserve_minor, late=late, opened_by=opened_by,
        fee_minor=fee_minor, fee_state="due" if fee_minor else None,
    )  # fmt: skip
    db.session.add_all([dispute, Event(subject_id=dispute.id, at=at, move="new>open", actor=actor, why=claim.reason)])
    db.session.flush()
    tell("sale.disputed", sale, at, {"dispute": str(dispute.id), "reason": claim.reason})
    return dispute
