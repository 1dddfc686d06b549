"""Approved payouts ordered: no longer payable, on their way, and written down to be sent, all in one transaction.

Transfers are ordered as far as what the processor's balance has at hand covers them; the others wait, and it is said.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text

from billing.ledger import IN_FLIGHT, PAYABLE, Line
from billing.payouts.models import Payout, PayoutRail
from billing.payouts.moving import ACTOR, get_all_locked, move, note, one_at_a_time, post_payout
from core.db import db

WAITS = "waits_for_balance"
_CALL = text("SELECT billing.write_card_call(:verb, :subject, CAST(:payload AS jsonb), :in_hand)")


def write_call(verb: str, subject_id: UUID, payload: Mapping[str, Any], *, is_in_hand: bool = False) -> UUID:
    """Write down what is to be asked of the processor, in the session's transaction; return the call's id."""
    values = {"verb": verb, "subject": subject_id, "payload": json.dumps(payload), "in_hand": is_in_hand}
    call_id: UUID = db.session.execute(_CALL, values).scalar_one()
    return call_id


def order(payout: Payout, actor: str, at: datetime) -> bool:
    """Order a locked, approved payout: D payable / C in flight, once.

    False, and withdrawn with the reason, when less is payable by now, or its earner is paid elsewhere or not at all.
    """
    rail = db.session.get_one(PayoutRail, payout.rail_id, with_for_update=True, populate_existing=True)
    if rail.ended_at is not None or rail.state != "ready":
        why = "rail_changed" if rail.ended_at is not None else rail.reason
        move(payout, "withdrawn", actor, at, reason=why or "rail_blocked")
        return False
    lines = [
        Line(PAYABLE, payout.amount_minor, payout.account_id),
        Line(IN_FLIGHT, -payout.amount_minor, payout.account_id),
    ]
    if not post_payout(payout, "payout", payout.key, lines, actor, at).is_booked:
        move(payout, "withdrawn", actor, at, reason="balance_fell")
        return False
    payout.ordered_at = at
    move(payout, "ordered", actor, at)
    if rail.kind == "connect":
        write_call("send_transfer", payout.id, _transfer(payout, rail))
    return True


def order_covered(ready: Mapping[str, int], at: datetime, most: int = 100) -> tuple[int, bool]:
    """Order approved transfers, the oldest first, as far as what is at hand covers them; return how many, and whether
    any waits that had not waited before.

    What was ordered and not sent yet is taken from what is at hand. One whose amount is not covered lets smaller ones
    pass, however many wait, and is looked at first the next time.
    """
    one_at_a_time("order")
    left = {currency: minor - _on_its_way(currency) for currency, minor in ready.items()}
    query = select(Payout.id, Payout.currency, Payout.amount_minor, Payout.reason)
    query = query.join(PayoutRail, PayoutRail.id == Payout.rail_id).order_by(Payout.id)
    query = query.where(Payout.state == "approved", PayoutRail.kind == "connect")
    covered: list[UUID] = []
    short: list[UUID] = []
    for payout_id, currency, minor, reason in db.session.execute(query):
        if minor <= left.get(currency, 0) and len(covered) < most:
            left[currency] -= minor
            covered.append(payout_id)
        elif minor > left.get(currency, 0) and reason != WAITS:
            short.append(payout_id)
    locked = [one for one in get_all_locked([*covered, *short]) if one.state == "approved"]
    told = [one for one in locked if one.id in short]
    for payout in told:
        note(payout, ACTOR, at, WAITS)
    return sum(order(one, ACTOR, at) for one in locked if one.id in covered), bool(told)


def _on_its_way(currency: str) -> int:
    """Sum the transfers that are ordered, of which nobody knows yet that they have left the balance."""
    query = select(func.coalesce(func.sum(Payout.amount_minor), 0)).join(PayoutRail, PayoutRail.id == Payout.rail_id)
    query = query.where(Payout.state == "ordered", Payout.currency == currency, PayoutRail.kind == "connect")
    return int(db.session.scalar(query) or 0)


def _transfer(payout: Payout, rail: PayoutRail) -> dict[str, Any]:
    named = str(payout.id)
    return {
        "amount": payout.amount_minor, "currency": payout.currency.lower(), "destination": rail.destination,
        "transfer_group": named, "metadata": {"leadbourse": named},
    }  # fmt: skip
