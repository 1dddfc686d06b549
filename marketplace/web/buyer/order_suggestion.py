"""The price that the market suggests for the order in the form, with its factors in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import Malformed
from core.i18n import money, number, percent
from core.money import Money
from core.pages import page_time
from core.words import gettext
from core.words import lazy_gettext as _l
from marketplace.catalog.regions import is_region
from marketplace.catalog.verticals import Vertical
from marketplace.market.suggesting import suggested
from marketplace.market.suggestion import (
    BASE,
    COMPETITION,
    GEOGRAPHY,
    KNOW_HOW,
    QUALITY,
    VOLUME,
    Factor,
    Suggestion,
    Wish,
)
from marketplace.reports.kept import kept
from marketplace.web.buyer.order_form import OrderForm
from marketplace.web.wishes import wish_asked

NAMES = {
    BASE: _l("The vertical"), COMPETITION: _l("Competition"), KNOW_HOW: _l("Know-how of the sources"),
    VOLUME: _l("Volume wanted"), QUALITY: _l("Quality asked for"), GEOGRAPHY: _l("Geography"),
}  # fmt: skip
# What is said where a factor has these figures.
RESTS_ON = (
    ({"leads"}, _l("half of %(leads)s leads would have been won at it")),
    ({"low_minor", "high_minor"}, _l("usually %(low_minor)s to %(high_minor)s")),
    ({"orders", "buyers"}, _l("%(orders)s orders of %(buyers)s buyers could buy now")),
    ({"good_bp", "good_of_all_bp"}, _l("of the sales here %(good_bp)s were good, of all %(good_of_all_bp)s")),
    ({"wanted_a_day", "offered_in_days"},
     _l("%(wanted_a_day)s wanted a day; %(offered_in_days)s were offered in %(days)s days")),
    ({"kinds_bp"}, _l("what the order takes usually costs %(kinds_bp)s of the average")),
    ({"region_minor"}, _l("half would have been won at %(region_minor)s here, at %(everywhere_minor)s everywhere")),
    ({"place_bp"}, _l("usually %(place_bp)s of the average")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Advice:
    """A suggestion with what the page says of it: each factor's name, what it rests on, and its effect."""

    suggestion: Suggestion
    currency: str
    region: str
    lines: list[tuple[Any, str, Money]]


def advice_for(form: OrderForm, vertical: Vertical | None) -> Advice | None:
    """Return what the market suggests for what the form says as far as it can be read; None where it knows nothing."""
    if vertical is None:
        return None
    first = (form.regions.data or "").split(",")[0].strip().upper()
    region = first if is_region(first) else ""
    exclusive = form.exclusivity.data != "shared"
    wish = _wish(form, vertical.currency)
    key = ("suggestion", vertical.slug, region, exclusive, wish)
    found: Suggestion | None = kept(
        key, page_time(), lambda: suggested(vertical.slug, region, wish, page_time(), exclusive=exclusive)[1]
    ).value
    if found is None:
        return None
    lines = [(NAMES[one.name], "; ".join(_rests_on(one, vertical.currency)),
              Money(one.effect_minor, vertical.currency)) for one in found.factors]  # fmt: skip
    return Advice(found, vertical.currency, region, lines)


def _wish(form: OrderForm, currency: str) -> Wish:
    """Read what the form wants; what cannot be read yet is not wanted yet, its faults are told at the fields."""
    said = {
        "leads_a_day": form.day.cap.data or "", "price": form.price.data or "",
        "temperatures": ",".join(form.temperatures.data or ()),
        "contact_classes": ",".join(form.contact_classes.data or ()),
    }  # fmt: skip
    readable: dict[str, str] = {}
    for name, text in said.items():
        try:
            wish_asked({name: text}, currency)
        except Malformed:
            continue
        readable[name] = text
    return wish_asked(readable, currency)


def _rests_on(factor: Factor, currency: str) -> Iterator[str]:
    """Say in words what a factor rests on."""
    shown = {name: _shown(name, value, currency) for name, value in factor.figures.items()}
    found = [str(says) % shown for names, says in RESTS_ON if names <= shown.keys()]
    yield from found or [gettext("too little is known to tell")]


def _shown(name: str, value: int, currency: str) -> str:
    """Write a figure: its name ends in its unit, a count has none."""
    if name.endswith("_minor"):
        return money(Money(value, currency))
    return percent(value / 10_000) if name.endswith("_bp") else number(value)
