"""What an attempt came to: delivered, tried again soon, or ended and passed on to the next buyer; each in one step."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from billing import HoldRequest, resolve_holds
from core.db import db
from core.errors import Conflict
from core.outbox import announce
from marketplace.leads.delivery.answers import Verdict
from marketplace.leads.delivery.endpoints import record
from marketplace.leads.delivery.models import DeliveryRow
from marketplace.leads.delivery.next_buyer import OVER, pass_on, tell_sold
from marketplace.leads.events import move
from marketplace.leads.models import Lead, Sale

ACTOR = "system:delivery"
# Seconds after the sale: a lead loses half of its worth in half an hour, so all tries lie within the usual grace.
TRIES = (0, 5, 30, 120, 300, 600)
_UNCOUNT = text("SELECT marketplace.uncount_sale(:order, :price, :sold_at)")


def settle_attempt(sale_id: UUID, verdict: Verdict, at: datetime, *, once: bool = False) -> bool:
    """Let a verdict take effect, once: what is over already stays as it is, whoever answers late.

    An error is tried again at the times of `TRIES`, unless it was to be tried `once`.

    True when that ended the sale. Who ends a sale passes its lead on in a transaction after this one (`pass_on_ended`):
    the locks of two buyers' orders and wallets in one transaction would be taken in no order.
    """
    sale = db.session.get_one(Sale, sale_id, with_for_update=True)
    row = db.session.get_one(DeliveryRow, sale_id, with_for_update=True)
    if row.ended_at is not None:
        record(row, verdict.outcome, at)
        return False
    if verdict.outcome == "accepted":
        _deliver(row, sale, verdict, at)
    elif verdict.outcome == "refused":
        _end(row, sale, "refused", verdict.reason, at)
    elif verdict.outcome == "error" and not once and (again := _next_try(row, sale, at)) is not None:
        row.state, row.lease_until, row.next_attempt_at = "waiting", None, again
    else:
        _end(row, sale, "failed", verdict.reason, at)
    record(row, verdict.outcome, at)
    return row.state in OVER


def undeliver(sale_id: UUID, why: str, at: datetime) -> bool:
    """End a delivered sale whose mail came back within its grace; False, and nothing changed, when it must stay.

    Its lead is passed on by the courier's next look for what was forgotten.
    """
    sale = db.session.get_one(Sale, sale_id, with_for_update=True)
    row = db.session.get_one(DeliveryRow, sale_id, with_for_update=True)
    if sale.state != "delivered" or row.state != "accepted" or at > row.give_up_at:
        return False
    _end(row, sale, "failed", why, at)
    return True


def give_up(sale_id: UUID, state: str, why: str, at: datetime) -> None:
    """End a sale on its way as refused or failed, once; its lead is passed on as in `undeliver`."""
    sale = db.session.get_one(Sale, sale_id, with_for_update=True)
    row = db.session.get_one(DeliveryRow, sale_id, with_for_update=True)
    if row.ended_at is None:
        _end(row, sale, state, why, at)


def _deliver(row: DeliveryRow, sale: Sale, verdict: Verdict, at: datetime) -> None:
    """Mark a sale delivered; its dispute window and its hold count from now, and its lead is pending no more."""
    row.state, row.lease_until, row.ended_at = "accepted", None, at
    row.reference, row.redirect_url = verdict.reference, verdict.redirect_url
    sale.delivered_at = at
    sale.window_ends_at = at + timedelta(hours=row.window_hours)
    sale.release_at = at + timedelta(days=row.hold_days)
    move(sale, "delivered", ACTOR, at)
    _tell("sale.delivered", sale, at, verdict.reference)
    if db.session.get_one(Lead, sale.lead_id).status == "pending":  # no other lead becomes pending later
        lead = db.session.get_one(Lead, sale.lead_id, with_for_update=True, populate_existing=True)
        tell_sold(lead, sale, ACTOR, at)


def pass_on_ended(sale_id: UUID, at: datetime, lease: timedelta | None = None) -> UUID | None:
    """Look for the next buyer of a sale that came to nothing, once; locks the lead, so that it is sold on by one.

    Returns the next sale; with a lease the caller has its delivery in hand, if its order is sync.
    """
    lead_id = db.session.get_one(DeliveryRow, sale_id).lead_id
    lead = db.session.get_one(Lead, lead_id, with_for_update=True)
    row = db.session.get_one(DeliveryRow, sale_id, with_for_update=True, populate_existing=True)
    if row.state in OVER and not row.passed_on:
        row.passed_on = True
        return pass_on(lead, ACTOR, at, lease)
    return None


def _end(row: DeliveryRow, sale: Sale, state: str, why: str, at: datetime) -> None:
    """End a sale that came to nothing: its order counts one less, and its money goes back."""
    row.state, row.lease_until, row.ended_at = state, None, at
    sale.ended_at = at
    move(sale, state, ACTOR, at, why[:300])
    db.session.execute(_UNCOUNT, {"order": sale.order_id, "price": sale.price_minor, "sold_at": sale.sold_at})
    (outcome,) = resolve_holds([HoldRequest(hold_id=sale.id, capture_minor=0, reason=state)], ACTOR, at)
    if outcome.state != "resolved":
        raise Conflict("not_now", f"The hold of sale {sale.id} is {outcome.state}.")


def _next_try(row: DeliveryRow, sale: Sale, at: datetime) -> datetime | None:
    """Return when to try again, None when the tries or the grace are used up."""
    if row.attempts >= len(TRIES):
        return None
    again = max(at, sale.sold_at + timedelta(seconds=TRIES[row.attempts]))
    return again if again <= row.give_up_at else None


def _tell(event: str, sale: Sale, at: datetime, reference: str | None) -> None:
    accounts = [str(sale.publisher_id), str(sale.buyer_id)]
    data = {"sale": str(sale.id), "lead": str(sale.lead_id), "reference": reference}
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": accounts, "data": data})
