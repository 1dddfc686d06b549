"""Reconciliation: what nobody can explain of the money at the card processor, in cents and by age."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Select, Text, cast, column, func, select, table, union_all
from sqlalchemy.sql import literal

from billing.funding.models import BalanceTransaction, CardBalance, CardCall, CardNews, GiveBackPart, TopUp
from billing.models import Transaction
from core.db import db
from core.money import Money

# What an operator has left of an amount in suspense; there is no row until somebody moves a part of it.
_ITEMS = table("suspense_items", column("transaction_id"), column("left_minor", BigInteger), schema="billing")
AGES = ((timedelta(days=1), "a day"), (timedelta(days=7), "a week"), (timedelta(days=3650), "longer"))


@dataclass(frozen=True, slots=True)
class Unexplained:
    """One amount that stands in suspense: what it is, since when, and what is known of it."""

    id: str
    kind: str
    money: Money
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the processor said last, by currency: its balance, and how that differed from the movements we knew."""

    told: Money
    difference: Money
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Where the books and the processor stand: balances, what is unexplained, and what waits."""

    standings: tuple[Standing, ...]
    unexplained: tuple[Unexplained, ...]
    open_calls: int
    unhandled_news: int

    def by_age(self, now: datetime) -> dict[str, dict[str, int]]:
        """Sum what is unexplained in minor units, by currency and by how old it is at most."""
        sums: dict[str, dict[str, int]] = {}
        for one in self.unexplained:
            age = next(word for most, word in AGES if now - one.since <= most)
            ages = sums.setdefault(one.money.currency, {word: 0 for _, word in AGES})
            ages[age] += one.money.minor
        return sums


def reconcile(most: int = 500) -> Reconciliation:
    """Tell where the books and the processor stand, as of the last reading of its balance."""
    rows = db.session.scalars(select(CardBalance).order_by(CardBalance.currency))
    standings = tuple(
        Standing(Money(row.told_minor, row.currency), Money(row.difference_minor, row.currency), row.seen_at)
        for row in rows
    )
    unhandled = select(func.count()).select_from(CardNews).where(CardNews.handled_at.is_(None))
    calls = select(func.count()).select_from(CardCall).where(CardCall.state.in_(("due", "sent")))
    return Reconciliation(
        standings, tuple(_unexplained(most)), db.session.scalar(calls) or 0, db.session.scalar(unhandled) or 0
    )


def _unexplained(most: int) -> list[Unexplained]:
    """Return what nobody can explain, the oldest first: movements that belong to nothing, payments not asked for, and
    refunds of which the wallet has the money again though it has left.
    """
    moved_left = func.coalesce(_ITEMS.c.left_minor, BalanceTransaction.amount_minor)
    moved = select(
        BalanceTransaction.id, BalanceTransaction.kind, BalanceTransaction.currency,
        moved_left.label("minor"), BalanceTransaction.seen_at.label("since"),
    ).outerjoin(_ITEMS, _ITEMS.c.transaction_id == BalanceTransaction.transaction_id).where(
        BalanceTransaction.booked_as == "suspense", moved_left != 0)  # fmt: skip
    aside_left = func.coalesce(_ITEMS.c.left_minor, TopUp.amount_minor)
    posted = Transaction.key == literal("pi:") + cast(TopUp.payment_id, Text)
    aside = select(
        TopUp.payment_id.label("id"), literal("payment set aside").label("kind"), TopUp.currency,
        aside_left.label("minor"), TopUp.ended_at.label("since"),
    ).join(Transaction, posted).outerjoin(_ITEMS, _ITEMS.c.transaction_id == Transaction.id).where(
        TopUp.state == "set_aside", aside_left != 0)  # fmt: skip
    both = union_all(moved, aside, _left_all_the_same()).subquery()
    found = db.session.execute(select(both).order_by(both.c.since, both.c.id).limit(most))
    return [Unexplained(row.id, row.kind, Money(row.minor, row.currency), row.since.astimezone(UTC)) for row in found]


def _left_all_the_same() -> Select[tuple[str, str, str, int, datetime]]:
    """Return the parts that are said to have failed, while their movements do not come to nothing."""
    one = BalanceTransaction
    went = select(
        one.about_id, one.currency, func.sum(one.amount_minor).label("minor"), func.min(one.seen_at).label("since")
    )
    sums = went.where(one.booked_as == "card_refund").group_by(one.about_id, one.currency).subquery()
    parts = select(
        sums.c.about_id.label("id"), literal("refund that failed and left").label("kind"), sums.c.currency,
        cast(sums.c.minor, BigInteger).label("minor"), sums.c.since,
    )  # fmt: skip
    joined = parts.join(GiveBackPart, cast(GiveBackPart.id, Text) == sums.c.about_id)
    return joined.where(GiveBackPart.state == "failed", sums.c.minor != 0)
