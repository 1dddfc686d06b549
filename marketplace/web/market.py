"""The market's pages: one for everybody, told late, and one for accounts, told as it was last counted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import format_date
from werkzeug.wrappers import Response as AnyResponse

from core.actors import Person, page, present_person
from core.db import transaction
from core.http import public
from core.i18n import money, number, percent
from core.money import Money
from core.pages import page_time
from core.words import gettext, locale
from marketplace.catalog.regions import region_of
from marketplace.catalog.shelf import get_vertical, verticals_by_id
from marketplace.market.figures import WITHHELD, Point
from marketplace.market.reading import Market, market_of
from marketplace.market.scores import qualities_in
from marketplace.web.charts import Chart, Series, line_chart
from marketplace.web.open_reads import count_open_read
from marketplace.web.vertical_names import name_verticals

trade = Blueprint("market", __name__)
BEST_SOURCES = 25  # that a page shows; the interface over HTTP has more
KEPT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Picked:
    """A market with what the page draws of it, and what can be chosen instead."""

    market: Market
    verticals: list[tuple[str, str]]
    regions: list[tuple[str, str]]
    leads: Chart | None
    wins: Chart | None
    qualities: list[Any]


@trade.get("/market")
@public
def everybody() -> AnyResponse:
    """Show the market to everybody, after the delay; who is signed in goes on to the newest."""
    if present_person() is not None:
        return redirect(url_for("market.now", vertical=request.args.get("vertical"), region=request.args.get("region")))
    with transaction():
        count_open_read()
        drawn = make_response(render_template("marketplace/market_open.html", picked=_picked(delayed=True),
                                              withheld=WITHHELD))  # fmt: skip
    return _kept(drawn)


@trade.get("/market/now")
@page()
def now(_: Person) -> str:
    """Show the market as it was last counted."""
    return render_template("marketplace/market.html", picked=_picked(delayed=False), withheld=WITHHELD)


def _kept(response: Response) -> Response:
    """Let whoever reads keep the page for a while, in their language, and ask by its ETag whether it changed."""
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.headers["Vary"] = "Cookie, Accept-Language"
    response.add_etag()
    response.make_conditional(request)
    return response


def _picked(*, delayed: bool) -> Picked:
    known = {one.slug: (key, one) for key, one in verticals_by_id().items()}
    slug = request.args.get("vertical") or min(known)
    vertical_id, vertical = known[slug] if slug in known else get_vertical(slug)
    market = market_of(vertical_id, vertical, request.args.get("region", ""), page_time(), delayed=delayed)
    regions = [(code, _name_of(code)) for code in market.regions]
    shelf = name_verticals(one for _, one in known.values())
    return Picked(market, shelf, regions, _leads(market), _wins(market), qualities_in(vertical_id)[:BEST_SOURCES])


def _name_of(code: str) -> str:
    known = region_of(code)
    return locale().territories.get(code, known.name) if known.parent is None else f"{code} {known.name}"


def _leads(market: Market) -> Chart | None:
    found = {one.day: one for one in market.figures.days}
    if not found:
        return None
    days = [market.since + timedelta(days=back) for back in range((market.until - market.since).days + 1)]
    offered = [found[one].offered if one in found else 0 for one in days]
    sold = [found[one].sold if one in found else 0 for one in days]
    series = [Series(gettext("offered"), offered), Series(gettext("sold"), sold)]
    return line_chart(series, [format_date(one, "d MMM") for one in days], number)


def _wins(market: Market) -> Chart | None:
    """Draw which share of leads a price would have won, at the round prices of both curves."""
    alone, shared = market.figures.alone or (), market.figures.shared or ()
    prices = sorted({one.price_minor for one in (*alone, *shared)})
    if len(prices) < 2:
        return None
    series = [
        Series(gettext("alone"), [_share_at(alone, price) for price in prices]),
        Series(gettext("shared"), [_share_at(shared, price) for price in prices]),
    ]
    currency = market.vertical.currency
    return line_chart(series, [money(Money(price, currency)) for price in prices], lambda share: percent(share / 100))


def _share_at(points: Any, price: int) -> float:
    """Return the percentage that a price wins by a curve; between its points that of the last one below."""
    known: list[Point] = [one for one in points if one.price_minor <= price]
    return known[-1].share_bp / 100 if known else 0.0
