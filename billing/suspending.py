"""Closing a wallet to new holds and opening it again; money arrives in it all the same."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text

from billing.models import Wallet
from billing.wallets import open_wallet
from core.db import db

_SUSPEND = text("SELECT billing.suspend_wallet(:account_id, :currency, :at)")


def suspend_wallet(account_id: UUID, currency: str, at: datetime) -> bool:
    """Close a wallet to new holds, opening it empty when there was none; False when it was closed already."""
    open_wallet(account_id, currency)
    row = db.session.get_one(Wallet, (account_id, currency), with_for_update=True, populate_existing=True)
    if row.suspended_at is not None:
        return False
    db.session.execute(_SUSPEND, {"account_id": account_id, "currency": currency, "at": at})
    return True


def readmit_wallet(account_id: UUID, currency: str) -> bool:
    """Open a suspended wallet to new holds again; False when it was open."""
    return bool(db.session.scalar(select(func.billing.readmit_wallet(account_id, currency))))
