"""Settlement: a sale whose release date has come and that nobody disputes is paid, in batches, exactly once."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from billing import HoldRequest, mature_reserves, net_owed, resolve_holds
from core.db import db
from core.outbox import announce
from marketplace.leads.models import Event, Sale

BATCH = 500
ACTOR = "system:settlement"


def settle_batch(as_of: datetime) -> int:
    """Settle up to a batch of the sales that are due by then, the oldest first, and return how many.

    Rows that another worker settles at the moment are passed over. A hold that was resolved before the sale knew of it
    is settled all the same; any other answer of the ledger raises, and the batch is undone.
    """
    due = select(Sale).where(Sale.state == "delivered", Sale.release_at <= as_of).order_by(Sale.release_at).limit(BATCH)
    sales = list(db.session.scalars(due.with_for_update(skip_locked=True)))
    if not sales:
        return 0
    outcomes = resolve_holds([_capture_of(sale) for sale in sales], ACTOR, as_of)
    stuck = [outcome for outcome in outcomes if outcome.state not in ("resolved", "repeated")]
    if stuck or len(outcomes) != len(sales):
        raise RuntimeError(f"the ledger refused to settle {stuck}")
    for sale in sales:
        db.session.add(Event(subject_id=sale.id, at=as_of, move="delivered>settled", actor=ACTOR))
        sale.state, sale.ended_at = "settled", as_of
    db.session.flush()
    announce("notice", *(_news_of(sale, as_of) for sale in sales))
    return len(sales)


def _news_of(sale: Sale, at: datetime) -> dict[str, Any]:
    accounts = [str(sale.publisher_id), str(sale.buyer_id)]
    return {"event": "sale.settled", "at": at.isoformat(), "accounts": accounts, "data": {"sale": str(sale.id)}}


def mature_batch(as_of: datetime) -> int:
    """Move up to a batch of reserves whose date has come to what is payable, and return how many."""
    return mature_reserves(as_of, BATCH, ACTOR)


def net_batch(as_of: datetime) -> int:
    """Net what up to a batch of publishers owe against what has become payable to them, and return how many."""
    return net_owed(BATCH, ACTOR, as_of)


def _capture_of(sale: Sale) -> HoldRequest:
    """Capture the price without what a dispute credited; payout and reserve of the sale are those of the rest."""
    assert sale.release_at is not None
    return HoldRequest(
        hold_id=sale.id,
        capture_minor=sale.price_minor - sale.credited_minor,
        earner_id=sale.publisher_id,
        share_minor=sale.payout_minor,
        reserve_minor=sale.reserve_minor,
        reserve_until=sale.release_at + timedelta(days=sale.reserve_days),
        reason="settled",
    )
