"""A publisher's today: what was posted, sold and refused, what it pays, and why the rest did not sell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select, text

from affiliates import Earnings
from core.db import db
from core.keyset import Asked, Columns, Part, part_of
from core.money import Money
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import OPEN_STATES, Pending
from marketplace.leads.reasons import REASONS
from marketplace.reports.days import SHOWN, Figure, by_day, cuts_since, day_of, days_until, filled, start_of_day
from marketplace.reports.kept import find_kept, keep

ByDay = dict[str, dict[date | None, int]]
SORTS: Columns = {"received": Lead.received_at, "score": Lead.score, "status": Lead.status}


@dataclass(frozen=True, slots=True)
class Balance:
    """What a publisher can be paid now, what is still open, and what is kept back."""

    payable: Money
    reserve: Money
    pending: Money
    open_sales: int
    next_release_at: datetime | None
    counted_at: datetime | None = None  # when what is pending was counted, if not just now


@dataclass(frozen=True, slots=True)
class Refused:
    """How many leads were refused today for one reason, and what to do about it."""

    code: str
    says: str
    leads: int


@dataclass(frozen=True, slots=True)
class Today:
    """The figures of a publisher's day; the days before yesterday as they were counted a while ago."""

    days: Sequence[date]
    posted: Figure
    sold: Figure
    refused: Figure
    paid: Figure
    reasons: Sequence[Refused]
    counted_at: datetime


def today_of(publisher_id: UUID, currency: str, at: datetime) -> Today:
    """Count the day so far, the thirteen before it, and yesterday up to the same time.

    Today and yesterday are exact; the days before them are counted every few minutes.
    """
    days, first = days_until(at), start_of_day(at) - timedelta(days=SHOWN - 1)
    yesterday, key = start_of_day(at) - timedelta(days=1), ("today", publisher_id, currency, first)
    over = find_kept(key, at)
    found = _by_day(publisher_id, currency, at, yesterday if over else first)
    over = over or keep(key, {name: _before(each, yesterday.date()) for name, each in found.items()}, at)
    figures = {name: _figure(over.value[name] | each, days) for name, each in found.items()}
    return Today(days, figures["posted"], figures["sold"], figures["refused"], figures["paid"],
                 _reasons(publisher_id, at), over.counted_at)  # fmt: skip


# Built once: to put them together anew takes as long as to run them.
_POSTED = (
    select(
        day_of(Lead.received_at), func.count(), func.count().filter(Lead.status == "sold"),
        func.count().filter(Lead.status == "rejected"),
    )
    .where(
        Lead.publisher_id == bindparam("publisher"), Lead.received_at >= bindparam("since"), Lead.test.is_(False),
    )
    .group_by(text("1"))
)  # fmt: skip
_PAID = (
    select(day_of(Sale.sold_at), func.coalesce(func.sum(Sale.payout_minor), 0))
    .where(
        Sale.publisher_id == bindparam("publisher"), Sale.sold_at >= bindparam("since"),
        Sale.currency == bindparam("currency"),
    )
    .group_by(text("1"))
)  # fmt: skip


def _by_day(publisher_id: UUID, currency: str, at: datetime, since: datetime) -> ByDay:
    cuts = cuts_since(since, at)
    told = {"publisher": publisher_id, "since": since, "cuts": cuts}
    posted = db.session.execute(_POSTED, told).all()
    found = {
        name: by_day(((row[0], row[column]) for row in posted), cuts, at)
        for column, name in enumerate(("posted", "sold", "refused"), 1)
    }
    paid = db.session.execute(_PAID, told | {"currency": currency})
    return found | {"paid": by_day(((row[0], row[1]) for row in paid), cuts, at)}


def _before(found: Mapping[date | None, int], day: date) -> dict[date | None, int]:
    return {each: value for each, value in found.items() if each is not None and each < day}


def _figure(found: Mapping[date | None, int], days: Sequence[date]) -> Figure:
    shown = filled(found, days)
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


def balance_of(earned: Earnings, pending: Pending, counted_at: datetime | None = None) -> Balance:
    """Put together what a publisher has: payable, in reserve, and what open sales will pay if nothing is returned."""
    waiting = Money(pending.amount_minor, earned.payable.currency)
    return Balance(earned.payable, earned.reserve, waiting, pending.sales, pending.next_release_at, counted_at)


_NEXT_RELEASE = (
    select(Sale.release_at)
    .where(
        Sale.publisher_id == bindparam("publisher"), Sale.state.in_(OPEN_STATES),
        Sale.currency == bindparam("currency"),
    )
    .order_by(Sale.release_at)
    .limit(1)
)  # fmt: skip


def next_release_of(publisher_id: UUID, currency: str) -> datetime | None:
    """Find when the next of the publisher's open sales is released."""
    return db.session.scalar(_NEXT_RELEASE, {"publisher": publisher_id, "currency": currency})
