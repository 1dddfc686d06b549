"""The depth of the book: how many orders could buy in a region now, by steps of price, and never whose they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.overrides import overrides
from marketplace.catalog.regions import parents_of
from marketplace.catalog.shelf import verticals_by_id
from marketplace.catalog.verticals import Vertical
from marketplace.leads.offers import offer_of_one
from marketplace.market.reading import holders_of
from marketplace.market.rows import EVERYWHERE, MarketDay, MarketDepth
from marketplace.market.steps import step_below
from marketplace.orders.periods import is_open
from marketplace.orders.terms import OrderTerms, decode_terms

AGAIN = timedelta(minutes=15)
REGIONS_OF = timedelta(days=30)  # regions in which leads were offered within this are looked at

# As the books of the intake read them: nothing is sold to an order whose endpoint is paused.
_ACTIVE = text("""
    SELECT o.id, o.buyer_id, o.version, o.terms FROM marketplace.orders o
    WHERE o.vertical_id = :vertical AND o.status = 'active' AND NOT EXISTS (
        SELECT FROM marketplace.endpoints e
        WHERE e.buyer_id = o.buyer_id AND e.address = o.endpoint AND e.state IN ('open', 'probing'))
""")
_ABLE = text("""
    SELECT q.order_id
    FROM unnest(CAST(:orders AS uuid[]), CAST(:versions AS integer[]), CAST(:buyers AS uuid[]),
                CAST(:prices AS bigint[]), CAST(:hours AS bigint[]), CAST(:days AS bigint[]),
                CAST(:weeks AS bigint[]), CAST(:months AS bigint[]), CAST(:extras AS jsonb[]))
         AS q (order_id, version, buyer_id, price, hour, day, week, month, extra)
    WHERE marketplace.tried(q.order_id, q.version, ARRAY[q.hour, q.day, q.week, q.month], q.buyer_id, :currency,
                            q.price, true, q.extra - 'ladder') = 'sold'
""")


class Standing(NamedTuple):
    """An order that could buy now: whose, where, and what it pays for a plain lead."""

    order_id: UUID
    buyer_id: UUID
    version: int
    terms: OrderTerms


def look_at_next_depth(at: datetime) -> int:
    """Look at the verticals that were not looked at for a while, up to one that has any depth; return how many were."""
    looked = select(MarketDepth.vertical_id).where(MarketDepth.looked_at > at - AGAIN, MarketDepth.region == EVERYWHERE)
    done = set(db.session.scalars(looked.where(MarketDepth.day >= (at - AGAIN).date())))
    looked_at = 0
    for key, vertical in sorted(verticals_by_id().items()):
        if key not in done:
            looked_at += 1
            if _look(key, vertical, at):
                break
    return looked_at


def _look(vertical_id: int, vertical: Vertical, at: datetime) -> bool:
    """Keep the depth of a vertical, region by region, and tell whether there is any."""
    able, least = able_orders(vertical_id, vertical.currency, at), overrides().setting("market.least_buyers")
    seen = select(MarketDay.region).where(
        MarketDay.vertical_id == vertical_id, MarketDay.day >= (at - REGIONS_OF).date()
    )
    regions = {*db.session.scalars(seen.distinct()), EVERYWHERE}
    here_by_region = {region: [one for one in able if buys_in(one.terms.regions, region)] for region in regions}
    told = told_of(here_by_region, least)
    for region, here in sorted(here_by_region.items()):
        row = insert(MarketDepth).values(
            vertical_id=vertical_id, region=region, day=at.astimezone(UTC).date(), looked_at=at, orders=len(here),
            buyers=len({one.buyer_id for one in here}), steps=list(steps_of(here, least)), told=region in told,
        )  # fmt: skip
        changes = {name: row.excluded[name] for name in ("looked_at", "orders", "buyers", "steps", "told")}
        db.session.execute(row.on_conflict_do_update(constraint="market_depths_pkey", set_=changes))
    return bool(able)


def told_of(orders: Mapping[str, Sequence[Standing]], least_buyers: int) -> set[str]:
    """Return of which regions the depth may be told: where enough buyers buy, and where the nearest told region that
    holds it has nothing beside, or orders of enough buyers as well.
    """
    told: set[str] = set()
    for region in sorted(orders, key=lambda one: (len(holders_of(one)), one)):
        wider = next((one for one in holders_of(region) if one in told), None)
        here = {one.order_id for one in orders[region]}
        beside = {one.buyer_id for one in orders[wider] if one.order_id not in here} if wider else set()
        if len({one.buyer_id for one in orders[region]}) >= least_buyers and not 0 < len(beside) < least_buyers:
            told.add(region)
    return told


def able_orders(vertical_id: int, currency: str, at: datetime) -> list[Standing]:
    """Return the orders on the open market that are open, within their caps and have the money for one lead now."""
    asked_for = db.session.execute(_ACTIVE, {"vertical": vertical_id})
    rows = (Standing(one.id, one.buyer_id, one.version, decode_terms(one.terms)) for one in asked_for)
    found = [one for one in rows if _is_open(one.terms, at)]
    if not found:
        return []
    offers = [offer_of_one(one.terms, at) for one in found]
    hours, days, weeks, months = zip(*(starts for starts, _ in offers), strict=True)
    asked = {
        "orders": [one.order_id for one in found], "versions": [one.version for one in found],
        "buyers": [one.buyer_id for one in found], "prices": [one.terms.price_minor for one in found],
        "hours": list(hours), "days": list(days), "weeks": list(weeks), "months": list(months), "currency": currency,
        "extras": [extra for _, extra in offers],
    }  # fmt: skip
    able = set(db.session.scalars(_ABLE, asked))
    return [one for one in found if one.order_id in able]


def _is_open(terms: OrderTerms, at: datetime) -> bool:
    return terms.deal is None and not terms.is_aged_only and is_open(terms.schedule, at)


def buys_in(regions: Sequence[str], place: str) -> bool:
    """Tell whether an order for these regions (none: all) may buy a lead of a place or of a part of it."""
    if not regions or place == EVERYWHERE:
        return True
    return any(one in parents_of(place) or place in parents_of(one) for one in regions)


def steps_of(orders: Iterable[Standing], least_buyers: int) -> Iterator[dict[str, int]]:
    """Yield steps of price from the dearest down, `from` a round price on; each holds so many buyers that none shows.

    What is left at the end and shows somebody joins the step above; with fewer buyers in all there is no step.
    """
    ranked = sorted(orders, key=lambda one: (-one.terms.price_minor, one.order_id))
    steps: list[tuple[int, int]] = []
    count, buyers = 0, set[UUID]()
    for place, one in enumerate(ranked):
        count += 1
        buyers.add(one.buyer_id)
        bottom = step_below(one.terms.price_minor)
        is_last = place + 1 == len(ranked) or step_below(ranked[place + 1].terms.price_minor) < bottom
        if is_last and len(buyers) >= least_buyers:
            steps.append((bottom, count))
            count, buyers = 0, set()
    if count and steps:
        steps[-1] = (step_below(ranked[-1].terms.price_minor), steps[-1][1] + count)
    yield from ({"from_minor": bottom, "orders": many} for bottom, many in steps)
