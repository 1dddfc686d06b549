"""Fees that a wallet is charged, and gets back when there was no ground for one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from billing.wallets import POSTINGS, Posting
from core.db import db
from core.errors import Conflict, Invalid
from core.money import Money

_CHARGE = text("SELECT billing.charge_fee(:account_id, :currency, :amount, :key, :reason, :actor, :at)")
_RETURN = text("SELECT billing.return_fee(:key, :reason, :actor, :at)")


def charge_fee(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    """Charge a fee to what is available (D available / C fees), once per key.

    What is not available is a debt that is due at once for whoever has a credit line or owes already. Any other wallet
    that lacks it is not put into debt: refused with the code `funds`, and kept as refused for this key. A Conflict when
    the key stands for another fee, Invalid for an amount that is not above zero.
    """
    if money.minor <= 0:
        raise Invalid("invalid_amount", "A fee is an amount above zero.")
    values = {"account_id": account_id, "currency": money.currency, "amount": money.minor}
    values |= {"key": key, "reason": reason, "actor": actor, "at": at}
    answer: str = db.session.execute(_CHARGE, values).scalar_one()
    if answer == "conflict":
        raise Conflict("key_reused", f"The key {key} stands for another fee.")
    return POSTINGS.get(answer) or Posting("refused", answer.removeprefix("refused:"))


def return_fee(key: str, reason: str, actor: str, at: datetime) -> bool:
    """Give back the fee that was charged under this key, once, which pays first what is due; False when none was."""
    values = {"key": key, "reason": reason, "actor": actor, "at": at}
    return bool(db.session.execute(_RETURN, values).scalar_one() != "missing")
