"""Credit lines: who may draw how much, due in how many days; every change is a row that stays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, union

from billing.credit.models import OPEN, CreditLine, Debt
from billing.currencies import CURRENCIES
from billing.models import Wallet
from core.db import db
from core.errors import Conflict, Fault, Invalid
from core.money import Money

NET_DAYS = (7, 15, 30)
MOST_MINOR = 100_000_000_000
REASON_LENGTH = 200
MOST_VERSIONS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody wants a line to be; `usual` is the most that the wallet's spending speaks for.

    `is_above` says that a limit above it is meant; `version` is the line's as it was read, 0 for none.
    """

    limit: Money
    days: int
    usual: Money
    reason: str
    version: int = 0
    is_above: bool = False


def set_credit_line(account_id: UUID, grant: Grant, actor: str, at: datetime) -> None:
    """Grant, change or end (with a limit of 0) a line; what was drawn stays due as it was.

    Invalid with all bad fields, `above_usual_spend` among them; Conflict when somebody else changed it meanwhile.
    """
    faults = list(_faults(grant))
    if faults:
        raise Invalid("invalid_credit_line", "The credit line stays as it is.", faults)
    values = {
        "account_id": account_id, "currency": grant.limit.currency, "minor": grant.limit.minor, "days": grant.days,
        "usual": grant.usual.minor, "version": grant.version, "reason": grant.reason, "actor": actor, "at": at,
    }  # fmt: skip
    if not db.session.execute(_SET, values).scalar_one():
        raise Conflict("version_changed", "Somebody changed this credit line meanwhile. Look at it as it is now.")


_SET = text("""SELECT billing.set_credit_line(:account_id, :currency, :minor, CAST(:days AS smallint), :usual,
                                              CAST(:version AS integer), :reason, :actor, :at)""")


def _faults(grant: Grant) -> Iterable[Fault]:
    limit, currency = grant.limit.minor, grant.limit.currency
    if limit > 0 and currency not in CURRENCIES:
        yield Fault("limit", "currency_not_taken", f"Give a limit in one of {', '.join(CURRENCIES)}.")
    elif not 0 <= limit <= MOST_MINOR:
        most = f"{Money(MOST_MINOR, currency)} {currency}"
        yield Fault("limit", "amount_out_of_range", f"Give a limit from 0 to {most}; 0 ends the line.")
    elif limit > grant.usual.minor and not grant.is_above:
        says = (
            f"Usual is at most {grant.usual} {currency}, by what was spent lately. Lower it, or say that more is meant."
        )
        yield Fault("limit", "above_usual_spend", says)
    if grant.days not in NET_DAYS:
        yield Fault("days", "not_allowed_value", "Give 7, 15 or 30 days.")
    if not 0 <= grant.version <= MOST_VERSIONS:
        yield Fault("version", "not_allowed_value", "Give the version of the line as it was read, 0 for none.")
    if not 1 <= len(grant.reason) <= REASON_LENGTH or "\0" in grant.reason:
        yield Fault("reason", "reason_needed", f"Say why, in at most {REASON_LENGTH} characters.")


def versions_of(account_id: UUID, currency: str, most: int = 50) -> Sequence[CreditLine]:
    """Return a line's versions, the newest first; none where none was ever granted."""
    query = select(CreditLine).where(CreditLine.account_id == account_id, CreditLine.currency == currency)
    return db.session.scalars(query.order_by(CreditLine.version.desc()).limit(most)).all()


def lines_after(currency: str, after: UUID | None, most: int) -> Sequence[Wallet]:
    """Return wallets that have had a line or that owe something, in the order of their accounts' ids."""
    granted = select(CreditLine.account_id).where(CreditLine.currency == currency, CreditLine.version == 1)
    owing = select(Debt.account_id).where(Debt.currency == currency, OPEN)
    query = select(Wallet).where(Wallet.currency == currency, Wallet.account_id.in_(union(granted, owing)))
    query = query.where(Wallet.account_id > after) if after else query
    return db.session.scalars(query.order_by(Wallet.account_id).limit(most)).all()
