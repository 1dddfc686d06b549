"""The market counted day by day, from leads, their stored decisions and sales: pages read these days, never the leads.

A day is counted anew until its deliveries are over, and then for good; counted again it gives the same rows. Each day
is one transaction that first claims the day, so that two workers never count one together, and a crash loses nothing;
days on which nothing was are passed over together.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_unless_there

from core.db import db
from marketplace.catalog.regions import parents_of
from marketplace.leads.auction import OUTBID, SOLD
from marketplace.leads.models import Lead, Sale
from marketplace.leads.source_codes import public_codes
from marketplace.market.decided import Decided, Decisions, Offered, Tried
from marketplace.market.histograms import kept_form
from marketplace.market.rows import EVERYWHERE, MarketCount, MarketDay, OrderDay, SourceQuality

KEPT_DAYS = 31  # that are counted backwards when nothing is counted yet
AGAIN = timedelta(hours=1)  # how soon a day that is not over is counted again
OVER_AFTER = timedelta(hours=3)  # after its end a day's leads are delivered, refused or given up
FRESH = timedelta(days=1)  # a sale later than this after its lead came is no price of a fresh lead
CHUNK = 500
CAME_TO_NOTHING = ("refused", "failed")

_CLAIM = text("""
    INSERT INTO marketplace.market_counts AS c (day, counted_at) VALUES (:day, :at)
    ON CONFLICT (day) DO UPDATE SET counted_at = excluded.counted_at WHERE c.counted_at < excluded.counted_at
    RETURNING c.day
""")
_PASS_OVER = text("""
    INSERT INTO marketplace.market_counts (day, counted_at)
    SELECT day, :at
    FROM unnest(CAST(:days AS date[])) AS day,
         LATERAL (SELECT day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC') AS d (starts, ends)
    WHERE NOT EXISTS (SELECT FROM marketplace.leads WHERE received_at >= starts AND received_at < ends)
      AND NOT EXISTS (SELECT FROM marketplace.sales WHERE state = 'settled' AND ended_at >= starts AND ended_at < ends)
    ORDER BY day DESC
    ON CONFLICT DO NOTHING
    RETURNING day
""")


class Sold(NamedTuple):
    """What is read of a sale."""

    id: UUID
    order_id: UUID
    buyer_id: UUID
    price_minor: int
    sold_at: datetime


@dataclass(slots=True)
class Tally:
    """What is counted of one vertical in one region on one day."""

    offered: int = 0
    sold: int = 0
    sales: int = 0
    value_minor: int = 0
    buyers: set[UUID] = field(default_factory=set)
    own_buyers: set[UUID] = field(default_factory=set)
    last: tuple[datetime, UUID, int] | None = None
    alone: Counter[int] = field(default_factory=Counter)
    shared: Counter[int] = field(default_factory=Counter)
    cycle: Counter[int] = field(default_factory=Counter)


@dataclass(slots=True)
class OrderTally:
    """What is counted of one order on one day."""

    outcomes: Counter[str] = field(default_factory=Counter)
    prices: Counter[int] = field(default_factory=Counter)
    winners: set[UUID] = field(default_factory=set)


def count_next_day(at: datetime) -> int:
    """Count one of the days that are due, the latest first, in the session's transaction; return how many were.

    First come, all at once, the days that were never counted and on which nothing was.
    """
    known = dict(db.session.execute(select(MarketCount.day, MarketCount.counted_at)).all())
    days = [at.astimezone(UTC).date() - timedelta(days=back) for back in range(KEPT_DAYS)]
    new = [day for day in days if day not in known]
    if new and (passed := db.session.scalars(_PASS_OVER, {"days": new, "at": at}).all()):
        return len(passed)
    for day in days:
        if is_due(day, known.get(day), at) and db.session.scalar(_CLAIM, {"day": day, "at": at}) is not None:
            _store(day, *_counted(day))
            return 1
    return 0


def is_due(day: date, counted_at: datetime | None, at: datetime) -> bool:
    """Tell whether a day has to be counted: never yet, an hour ago while it may change, or for the last time."""
    over = bounds_of(day)[1] + OVER_AFTER
    if counted_at is None:
        return True
    return counted_at < over and (at >= over or at - counted_at >= AGAIN)


def bounds_of(day: date) -> tuple[datetime, datetime]:
    """Return when a UTC day begins, and when the next one does."""
    start = datetime.combine(day, time(), UTC)
    return start, start + timedelta(days=1)


def offered_query() -> Any:
    """Ask for what is read of leads that were offered and are no test; whoever asks says which."""
    said = Lead.details
    query = select(
        Lead.id, Lead.publisher_id, Lead.vertical_id, Lead.region, Lead.contact_class, Lead.temperature,
        Lead.source_name, Lead.received_at, said["min_price"], said["exclusive_only"].as_boolean(),
        said["most_buyers"].as_integer(), Lead.decision,
    )  # fmt: skip
    return query.where(Lead.test.is_(False), Lead.status.in_(("sold", "unsold")))


Places = dict[tuple[int, str], Tally]


def _counted(day: date) -> tuple[Places, dict[UUID, OrderTally], set[tuple[UUID, str]]]:
    start, end = bounds_of(day)
    places: Places = {}
    orders: dict[UUID, OrderTally] = {}
    sources: set[tuple[UUID, str]] = set()
    decisions = Decisions()
    query = offered_query().where(Lead.received_at >= start, Lead.received_at < end)
    for rows in db.session.execute(query.execution_options(yield_per=CHUNK)).partitions():
        leads = [Offered(*row) for row in rows]
        sold = sales_of(leads)
        for lead, decided in zip(leads, decisions.read(leads), strict=True):
            _count_orders(orders, decided, sold.get(lead.id, ()))
            if not decided.is_private:
                _count_lead(places, lead, decided, sold.get(lead.id, ()))
            if lead.id in sold:
                sources.add((lead.publisher_id, lead.source_name))
    for vertical_id, region, days in _settled(start, end):
        for place in (*parents_of(region), EVERYWHERE):
            places.setdefault((vertical_id, place), Tally()).cycle[days] += 1
    return places, orders, sources


def sales_of(leads: Sequence[Offered]) -> dict[UUID, list[Sold]]:
    """Return the fresh sales of these leads that came to something."""
    received = {lead.id: lead.received_at for lead in leads}
    query = select(Sale.id, Sale.order_id, Sale.buyer_id, Sale.price_minor, Sale.sold_at, Sale.lead_id)
    query = query.where(Sale.lead_id.in_(received), Sale.state.not_in(CAME_TO_NOTHING))
    found: dict[UUID, list[Sold]] = {}
    for *said, lead_id in db.session.execute(query.order_by(Sale.sold_at, Sale.id)):
        sale = Sold(*cast("tuple[Any, Any, Any, Any, Any]", tuple(said)))
        if sale.sold_at < received[lead_id] + FRESH:
            found.setdefault(lead_id, []).append(sale)
    return found


def _count_lead(places: Places, lead: Offered, decided: Decided, sales: Sequence[Sold]) -> None:
    alone, shared = decided.would_win(1), decided.would_win(decided.rules.most_buyers)
    for region in (*parents_of(lead.region), EVERYWHERE):
        tally = places.setdefault((lead.vertical_id, region), Tally())
        tally.offered += 1
        tally.sold += bool(sales)
        tally.sales += len(sales)
        tally.value_minor += sum(sale.price_minor for sale in sales)
        tally.buyers.update(sale.buyer_id for sale in sales)
        tally.own_buyers.update(sale.buyer_id for sale in sales if region == lead.region)
        latest = [(sale.sold_at, sale.id, sale.price_minor) for sale in sales]
        tally.last = max([*latest, *([tally.last] if tally.last else [])], default=None)
        tally.alone.update([alone] if alone is not None else [])
        tally.shared.update([shared] if shared is not None else [])


def _count_orders(orders: dict[UUID, OrderTally], decided: Decided, sales: Sequence[Sold]) -> None:
    winners = {one.buyer_id for one in decided.tried if one.outcome == SOLD}
    for one in decided.tried:
        tally = orders.setdefault(one.order_id, OrderTally())
        code = loss_of(one, winners, {sale.order_id for sale in sales})
        tally.outcomes[code] += 1
        if code == "price" and (price := decided.would_win(one.terms.max_share, one.order_id)) is not None:
            tally.prices[price] += 1
            tally.winners |= winners


def loss_of(one: Tried, winners: set[UUID], buying: set[UUID]) -> str:
    """Name in one word what became of an order that was tried, as its buyer counts it; `buying` came to something."""
    if one.order_id in buying:
        return "won"
    if one.outcome == SOLD:
        return "undelivered"
    if one.outcome == OUTBID:
        return "own_order" if one.buyer_id in winners else "price"
    if one.outcome == "capped":
        return "pace" if one.said.startswith("pace") else "cap"
    return {"share_full": "seats", "no_funds": "funds", "buyer_capped": "cap"}.get(one.outcome, one.outcome)


def _settled(start: datetime, end: datetime) -> Iterator[tuple[int, str, int]]:
    """Yield the vertical, the region and the whole days since the lead came of each sale settled in this time."""
    whole = func.floor(func.extract("epoch", Sale.ended_at - Lead.received_at) / 86400)
    query = select(Lead.vertical_id, Lead.region, func.greatest(whole, 0))
    query = query.join(Sale, Sale.lead_id == Lead.id).where(
        Sale.state == "settled", Sale.ended_at >= start, Sale.ended_at < end
    )
    for vertical_id, region, days in db.session.execute(query.execution_options(yield_per=CHUNK)):
        yield vertical_id, region, int(days)


def _store(day: date, places: Places, orders: dict[UUID, OrderTally], sources: set[tuple[UUID, str]]) -> None:
    db.session.execute(delete(MarketDay).where(MarketDay.day == day))
    db.session.execute(delete(OrderDay).where(OrderDay.day == day))
    rows = [_row(day, *key, tally) for key, tally in places.items()]
    own = [
        {"order_id": order_id, "day": day, "outcomes": dict(sorted(one.outcomes.items())),
         "prices": kept_form(one.prices), "winners": sorted(one.winners)}
        for order_id, one in orders.items()
    ]  # fmt: skip
    found = [
        dict(zip(("publisher_code", "source_code"), public_codes(*source), strict=True))
        | {"publisher_id": source[0], "source_name": source[1]}
        for source in sources
    ]
    if rows:
        db.session.execute(insert(MarketDay), rows)
    if own:
        db.session.execute(insert(OrderDay), own)
    if found:
        db.session.execute(insert_unless_there(SourceQuality).on_conflict_do_nothing(), found)


def _row(day: date, vertical_id: int, region: str, tally: Tally) -> dict[str, Any]:
    sold_at, _, price = tally.last or (None, None, None)
    return {
        "vertical_id": vertical_id, "region": region, "day": day, "offered": tally.offered, "sold": tally.sold,
        "sales": tally.sales, "value_minor": tally.value_minor, "buyers": sorted(tally.buyers),
        "own_buyers": sorted(tally.own_buyers), "last_price_minor": price, "last_sold_at": sold_at,
        "alone": kept_form(tally.alone), "shared": kept_form(tally.shared), "cycle": kept_form(tally.cycle),
    }  # fmt: skip
