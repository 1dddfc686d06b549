"""Refunds: what a hold captured goes back, and what the earner cannot pay of it now is owed and netted later."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text

from billing.wallets import POSTINGS, Posting
from core.db import db
from core.errors import Conflict

_REFUND = text("SELECT billing.refund_capture(:hold_id, :refund, :share, :key, :reason, :actor, :at)")


def refund_capture(
    hold_id: UUID, refund_minor: int, share_minor: int, key: str, reason: str, actor: str, at: datetime
) -> Posting:  # fmt: skip
    """Give back a part of what a hold captured, or all, once per key; several keys may add up to the capture.

    The earner bears `share_minor` of it: from the hold's own reserve, then from what is payable, and what is missing is
    owed. A Conflict, with nothing booked, when more is asked than is left, or when the key stands for another refund.
    """
    values = {"hold_id": hold_id, "refund": refund_minor, "share": share_minor}
    values |= {"key": key, "reason": reason, "actor": actor, "at": at}
    answer: str = db.session.execute(_REFUND, values).scalar_one()
    if answer == "excess":
        raise Conflict("refund_excess", "More is asked back than is left of what was captured, or of its share.")
    if answer == "conflict":
        raise Conflict("key_reused", f"The key {key} stands for another refund.")
    return POSTINGS[answer]


def lock_parties(hold_ids: Sequence[UUID]) -> None:
    """Lock whoever money of these holds may move between; before the first of several refunds in one transaction."""
    db.session.execute(select(func.billing.lock_parties(list(hold_ids))))


def net_owed(limit: int, actor: str, at: datetime) -> int:
    """Net what at most `limit` earners owe against what is payable to them, and return how many that were."""
    netted: int = db.session.execute(select(func.billing.net_owed(limit, actor, at))).scalar_one()
    return netted
