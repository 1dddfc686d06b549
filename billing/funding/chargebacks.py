"""Chargebacks: a card's owner took a payment back; what is left of it is frozen until the bank has decided."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from billing.funding.models import Chargeback, TopUp
from billing.ledger import AVAILABLE, CHARGED_BACK, FROZEN, OWED_BY_WALLET, Line, post
from billing.models import Wallet
from billing.stripe_gateway import ChargedBack
from core.db import db
from core.money import Money

ACTOR = "system:cards"
_SUSPEND = text("SELECT billing.suspend_wallet(:account_id, :currency, :at)")


def announce_chargeback(told: ChargedBack, at: datetime) -> str:
    """Note a chargeback of a payment of ours, and end one that was lost; what was won ends with its money.

    It is no money yet: that moves with our balance at the processor. A payment that was set aside is in no wallet, so
    its chargeback is none's. Returns what it came to.
    """
    top_up = db.session.scalar(select(TopUp).where(TopUp.payment_id == told.payment_id, TopUp.state == "paid"))
    if top_up is None or top_up.currency != told.money.currency:
        return "unknown"
    row = {"id": told.id, "top_up_id": top_up.id, "account_id": top_up.account_id, "currency": told.money.currency,
           "amount_minor": told.money.minor, "state": "announced", "reason": told.reason, "opened_at": at}  # fmt: skip
    db.session.execute(insert(Chargeback).values(row).on_conflict_do_nothing())
    chargeback = db.session.get_one(Chargeback, told.id, with_for_update=True, populate_existing=True)
    if told.state == "lost" and chargeback.state == "withdrawn":
        _settle_lost(chargeback, at)
    elif told.state == "dropped" and chargeback.state == "announced":
        chargeback.state, chargeback.ended_at = "won", datetime.now(UTC)
    return chargeback.state


def is_payment_known(payment_id: str | None) -> bool:
    """Tell whether a payment was booked."""
    return db.session.scalar(select(TopUp.id).where(TopUp.payment_id == payment_id)) is not None


def chargebacks_of(account_id: UUID) -> list[Chargeback]:
    """Return an account's chargebacks, the newest first."""
    query = select(Chargeback).where(Chargeback.account_id == account_id)
    return list(db.session.scalars(query.order_by(Chargeback.opened_at.desc(), Chargeback.id)))


def chargebacks_lately(most: int = 100) -> list[Chargeback]:
    """Return the latest chargebacks of all accounts."""
    query = select(Chargeback).order_by(Chargeback.opened_at.desc(), Chargeback.id)
    return list(db.session.scalars(query.limit(most)))


def find_chargeback(chargeback_id: str | None, money: Money) -> Chargeback | None:
    """Return a chargeback that was announced, if it is about this amount, and lock it."""
    if chargeback_id is None:
        return None
    found = db.session.get(Chargeback, chargeback_id, with_for_update=True, populate_existing=True)
    return found if found and Money(found.amount_minor, found.currency) == money else None


def settle_withdrawal(chargeback: Chargeback) -> list[Line]:
    """Freeze what is left of the money that was withdrawn; returns the wallet's lines of that posting."""
    wallet = db.session.get(
        Wallet, (chargeback.account_id, chargeback.currency), with_for_update=True, populate_existing=True
    )
    frozen = min(chargeback.amount_minor, wallet.available if wallet else 0)
    chargeback.state, chargeback.frozen_minor = "withdrawn", frozen
    db.session.flush()
    return [Line(AVAILABLE, frozen, chargeback.account_id), Line(FROZEN, -frozen, chargeback.account_id)]


def settle_won(chargeback: Chargeback) -> list[Line]:
    """Thaw what was frozen; returns the wallet's lines of the posting by which the money came back."""
    chargeback.state, chargeback.ended_at = "won", datetime.now(UTC)
    db.session.flush()
    frozen = chargeback.frozen_minor
    return [Line(FROZEN, frozen, chargeback.account_id), Line(AVAILABLE, -frozen, chargeback.account_id)]


def _settle_lost(chargeback: Chargeback, at: datetime) -> None:
    """Give up the money: what was frozen is gone, the rest is owed, and the wallet is closed to new holds."""
    frozen, whole, owner = chargeback.frozen_minor, chargeback.amount_minor, chargeback.account_id
    post("chargeback_lost", f"chargeback:{chargeback.id}:lost", chargeback.currency,
         [Line(FROZEN, frozen, owner), Line(OWED_BY_WALLET, whole - frozen, owner), Line(CHARGED_BACK, -whole)],
         source=str(chargeback.top_up_id), actor=ACTOR, at=at)  # fmt: skip
    db.session.execute(_SUSPEND, {"account_id": owner, "currency": chargeback.currency, "at": at})
    chargeback.state, chargeback.ended_at = "lost", datetime.now(UTC)
