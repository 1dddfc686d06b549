"""A publisher's today: what was posted, sold and refused, what it pays, and why the rest did not sell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, cast, func, select, text

from affiliates import earnings_in
from core.db import db
from core.keyset import Asked, Columns, Part, part_of
from core.money import Money
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import Pending, pending_of
from marketplace.leads.reasons import REASONS
from marketplace.reports.days import Figure, days_until, filled, start_of_day

SORTS: Columns = {"received": Lead.received_at, "score": Lead.score, "status": Lead.status}


@dataclass(frozen=True, slots=True)
class Balance:
    """What a publisher can be paid now, what is still open, and what is kept back."""

    payable: Money
    reserve: Money
    pending: Money
    open_sales: int
    next_release_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refused:
    """How many leads were refused today for one reason, and what to do about it."""

    code: str
    says: str
    leads: int


@dataclass(frozen=True, slots=True)
class Today:
    """The figures of a publisher's day."""

    days: Sequence[date]
    posted: Figure
    sold: Figure
    refused: Figure
    paid: Figure
    reasons: Sequence[Refused]


def today_of(publisher_id: UUID, currency: str, at: datetime) -> Today:
    """Count the day so far, the thirteen before it, and yesterday up to the same time."""
    days = days_until(at)
    counts = {
        "posted": func.count(),
        "sold": func.count().filter(Lead.status == "sold"),
        "refused": func.count().filter(Lead.status == "rejected"),
    }
    leads = _by_day(publisher_id, at, counts, Lead.received_at)
    sums = {"paid": func.coalesce(func.sum(Sale.payout_minor), 0)}
    paid = _by_day(publisher_id, at, sums, Sale.sold_at, Sale.currency == currency)
    figures = {name: _figure(found, days) for name, found in (leads | paid).items()}
    return Today(days, figures["posted"], figures["sold"], figures["refused"], figures["paid"],
                 _reasons(publisher_id, at))  # fmt: skip


def _by_day(
    publisher_id: UUID, at: datetime, sums: Mapping[str, ColumnElement[int]], when: Any, *where: ColumnElement[bool]
) -> dict[str, dict[date | None, int]]:
    """Sum by UTC day since the first day shown; under None what yesterday had come to at this time."""
    start, yesterday = start_of_day(at) - timedelta(days=13), at - timedelta(days=1)
    day, early = cast(func.timezone("UTC", when), Date), when <= yesterday
    row = when.class_
    query = select(day, (day == yesterday.date()) & early, *sums.values()).where(
        row.publisher_id == publisher_id, when >= start, *where
    )
    query = query.where(Lead.test.is_(False)) if row is Lead else query
    found: dict[str, dict[date | None, int]] = {name: {None: 0} for name in sums}
    for counted, is_early, *values in db.session.execute(query.group_by(text("1, 2"))):
        for name, value in zip(sums, values, strict=True):
            of_day = found[name]
            of_day[counted] = of_day.get(counted, 0) + int(value)
            if is_early:
                of_day[None] = of_day.get(None, 0) + int(value)
    return found


def _figure(found: Mapping[date | None, int], days: Sequence[date]) -> Figure:
    counted = {day: value for day, value in found.items() if day is not None}
    shown = filled(counted, days)
    return Figure(shown[-1], shown[-1] - found.get(None, 0), shown)


def _reasons(publisher_id: UUID, at: datetime) -> list[Refused]:
    code = func.unnest(Lead.reasons).label("code")
    query = select(code, func.count().label("leads")).where(
        Lead.publisher_id == publisher_id, Lead.received_at >= start_of_day(at), Lead.status == "rejected",
        Lead.test.is_(False),
    )  # fmt: skip
    rows = db.session.execute(query.group_by(code).order_by(func.count().desc(), code))
    return [Refused(code, REASONS.get(code, code), count) for code, count in rows]


def latest_leads(publisher_id: UUID, asked: Asked, status: str | None) -> Part:
    """Return one part of the publisher's leads, optionally of one status, test leads left out."""
    query = select(Lead).where(Lead.publisher_id == publisher_id, Lead.test.is_(False))
    return part_of(query.where(Lead.status == status) if status else query, asked, SORTS, Lead.id)


def balance_of(publisher_id: UUID, currency: str) -> Balance:
    """Return what the publisher has: payable, in reserve, and what open sales will pay if nothing is returned."""
    earned, pending = earnings_in(publisher_id, currency), pending_of(publisher_id, currency)
    return _balance(earned.payable, earned.reserve, pending)


def _balance(payable: Money, reserve: Money, pending: Pending) -> Balance:
    waiting = Money(pending.amount_minor, payable.currency)
    return Balance(payable, reserve, waiting, pending.sales, pending.next_release_at)
