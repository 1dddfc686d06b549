"""Earners: what is owed to an account for its share, what is kept back for a while, and what is on its way."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ScalarSelect, and_, bindparam, cast, func, or_, select, text, tuple_

from billing.ledger import IN_FLIGHT, PAYABLE
from billing.models import RARE_KIND, Earner, Entry, ReserveLot, Transaction
from billing.wallets import POSTINGS, Posting
from core.db import db
from core.errors import Conflict, Invalid
from core.money import Money


@dataclass(frozen=True, slots=True)
class EarnerBalance:
    """What one earner has: `paid` is what transfers delivered so far, `owed` what the earner owes the platform."""

    payable: Money
    reserve: Money
    in_flight: Money
    paid: Money
    owed: Money


def open_earner(account_id: UUID, currency: str) -> None:
    """Open an empty earner's account, once; resolving a hold with a share opens it too."""
    db.session.execute(select(func.billing.open_earner(account_id, currency)))


def _paid_to(account_id: Any, currency: Any) -> ScalarSelect[Any]:
    """Ask for the sum of what left for an earner, less what came back of it."""
    left = and_(Transaction.kind == "transfer", Entry.account == IN_FLIGHT)
    came_back = and_(Transaction.kind == "transfer_back", Entry.account == PAYABLE)
    query = select(func.coalesce(func.sum(Entry.amount_minor), 0)).where(
        Entry.owner_id == account_id, Entry.currency == currency, RARE_KIND, or_(left, came_back)
    )
    return query.join(Transaction, Transaction.id == Entry.transaction_id).scalar_subquery()


# Built once: to put it together anew takes as long as to run it.
_EARNER: tuple[Any, Any] = bindparam("account_id"), bindparam("currency")
_EARNINGS = select(Earner.payable, Earner.reserve, Earner.in_flight, _paid_to(*_EARNER), Earner.owed).where(
    Earner.account_id == _EARNER[0], Earner.currency == _EARNER[1]
)


def earnings_of(account_id: UUID, currency: str) -> EarnerBalance:
    """Read an earner's balances; zeros when nothing was ever earned."""
    row = db.session.execute(_EARNINGS, {"account_id": account_id, "currency": currency}).one_or_none()
    return EarnerBalance(*(Money(int(part), currency) for part in row or (0, 0, 0, 0, 0)))


@dataclass(frozen=True, slots=True)
class ReserveDay:
    """What is kept back of an earner's shares until one UTC day, in how many lots."""

    on: date
    lots: int
    amount: Money


def reserves_of(account_id: UUID, currency: str) -> list[ReserveDay]:
    """Return an earner's open reserve by the UTC day on which it becomes payable, the next one first."""
    day = cast(func.timezone("UTC", ReserveLot.matures_at), Date)
    query = select(day, func.count(), func.sum(ReserveLot.amount_minor)).where(
        ReserveLot.account_id == account_id, ReserveLot.currency == currency, ReserveLot.closed_at.is_(None)
    )
    rows = db.session.execute(query.group_by(day).order_by(day))
    return [ReserveDay(on, lots, Money(int(total), currency)) for on, lots, total in rows]


@dataclass(frozen=True, slots=True)
class OpenLot:
    """What is kept back of the share of one captured hold, and until when."""

    hold_id: UUID
    amount: Money
    matures_at: datetime


def open_lots_of(account_id: UUID, currency: str, after: tuple[datetime, UUID] | None, most: int) -> list[OpenLot]:
    """Return an earner's open lots by the instant at which they become payable, those after an instant and a hold."""
    query = select(ReserveLot).where(
        ReserveLot.account_id == account_id, ReserveLot.currency == currency, ReserveLot.closed_at.is_(None)
    )
    if after is not None:
        query = query.where(tuple_(ReserveLot.matures_at, ReserveLot.id) > after)
    rows = db.session.scalars(query.order_by(ReserveLot.matures_at, ReserveLot.id).limit(most))
    return [OpenLot(row.id, Money(row.amount_minor, currency), row.matures_at) for row in rows]


def reserve_weeks(currency: str, account_id: UUID | None = None) -> dict[date, int]:
    """Sum open lots by the week (its Monday, UTC) in which they become payable, an earner's or everybody's."""
    week = cast(func.date_trunc("week", func.timezone("UTC", ReserveLot.matures_at)), Date)
    query = select(week, func.sum(ReserveLot.amount_minor)).where(
        ReserveLot.currency == currency, ReserveLot.closed_at.is_(None)
    )
    query = query.where(ReserveLot.account_id == account_id) if account_id else query
    return {begins: int(minor) for begins, minor in db.session.execute(query.group_by(week))}


def earnings_together(currency: str) -> EarnerBalance:
    """Return what all earners have in one currency; what was paid is left out."""
    sums = [
        func.coalesce(func.sum(part), 0) for part in (Earner.payable, Earner.reserve, Earner.in_flight, Earner.owed)
    ]
    row = db.session.execute(select(*sums).where(Earner.currency == currency)).one()
    payable, reserve, in_flight, owed = (Money(int(part), currency) for part in row)
    return EarnerBalance(payable, reserve, in_flight, Money(0, currency), owed)


def mature_reserves(as_of: datetime, limit: int, actor: str) -> int:
    """Make at most `limit` due reserves payable, the oldest first, and return how many; zero when none is due."""
    matured: int = db.session.execute(select(func.billing.mature_reserves(as_of, limit, actor))).scalar_one()
    return matured


_COMPENSATE = text("SELECT billing.compensate(:account_id, :currency, :amount, :key, :reason, :actor, :at)")


def compensate(account_id: UUID, money: Money, key: str, reason: str, actor: str, at: datetime) -> Posting:
    """Pay an earner out of the platform's own pocket (D earner_share / C payable) under `compensation:{key}`, once.

    A Conflict when the key stands for another compensation, Invalid for an amount that is not above zero.
    """
    if money.minor <= 0:
        raise Invalid("invalid_amount", "A compensation is an amount above zero.")
    values = {"account_id": account_id, "currency": money.currency, "amount": money.minor}
    values |= {"key": f"compensation:{key}", "reason": reason, "actor": actor, "at": at}
    answer: str = db.session.execute(_COMPENSATE, values).scalar_one()
    if answer == "conflict":
        raise Conflict("key_reused", f"The key {key} stands for another compensation.")
    return POSTINGS[answer]
