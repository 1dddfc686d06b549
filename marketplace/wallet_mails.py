"""Mails about wallets: a bank that wants its customer, a card declined again and again, a wallet that runs low."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from billing import WALLET_MAIL
from core.http import settings
from core.jobs import job
from core.notifications import mail_account

Mail = tuple[str, str]  # its subject and its text
_HELLO = "Hello,\n\n{text}\n"


@job(WALLET_MAIL)
def mail_about_a_wallet(what: str, account_id: str, told: Mapping[str, Any]) -> None:
    """Write to the people of an account about its wallet; tried again when mail cannot be sent."""
    subject, text = wallet_mail(what, told, settings().address)
    mail_account(UUID(account_id), subject, text)


def wallet_mail(what: str, told: Mapping[str, Any], site: str) -> Mail:
    """Return the subject and the text of a mail, with addresses on this site."""
    subject, text = _TEXTS[what](told, site)
    return subject, _HELLO.format(text=text)


def _authentication(told: Mapping[str, Any], site: str) -> Mail:
    asked = urlencode({**told["amount"], "save": 1})
    return "Your bank wants you to confirm a top-up", (
        f"your wallet was to be topped up by {_money(told['amount'])} from your saved card. Nothing was charged: the\n"
        "card's bank wants you to confirm the payment. Automatic top-up is paused until you pay the amount here:\n\n"
        f"{site}/buyer/wallet/top-up?{asked}"
    )  # fmt: skip


def _paused(told: Mapping[str, Any], site: str) -> Mail:
    return "Automatic top-up is paused", (
        f"the saved card for your wallet in {told['currency']} was declined several times; the last time:\n\n"
        f"{told['why']}\n\nSave another card, or resume automatic top-up:\n\n{site}/buyer/wallet/recharge"
        f"?currency={told['currency']}"
    )  # fmt: skip


def _low(told: Mapping[str, Any], site: str) -> Mail:
    return "Your wallet is running low", (
        f"{_money(told['left'])} are left in your wallet, which is less than {told['hours']} hours of what you spend\n"
        f"({_money(told['daily'])} a day in the last seven days). Orders buy nothing once it is empty. Top up, or\n"
        f"let the wallet top itself up:\n\n{site}/buyer/wallet"
    )  # fmt: skip


def _money(told: Mapping[str, str]) -> str:
    return f"{told['amount']} {told['currency']}"


_TEXTS: dict[str, Callable[[Mapping[str, Any], str], Mail]] = {
    "authentication": _authentication, "paused": _paused, "low": _low,
}  # fmt: skip
