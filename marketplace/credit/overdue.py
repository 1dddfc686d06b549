"""What falls due of buyers' debts: what can be paid is taken, and whose debts are long overdue buys nothing more."""

from datetime import datetime, timedelta
from uuid import UUID

from billing import collect_due, owing_of, stop_overdue
from core.db import transaction
from core.jobs import enqueue
from core.notifications import mail_account
from core.overrides import overrides

MAIL = "market.credit_overdue"
_TEXT = """Hello,

{due} {currency} of what your account owes is due, some of it for {days} days or longer.
Your orders buy nothing until it is paid.

Top up your wallet: what comes in pays what is due first, and your orders buy again by themselves the moment nothing due
is left. What is due when stands on the page Credit of your account.
"""


def collect_batch(as_of: datetime) -> int:
    """Take what is due from wallets that have something, some wallets at a time, and return how many paid."""
    return collect_due(as_of)


def stop_batch(as_of: datetime) -> int:
    """Stop some buyers whose debts are overdue for `credit.overdue_days`, tell them, and return how many."""
    stopped = stop_overdue(as_of - timedelta(days=overrides().setting("credit.overdue_days")), as_of)
    for account_id, currency in stopped:
        enqueue(MAIL, account=str(account_id), currency=currency)
    return len(stopped)


def mail_overdue(account_id: UUID, currency: str, at: datetime) -> None:
    """Write to a buyer's people that debts stop the orders, unless they were paid meanwhile; opens its transaction."""
    with transaction():
        due = owing_of([account_id], currency, at)[account_id].due
    if due.minor:
        text = _TEXT.format(due=due, currency=currency, days=overrides().setting("credit.overdue_days"))
        mail_account(account_id, f"Your orders stopped: {due} {currency} is overdue", text)
