"""How the form of an order is filled: with the exchange's defaults for a new one, or with what an order says."""

import json
from collections.abc import Mapping
from typing import Any

from wtforms import SelectChoice

from core.defaults import default
from core.i18n import money
from core.money import Money
from core.overrides import overrides
from core.words import gettext
from marketplace.catalog.verticals import Vertical
from marketplace.catalog.zones import zone_of
from marketplace.leads.delivery.credentials import masked
from marketplace.orders.filters import LEAD_PATHS, paths_of
from marketplace.orders.terms import OrderTerms, show_terms
from marketplace.web.buyer.order_ages import ages_for_terms
from marketplace.web.buyer.order_form import OTHER, SIMPLE
from marketplace.web.buyer.order_more import more_for_terms
from marketplace.web.buyer.order_volume import volume_for_terms
from marketplace.web.vertical_names import name_of

SWITCHES = ("verified_only", "contact_sla", "contact_hours")
WORKING_DAYS = ["mon", "tue", "wed", "thu", "fri"]
OWN = {"none": {"kind"}, "webhook": {"kind", "url"}, "email": {"kind", "to"}}  # what a simple delivery has fields for


def for_new(vertical: Vertical | None) -> dict[str, Any]:
    """Return what the form of a new order begins with: the exchange's defaults, in the zone of a vertical's people."""
    currency = vertical.currency if vertical else "EUR"
    zone = zone_of(vertical.definition.example_region) if vertical else None
    say = overrides().setting
    hours = [f"{say(f'new_order.{end}_hour'):02}:00" for end in ("from", "to")]
    return {
        "vertical": vertical.slug if vertical else "",
        "returns": True,
        "contact_hours": True,
        "max_share": str(vertical.share.buyers if vertical else default("share.buyers")),
        "day": {
            "cap": str(say("new_order.day_leads")),
            "budget": str(Money(say("new_order.day_budget_minor"), currency)),
        },
        "timezone": zone or "Europe/Paris",
        "windows": [{"days": WORKING_DAYS, "from_": hours[0], "to": hours[1]}],
        "delivery_json": "",
    }


def for_terms(terms: OrderTerms, version: int | None) -> dict[str, Any]:
    """Return what the form of an order shows; secrets are masked, and a mask that is sent back keeps its secret."""
    shown = show_terms(terms)
    schedule = shown["schedule"] or {"timezone": "UTC", "windows": None}
    return {
        **{name: shown[name] for name in ("name", "vertical", "exclusivity", *SWITCHES)},
        "version": "" if version is None else str(version), "regions": ", ".join(shown["regions"]),
        "price": shown["price"]["amount"], "max_share": str(shown["max_share"] or ""),
        "filters": [_filter(one) for one in shown["filters"]],
        "min_score": str(shown["min_score"] or ""), "temperatures": shown["temperatures"] or [],
        "contact_classes": shown["contact_classes"] or [],
        **{period: {"cap": str(cap)} for period, cap in terms.caps.items()},
        **_budgets(terms),
        "settings": [{"key": key, "value": written_setting(value)} for key, value in terms.settings.items()],
        "timezone": schedule["timezone"],
        "windows": [{"days": one["days"], "from_": one["from"], "to": one["to"]} for one in schedule["windows"] or ()],
        **_delivery(masked(shown["delivery"])), **more_for_terms(terms), **volume_for_terms(terms),
        **ages_for_terms(terms),
    }  # fmt: skip


def written_setting(value: int | bool) -> str:
    """Write the value of a setting as it is typed."""
    return ("on" if value else "off") if isinstance(value, bool) else str(value)


def _budgets(terms: OrderTerms) -> dict[str, Any]:
    return {
        period: {"cap": str(terms.caps.get(period, "")), "budget": str(Money(minor, terms.currency))}
        for period, minor in terms.budget_minor.items()
    }


def _delivery(settings: dict[str, Any]) -> dict[str, Any]:
    kind = settings["kind"]
    if kind not in SIMPLE or set(settings) > OWN[kind]:
        written = json.dumps(settings, indent=2, ensure_ascii=False)
        return {"delivery": OTHER, "delivery_json": written}
    to = settings.get("to") or []
    addresses = to if isinstance(to, str) else ", ".join(to)
    return {"delivery": kind, "delivery_url": settings.get("url", ""), "delivery_to": addresses}


def _filter(one: dict[str, Any]) -> dict[str, Any]:
    return one if one["op"] == "matches" else one | {"value": _value(one["value"])}  # an expression is typed as it is


def _value(value: Any) -> str:
    """Write a filter's value as it is typed: a list with commas, a text that would be read otherwise in quotes."""
    if isinstance(value, list):
        return ", ".join(_quoted(one) if "," in str(one) else _value(one) for one in value)
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = value == value.strip() and not value.startswith('"') and not _looks_like_json(value)
    return value if is_plain else _quoted(value)


def _quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _looks_like_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def offered(shelf: Mapping[str, Vertical]) -> list[SelectChoice]:
    """Return the verticals to choose from, each with the least that a lead of it costs."""
    told = [
        (one.slug, gettext("%(name)s, from %(price)s", name=name_of(one), price=money(one.min_price)))
        for one in shelf.values()
    ]
    return [SelectChoice("", gettext("Choose a vertical"))] + [SelectChoice(*one) for one in told]


def paths_here(vertical: Vertical | None) -> list[str]:
    """Return what orders of a vertical may filter by; without one, what orders of any may."""
    return sorted(paths_of(field.name for field in vertical.fields) if vertical else LEAD_PATHS)
