"""The market as pages and programs read it: counted days of one vertical in one region, now or after the delay."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select, text

from core.db import db
from core.errors import Fault, Malformed
from core.overrides import overrides
from marketplace.catalog.regions import is_region, parents_of
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.auction import BEST_PRICE
from marketplace.market.figures import Beside, Figures, Least, figures_of
from marketplace.market.rows import EVERYWHERE, MarketCount, MarketDay, MarketDepth
from marketplace.market.withholding import Cell, Told, told_in

_CELLS = text("""
    WITH days AS MATERIALIZED (
        SELECT region, offered, sales, own_buyers FROM marketplace.market_days
        WHERE vertical_id = :vertical AND day BETWEEN :since AND :until
    ), own AS (
        SELECT region, array_agg(DISTINCT buyer) AS buyers FROM days, unnest(own_buyers) AS buyer GROUP BY region
    )
    SELECT region, sum(offered)::bigint AS offered, sum(sales)::bigint AS sales, coalesce(own.buyers, '{}') AS buyers
    FROM days LEFT JOIN own USING (region) GROUP BY region, own.buyers
""")


@dataclass(frozen=True, slots=True)
class Market:
    """A vertical in a region over some UTC days; `delay_hours` is 0 for what is told at once.

    `regions` are those of which something was counted in these days, by their codes; those that hold others too.
    """

    vertical: Vertical
    region: str
    since: date
    until: date
    delay_hours: int
    counted_at: datetime | None
    figures: Figures
    regions: tuple[str, ...]


def read_market(slug: str, region: str, at: datetime, *, delayed: bool) -> Market:
    """Return the market of a vertical in a region, everywhere for an empty one; delayed, only days that are old enough.

    NotFound for an unknown vertical, Malformed for an unknown region.
    """
    return market_of(*get_vertical(slug), region, at, delayed=delayed)


def market_of(vertical_id: int, vertical: Vertical, region: str, at: datetime, *, delayed: bool) -> Market:
    """Return the market of a vertical whose row's id is known; as `read_market`."""
    place = checked_region(region)
    said = overrides()
    hours = said.setting("market.delay_hours") if delayed else 0
    until = last_day(at, hours) if delayed else at.astimezone(UTC).date()
    since = until - timedelta(days=said.setting("market.days") - 1)
    rows = days_of(vertical_id, {place}, since, until)
    looked = select(MarketDepth).where(MarketDepth.vertical_id == vertical_id, MarketDepth.region == place)
    depth = db.session.scalar(
        looked.where(MarketDepth.day.between(since, until)).order_by(MarketDepth.day.desc()).limit(1)
    )
    counted = select(func.max(MarketCount.counted_at)).where(MarketCount.day == until)
    least = Least(said.setting("market.least_sales"), said.setting("market.least_buyers"))
    cells = _cells(vertical_id, since, until)
    told = told_in(cells, holders_of, least.sales, least.buyers)
    beside = Beside(place not in told.offered, place not in told.sold)
    figures = figures_of(rows, depth, least, beside, by_price=vertical.distribution.rule == BEST_PRICE)
    regions = tuple(sorted(cells.keys() - {EVERYWHERE}))
    return Market(vertical, place, since, until, hours, db.session.scalar(counted), figures, regions)


def told_together(vertical_id: int, since: date, until: date, least: Least) -> Told:
    """Return of which regions the figures of these days may be told, so that none is found out by their difference."""
    return told_in(_cells(vertical_id, since, until), holders_of, least.sales, least.buyers)


def _cells(vertical_id: int, since: date, until: date) -> dict[str, Cell]:
    rows = db.session.execute(_CELLS, {"vertical": vertical_id, "since": since, "until": until})
    return {row.region: Cell(row.offered, row.sales, frozenset(row.buyers)) for row in rows}


def holders_of(place: str) -> tuple[str, ...]:
    """Return all that hold a region, the narrowest first; everywhere holds every region."""
    return () if place == EVERYWHERE else (*parents_of(place)[1:], EVERYWHERE)


def days_of(vertical_id: int, places: Collection[str], since: date, until: date) -> Sequence[MarketDay]:
    """Return the counted days of a vertical in some regions, the oldest first; where nothing came there is no row."""
    query = select(MarketDay).where(MarketDay.vertical_id == vertical_id, MarketDay.region.in_(places))
    return db.session.scalars(query.where(MarketDay.day.between(since, until)).order_by(MarketDay.day)).all()


def last_day(at: datetime, hours: int) -> date:
    """Return the last UTC day that was over so many hours ago."""
    return (at.astimezone(UTC) - timedelta(hours=hours)).date() - timedelta(days=1)


def checked_region(region: str) -> str:
    """Return the region asked for, or the sign for everywhere; Malformed for one that is not in ISO 3166."""
    if not region or region == EVERYWHERE:
        return EVERYWHERE
    if not is_region(region):
        fault = Fault("region", "unknown_region", "Send an ISO 3166 code, such as FR or FR-IDF.")
        raise Malformed("bad_filter", "This market cannot be shown.", [fault])
    return region
