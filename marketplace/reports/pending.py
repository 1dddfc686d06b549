"""What is held for a publisher: each open sale and each reserve, why, and the day it is released; summed by week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Date, cast, func, select, tuple_

from billing import open_lots_of, reserve_weeks
from core.clock import as_rfc3339, from_rfc3339
from core.db import db
from core.errors import Fault, Malformed, NotFound
from core.ids import parse_id, show_id
from core.money import Money
from core.sentences import sentences
from marketplace.catalog.shelf import verticals_by_id
from marketplace.leads.models import Lead, Sale
from marketplace.leads.queries import OPEN_STATES

PART = 100
NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # sorts what has no day behind all that has one
WHY = sentences(
    {
        "not_delivered": "The buyer has not taken it yet; its day is known once he has.",
        "dispute_window": "The buyer may still claim that it was no lead.",
        "hold": "The time to claim is over; your tier waits some days more.",
        "disputed": "A claim is not decided, or may be appealed.",
        "reserve": "Kept back of a settled sale for what shows late.",
    }
)
CYCLE_DAYS, CYCLE_SALES = 45, 1000


@dataclass(frozen=True, slots=True)
class Held:
    """One amount that is held: of which sale, why, and until when; None while nobody can know."""

    kind: str
    sale_id: UUID
    amount: Money
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class PendingWeek:
    """What becomes payable in one week, Monday to Sunday in UTC, if nothing is returned; None while nobody can know."""

    begins: date | None
    sales: int
    disputed: int
    from_sales: Money
    from_reserve: Money

    @property
    def ends(self) -> date | None:
        """Return the Sunday of the week."""
        return self.begins and self.begins + timedelta(days=6)

    @property
    def together(self) -> Money:
        """Return all that becomes payable in the week."""
        return Money(self.from_sales.minor + self.from_reserve.minor, self.from_sales.currency)


@dataclass(frozen=True, slots=True)
class Cycle:
    """How many days went by from sale to money, of the sales of a vertical that were settled lately."""

    vertical: str
    sales: int
    median_days: float
    slow_days: float


@dataclass(frozen=True, slots=True)
class HeldPart:
    """One part of what is held, the next to be released first, and where the next part begins."""

    rows: Sequence[Held]
    next_cursor: str | None


def pending_weeks(currency: str, publisher_id: UUID | None = None) -> list[PendingWeek]:
    """Sum what is held for a publisher, or for all, by the week of its release, the next one first."""
    return weeks_with_reserve(sale_weeks(currency, publisher_id), reserve_weeks(currency, publisher_id), currency)


def sale_weeks(currency: str, publisher_id: UUID | None = None) -> list[PendingWeek]:
    """Sum the open sales of a publisher, or of all, by the week of their release, without any reserve."""
    week = cast(func.date_trunc("week", func.timezone("UTC", Sale.release_at)), Date)
    query = select(
        week, func.count(), func.count().filter(Sale.state == "disputed"), func.sum(Sale.payout_minor)
    ).where(Sale.state.in_(OPEN_STATES), Sale.currency == currency)
    query = query.where(Sale.publisher_id == publisher_id) if publisher_id else query
    nothing = Money(0, currency)
    return [
        PendingWeek(begins, count, disputed, Money(int(minor), currency), nothing)
        for begins, count, disputed, minor in db.session.execute(query.group_by(week))
    ]


def weeks_with_reserve(
    sales: Sequence[PendingWeek], reserve: Mapping[date, int], currency: str
) -> list[PendingWeek]:  # fmt: skip
    """Put the reserve that becomes payable in each week (by its Monday, in minor units) beside that week's sales."""
    nothing = Money(0, currency)
    found: dict[date | None, PendingWeek] = {begins: PendingWeek(begins, 0, 0, nothing, nothing) for begins in reserve}
    found |= {week.begins: week for week in sales}
    for begins, minor in reserve.items():
        found[begins] = replace(found[begins], from_reserve=Money(minor, currency))
    return [found[begins] for begins in sorted(found, key=lambda begins: begins or date.max)]


def weeks_from(weeks: Sequence[PendingWeek], at: datetime, count: int = 13) -> list[tuple[date, int]]:
    """Return what becomes payable in each of the next weeks, none left out; what is overdue counts in the first."""
    first = at.date() - timedelta(days=at.weekday())
    shown = {first + timedelta(weeks=number): 0 for number in range(count)}
    for week in weeks:
        begins = max(week.begins, first) if week.begins else None
        if begins in shown:
            shown[begins] += week.together.minor
    return list(shown.items())


def held_part(publisher_id: UUID, currency: str, at: datetime, cursor: str | None, most: int = PART) -> HeldPart:
    """Return one part of what is held for a publisher, sales and reserves together, the next to be released first."""
    after = _read_cursor(cursor)
    rows = [*_sales(publisher_id, currency, at, after, most + 1), *_lots(publisher_id, currency, after, most + 1)]
    rows.sort(key=_place)
    more = _cursor_of(rows[most - 1]) if len(rows) > most else None
    return HeldPart(rows[:most], more)


def _sales(
    publisher_id: UUID, currency: str, at: datetime, after: tuple[datetime, UUID] | None, most: int
) -> list[Held]:  # fmt: skip
    """Read the dated ones in the order of an index, and behind them those without a day."""
    mine = Sale.publisher_id == publisher_id, Sale.state.in_(OPEN_STATES), Sale.currency == currency
    dated = select(Sale).where(*mine, Sale.release_at.is_not(None)).order_by(Sale.release_at, Sale.id)
    undated = select(Sale).where(*mine, Sale.release_at.is_(None)).order_by(Sale.id)
    if after is not None:
        until, last = after
        dated = dated.where(Sale.release_at >= until, tuple_(Sale.release_at, Sale.id) > after)
        undated = undated.where(Sale.id > last) if until == NEVER else undated
    sales = list(db.session.scalars(dated.limit(most)))
    if len(sales) < most:
        sales += db.session.scalars(undated.limit(most - len(sales)))
    return [
        Held("sale", sale.id, Money(sale.payout_minor, currency), why_held(sale, at), sale.release_at) for sale in sales
    ]


def why_held(sale: Sale, at: datetime) -> str:
    """Return the code of why an open sale's money is held."""
    if sale.state == "disputed":
        return "disputed"
    if sale.release_at is None or sale.window_ends_at is None:
        return "not_delivered"
    return "dispute_window" if sale.window_ends_at > at else "hold"


def _lots(publisher_id: UUID, currency: str, after: tuple[datetime, UUID] | None, most: int) -> list[Held]:
    lots = open_lots_of(publisher_id, currency, after, most)
    return [Held("reserve", lot.hold_id, lot.amount, "reserve", lot.matures_at) for lot in lots]


def _place(held: Held) -> tuple[datetime, int]:
    return held.until or NEVER, held.sale_id.int


def _cursor_of(held: Held) -> str:
    return f"{as_rfc3339(held.until or NEVER)}~{show_id('sale', held.sale_id)}"


def _read_cursor(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    until, _, sale = cursor.partition("~")
    try:
        return from_rfc3339(until), parse_id("sale", sale)
    except (ValueError, NotFound):
        fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
        raise Malformed("bad_page", "This page cannot be shown.", [fault]) from None


def cycles_of(publisher_id: UUID, at: datetime) -> list[Cycle]:
    """Tell how long sales took to become money, by vertical: the median, and nine out of ten.

    Of the last thousand that are old enough to be settled, however long they were held: of younger ones the quick alone
    would be counted.
    """
    # One look a lead: as a join, the whole of them is read in their order.
    vertical = select(Lead.vertical_id).where(Lead.id == Sale.lead_id).scalar_subquery().label("vertical_id")
    old = Sale.sold_at <= at - timedelta(days=CYCLE_DAYS)
    latest = select(vertical, Sale.sold_at, Sale.ended_at).where(
        Sale.publisher_id == publisher_id, old, Sale.state == "settled"
    )
    each = latest.order_by(Sale.sold_at.desc()).limit(CYCLE_SALES).subquery()
    days = func.extract("epoch", each.c.ended_at - each.c.sold_at) / 86400
    parts = [func.percentile_cont(part).within_group(days) for part in (0.5, 0.9)]
    query = select(each.c.vertical_id, func.count(), *parts).group_by(each.c.vertical_id)
    slugs = {key: one.slug for key, one in verticals_by_id().items()}
    rows = db.session.execute(query.order_by(each.c.vertical_id))
    return [Cycle(slugs[key], count, float(middle), float(slow)) for key, count, middle, slow in rows]
