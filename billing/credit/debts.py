"""Debts of wallets: what is due when, how long it has been, and paying it from what is available."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text

from billing.credit.models import OPEN, Debt
from core.db import db
from core.money import Money

ACTOR = "system:debts"
AGES = (timedelta(0), timedelta(days=5), timedelta(days=30))  # the ends of the ages of debts, overdue for so long
EVER = datetime(9999, 1, 1, tzinfo=UTC)
_PAY = text("SELECT billing.pay_debts(:account_id, :currency, :until, :actor, :at)")
_COLLECT = text("SELECT billing.collect_due(:most, :actor, :at)")
_STOP = text("SELECT s.account_id, s.currency FROM billing.stop_overdue(:since, :most, :at) s")


@dataclass(frozen=True, slots=True)
class Owing:
    """What one wallet owes: `ages` is what is not due, overdue up to 5 days, up to 30, and longer."""

    ages: tuple[Money, Money, Money, Money]
    next_due_at: datetime | None = None

    @property
    def due(self) -> Money:
        """Return what should have been paid by now."""
        return Money(sum(one.minor for one in self.ages[1:]), self.ages[0].currency)

    @property
    def total(self) -> Money:
        """Return all of it."""
        return Money(sum(one.minor for one in self.ages), self.ages[0].currency)


def pay_early(account_id: UUID, currency: str, actor: str, at: datetime) -> Money:
    """Pay what a wallet owes as far as what is available goes, the oldest first, due or not; return how much."""
    return _paid(account_id, currency, EVER, actor, at)


def _paid(account_id: UUID, currency: str, until: datetime, actor: str, at: datetime) -> Money:
    values = {"account_id": account_id, "currency": currency, "until": until, "actor": actor, "at": at}
    return Money(int(db.session.execute(_PAY, values).scalar_one()), currency)


def collect_due(at: datetime, most: int = 20) -> int:
    """Pay what is due by now from up to `most` wallets that have something available; return how many paid."""
    return int(db.session.execute(_COLLECT, {"most": most, "actor": ACTOR, "at": at}).scalar_one())


def stop_overdue(since: datetime, at: datetime, most: int = 20) -> list[tuple[UUID, str]]:
    """Close up to `most` wallets to new holds of which something was due by `since`; return which, with the currency.

    Each owner is told by a notice, now and when all that is due is paid, by which the wallet buys again.
    """
    rows = db.session.execute(_STOP, {"since": since, "most": most, "at": at})
    return [(account_id, currency) for account_id, currency in rows]


def open_debts_of(account_id: UUID, currency: str, most: int = 100) -> Sequence[Debt]:
    """Return what a wallet has not paid yet, what is due first."""
    query = select(Debt).where(Debt.account_id == account_id, Debt.currency == currency, OPEN)
    return db.session.scalars(query.order_by(Debt.due_at, Debt.id).limit(most)).all()


def owing_of(account_ids: Iterable[UUID], currency: str, at: datetime) -> dict[UUID, Owing]:
    """Sum in one question what each of these wallets owes, by age; zeros for one that owes nothing."""
    left, late, first = Debt.amount_minor - Debt.paid_minor, at - Debt.due_at, AGES[0]
    bounds = ((None, AGES[0]), (AGES[0], AGES[1]), (AGES[1], AGES[2]), (AGES[2], None))
    sums = [
        func.coalesce(func.sum(left).filter(*([late > over] if over is not None else []),
                                            *([late <= up_to] if up_to is not None else [])), 0)
        for over, up_to in bounds
    ]  # fmt: skip
    wanted = list(account_ids)
    query = select(Debt.account_id, func.min(Debt.due_at).filter(late <= first), *sums)
    query = query.where(Debt.account_id.in_(wanted), Debt.currency == currency, OPEN).group_by(Debt.account_id)
    nothing = Money(0, currency)
    found = dict.fromkeys(wanted, Owing((nothing, nothing, nothing, nothing)))
    for owner, next_due_at, *minors in db.session.execute(query):
        a, b, c, d = (Money(int(minor), currency) for minor in minors)
        found[owner] = Owing((a, b, c, d), next_due_at)
    return found
