"""Mails about wallets: what is to be told stands on the queue with its fact; who sits above writes the words."""

from typing import Any, Literal
from uuid import UUID

from core.jobs import enqueue
from core.money import Money

JOB = "billing.wallet_mail"  # declared above, where the pages are known that such a mail points to
What = Literal["authentication", "paused", "low"]


def mail_authentication(account_id: UUID, money: Money) -> None:
    """Ask for an amount to be paid on the payment page, since the card's bank wants its customer to confirm it."""
    _mail("authentication", account_id, amount=money.as_json())


def mail_paused(account_id: UUID, currency: str, why: str) -> None:
    """Tell that the saved card was declined again and again."""
    _mail("paused", account_id, currency=currency, why=why)


def mail_low(account_id: UUID, left: Money, daily: Money, hours: int) -> None:
    """Warn that the wallet will soon be empty."""
    _mail("low", account_id, left=left.as_json(), daily=daily.as_json(), hours=hours)


def _mail(what: What, account_id: UUID, **told: Any) -> None:
    enqueue(JOB, what=what, account_id=str(account_id), told=told)
