"""Paying out through the card processor: what is covered is ordered, sent, looked up; accounts are looked at again."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from billing.funding.calls import Verb
from billing.funding.models import CardCall
from billing.funding.telling import tell_account
from billing.payouts.models import Payout, PayoutRail
from billing.payouts.ordering import order_covered
from billing.payouts.outcomes import is_transfer_of, record_reversal, record_transfer, transfer_of_reversal
from billing.payouts.rails import accounts_to_look_at, record_account
from billing.stripe_connect import PayableAccount, Reversal, Transfer
from billing.stripe_gateway import Gateway, Refused, Undecided
from core.db import db, transaction
from core.failpoints import failpoint
from core.http import business_clock
from core.jobs import enqueue

NEWS = "billing.payouts_wait"  # the job that an upper floor has for it
A_WHILE = timedelta(hours=1)


def payout_verbs(gateway: Gateway) -> dict[str, Verb]:
    """Return how each kind of call about those who are paid is sent, looked up and recorded."""

    def look_up_transfer(payout_id: UUID) -> Transfer | None:
        found = [one for one in gateway.connect.transfers_of(str(payout_id)) if one.reference == str(payout_id)]
        with transaction():
            return next((one for one in found if is_transfer_of(payout_id, one)), None)

    def look_up_reversal(reversal_id: UUID) -> Reversal | None:
        with transaction():
            transfer_id = transfer_of_reversal(reversal_id)
        found = gateway.connect.reversals_of(transfer_id) if transfer_id else []
        return next((one for one, reference in found if reference == str(reversal_id)), None)

    def look_up_account(rail_id: UUID) -> PayableAccount | None:
        with transaction():
            since = db.session.scalars(select(CardCall.made_at).where(CardCall.subject_id == rail_id)).one() - A_WHILE
        opened = gateway.connect.accounts_since(since)
        return next((one for one in opened if one.reference == str(rail_id)), None)

    def record_sent(payout_id: UUID, transfer: Transfer | None, why: str | None) -> None:
        record_transfer(payout_id, transfer, why, business_clock().now())

    def record_back(reversal_id: UUID, reversal: Reversal | None, why: str | None) -> None:
        record_reversal(reversal_id, reversal, why, business_clock().now())

    def record_opened(rail_id: UUID, account: PayableAccount | None, why: str | None) -> None:
        record_account(rail_id, account, why, business_clock().now())

    door = gateway.connect
    return {
        "open_account": Verb(door.open_account, look_up_account, record_opened),
        "send_transfer": Verb(door.send, look_up_transfer, record_sent),
        "reverse_transfer": Verb(door.reverse, look_up_reversal, record_back),
    }


def order_payouts(gateway: Gateway, at: datetime) -> int:
    """Order the approved transfers that the balance at hand covers; return how many.

    Nothing is asked of the processor while none is approved. Whoever waits for the balance is told of once.
    """
    with transaction():
        waiting = select(Payout.id).join(PayoutRail, PayoutRail.id == Payout.rail_id)
        is_any = db.session.scalar(waiting.where(Payout.state == "approved", PayoutRail.kind == "connect").limit(1))
    if is_any is None:
        return 0
    _, ready = gateway.balances()
    failpoint("payouts.covered")
    with transaction():
        ordered, is_new = order_covered(ready, at)
        if is_new:
            enqueue(NEWS, once=True)
    failpoint("payouts.ordered")
    return ordered


def look_at_accounts(gateway: Gateway, at: datetime) -> int:
    """Read again the accounts of those who are paid whose news may be lost; return how many."""
    with transaction():
        waiting = accounts_to_look_at(at)
    for account_id in waiting:
        try:
            tell_account(gateway, account_id, at)
        except Refused as refused:  # it stands where it stood, and is read with the next round
            raise Undecided(str(refused)) from refused
    return len(waiting)
