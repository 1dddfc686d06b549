"""Suspending a buyer's wallet and readmitting it by hand: an event says who did it and why, and the buyer is told."""

from datetime import datetime
from uuid import UUID

from billing import readmit_wallet, suspend_wallet
from core.db import db
from core.errors import Fault, Invalid
from core.identity import get_account
from core.money import is_currency
from core.outbox import announce
from marketplace.leads.models import Event

STANDINGS = ("active", "suspended")


def set_wallet_standing(buyer_id: UUID, currency: str, standing: str, why: str, actor: str, at: datetime) -> bool:
    """Suspend a buyer's wallet to new purchases or readmit it; False, and nothing told, when it stands so already.

    What is owed stays owed. NotFound when there is no such buyer, Invalid with the field for another standing, a
    currency that is not traded, or no reason.
    """
    get_account(buyer_id, "buyer")
    _check(currency, standing, why)
    is_closed = standing == "suspended"
    if not (suspend_wallet(buyer_id, currency, at) if is_closed else readmit_wallet(buyer_id, currency)):
        return False
    move = "wallet_active>wallet_suspended" if is_closed else "wallet_suspended>wallet_active"
    db.session.add(Event(subject_id=buyer_id, at=at, move=move, actor=actor, why=why.strip()))
    db.session.flush()
    event = "wallet.suspended" if is_closed else "wallet.readmitted"
    data = {"account": str(buyer_id), "currency": currency, "why": why.strip()}
    announce("notice", {"event": event, "at": at.isoformat(), "accounts": [str(buyer_id)], "data": data})
    return True


def _check(currency: str, standing: str, why: str) -> None:
    faults = []
    if standing not in STANDINGS:
        faults.append(Fault("standing", "not_allowed_value", f"Send one of {', '.join(STANDINGS)}."))
    if not is_currency(currency):
        faults.append(Fault("currency", "unknown_currency", "Send a traded currency, such as EUR."))
    if not 1 <= len(why.strip()) <= 1000 or "\0" in why:
        faults.append(Fault("note", "missing", "Say why, in at most 1000 characters: the buyer reads it."))
    if faults:
        raise Invalid("invalid_standing", "The wallet stays as it is.", faults)
