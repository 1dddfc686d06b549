"""What a suggested price rests on, read: counted days of the region and of everywhere, depth, how sources do, seeds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import any_, func, select

from core.db import db
from core.overrides import Overrides, overrides
from marketplace.catalog.prices import corridor_minor
from marketplace.catalog.shelf import get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.leads.auction import BEST_PRICE
from marketplace.market.figures import NOT_BY_PRICE, Least
from marketplace.market.histograms import added
from marketplace.market.reading import checked_region, days_of, told_together
from marketplace.market.rows import EVERYWHERE, MarketDay, MarketDepth, SourceQuality
from marketplace.market.seeds import ONE, factor_bp, price_seeds
from marketplace.market.suggestion import FEW_DECISIONS, Segment, Suggestion, Wish, suggest

LATELY_DAYS = 7
DEPTH_LASTS = timedelta(days=1)


def suggested(
    slug: str, region: str, wish: Wish, at: datetime, *, exclusive: bool
) -> tuple[Vertical, Suggestion | None]:
    """Return the vertical and the price suggested for an order; NotFound or Malformed for what is unknown."""
    vertical_id, vertical = get_vertical(slug)
    place = checked_region(region)
    return vertical, suggest(_segment(vertical_id, vertical, place, at, exclusive=exclusive), wish, price_seeds())


def _segment(vertical_id: int, vertical: Vertical, place: str, at: datetime, *, exclusive: bool) -> Segment:
    said, today = overrides(), at.astimezone(UTC).date()
    days = said.setting("market.days")
    since = today - timedelta(days=days - 1)
    found = days_of(vertical_id, {place, EVERYWHERE}, since, today)
    whole, here = ([row for row in found if row.region == one] for one in (EVERYWHERE, place))
    name = "alone" if exclusive else "shared"
    late = [row for row in here if row.day > today - timedelta(days=LATELY_DAYS)]
    orders, buyers = _depth(vertical_id, place, at, said)
    good, good_of_all = _good(vertical_id, said)
    by_price = vertical.distribution.rule == BEST_PRICE
    told = told_together(
        vertical_id, since, today, Least(said.setting("market.least_sales"), said.setting("market.least_buyers"))
    )
    offered = sum(row.offered for row in here) if place in told.offered else None
    thin = None if place in told.sold else FEW_DECISIONS
    return Segment(
        added(getattr(row, name) for row in here),
        added(getattr(row, name) for row in late if _thin(late, said) is None),
        added(getattr(row, name) for row in whole), offered, days,
        ONE if place == EVERYWHERE else factor_bp(place, "", ""), _corridor(vertical, exclusive=exclusive),
        vertical.min_price.minor, thin, _thin(whole, said) if by_price else NOT_BY_PRICE,
        orders, buyers, good, good_of_all,
    )  # fmt: skip


def _thin(rows: Sequence[MarketDay], said: Overrides) -> str | None:
    """Tell why prices are not told: too few leads were sold, or too few buyers had them."""
    buyers = {one for row in rows for one in row.buyers}
    enough = sum(row.sales for row in rows) >= said.setting("market.least_sales")
    return None if enough and len(buyers) >= said.setting("market.least_buyers") else FEW_DECISIONS


def _depth(vertical_id: int, place: str, at: datetime, said: Overrides) -> tuple[int | None, int | None]:
    query = select(MarketDepth.orders, MarketDepth.buyers).where(
        MarketDepth.vertical_id == vertical_id,
        MarketDepth.region == place,
        MarketDepth.told,
        MarketDepth.looked_at > at - DEPTH_LASTS,
    )
    row = db.session.execute(query.order_by(MarketDepth.day.desc()).limit(1)).one_or_none()
    if row is None or row.buyers < said.setting("market.least_buyers"):
        return None, None
    return row.orders, row.buyers


def _good(vertical_id: int, said: Overrides) -> tuple[int | None, int | None]:
    """Return which share of the judged sales of a vertical's sources was good, and of all; None of too few."""
    bad, here = SourceQuality.returned + SourceQuality.unreachable, any_(SourceQuality.verticals) == vertical_id
    sums = [func.sum(SourceQuality.judged), func.sum(bad)]
    row = db.session.execute(select(*(one.filter(here) for one in sums), *sums)).one()
    return _good_bp(row[0], row[1], said), _good_bp(row[2], row[3], said)


def _good_bp(judged: int | None, bad: int | None, said: Overrides) -> int | None:
    if judged is None or judged < said.setting("market.quality_least"):
        return None
    return (judged - (bad or 0)) * ONE // judged


def _corridor(vertical: Vertical, *, exclusive: bool) -> tuple[int, int] | None:
    usual = vertical.definition.prices.cpl
    return corridor_minor(usual.exclusive if exclusive else usual.shared, vertical.currency) if usual else None
