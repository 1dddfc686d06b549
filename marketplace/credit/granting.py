"""Granting a buyer credit: at most what some days of his usual spending come to, unless an operator says why more."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from billing import NET_DAYS, Grant, set_credit_line
from core.db import db
from core.defaults import default
from core.errors import Fault, Invalid
from core.identity import get_account
from core.money import Money
from core.overrides import overrides
from marketplace.leads.models import Event, Sale

SPENT_OVER_DAYS = 30
FRUITLESS = ("returned", "refused", "failed")


@dataclass(frozen=True, slots=True)
class Line:
    """A line as somebody wants it; `version` is that of the line as it was read, 0 for none."""

    limit: Money
    days: int
    reason: str
    version: int = 0
    is_above: bool = False


def usual_credit(buyer_id: UUID, currency: str, at: datetime) -> Money:
    """Return what `credit.most_days` of the average spend of the last 30 days come to, less what was sent back."""
    spent = select(func.coalesce(func.sum(Sale.price_minor - Sale.credited_minor), 0)).where(
        Sale.buyer_id == buyer_id, Sale.currency == currency, Sale.sold_at > at - timedelta(days=SPENT_OVER_DAYS),
        Sale.state.not_in(FRUITLESS),
    )  # fmt: skip
    return Money(
        int(db.session.scalar(spent) or 0) * overrides().setting("credit.most_days") // SPENT_OVER_DAYS, currency
    )


def grant_line(buyer_id: UUID, line: Line, actor: str, at: datetime) -> None:
    """Grant, change or end a buyer's credit line, and write it into the log with why; refusals as `set_credit_line`.

    NotFound when there is no such buyer.
    """
    get_account(buyer_id, "buyer")
    usual = usual_credit(buyer_id, line.limit.currency, at)
    grant = Grant(line.limit, line.days, usual, line.reason, line.version, line.is_above)
    set_credit_line(buyer_id, grant, actor, at)
    above = " above usual" if line.limit.minor > usual.minor else ""
    move = f"credit>{line.limit} {line.limit.currency} net {line.days}{above}"
    db.session.add(Event(subject_id=buyer_id, at=at, move=move, actor=actor, why=line.reason))


def read_limit(amount: str, currency: str) -> Money:
    """Read a limit as people write it; Invalid when it is no amount of this currency."""
    try:
        return Money.parse(amount, currency)
    except ValueError:
        fault = Fault("limit", "bad_amount", "Write an amount such as 100 or 100.50.")
        raise Invalid("invalid_credit_line", "The credit line stays as it is.", [fault]) from None


def usual_days() -> int:
    """Return in how many days draws fall due unless somebody says otherwise."""
    days = default("credit.net_days")
    return days if days in NET_DAYS else NET_DAYS[1]
