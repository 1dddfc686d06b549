"""Mails about wallets to the people of an account, put on the queue with the fact that they tell of."""

from uuid import UUID

from core.http import settings
from core.jobs import enqueue
from core.money import Money

JOB = "billing.wallet_mail"
_HELLO = "Hello,\n\n{text}\n"


def mail_authentication(account_id: UUID, money: Money) -> None:
    """Ask the buyer to pay an amount on the payment page, since the card's bank wants them to confirm it."""
    link = f"{_site()}/buyer/wallet/top-up?amount={money}&save=1"
    _mail(account_id, "Your bank wants you to confirm a top-up", (
        f"your wallet was to be topped up by {money} {money.currency} from your saved card. Nothing was charged: the\n"
        "card's bank wants you to confirm the payment. Automatic top-up is paused until you pay the amount here:\n\n"
        f"{link}"
    ))  # fmt: skip


def mail_paused(account_id: UUID, currency: str, why: str) -> None:
    """Tell the buyer that their card was declined again and again."""
    _mail(account_id, "Automatic top-up is paused", (
        f"the saved card for your wallet in {currency} was declined several times; the last time its bank said:\n\n"
        f"{why}\n\n"
        f"Save another card, or resume automatic top-up:\n\n{_site()}/buyer/wallet/recharge"
    ))  # fmt: skip


def mail_low(account_id: UUID, left: Money, daily: Money, hours: int) -> None:
    """Warn the buyer that the wallet will soon be empty."""
    _mail(account_id, "Your wallet is running low", (
        f"{left} {left.currency} are left in your wallet, which is less than {hours} hours of what you spend\n"
        f"({daily} {daily.currency} a day in the last seven days). Orders buy nothing once it is empty. Top up, or\n"
        f"let the wallet top itself up:\n\n{_site()}/buyer/wallet"
    ))  # fmt: skip


def _mail(account_id: UUID, subject: str, text: str) -> None:
    enqueue(JOB, account_id=str(account_id), subject=subject, text=_HELLO.format(text=text))


def _site() -> str:
    return settings().address
