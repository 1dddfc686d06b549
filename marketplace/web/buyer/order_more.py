"""Where an order buys and what changes its price: from the form to its body, and from its terms to the form."""

import csv
import re
from collections.abc import Mapping
from typing import Any

from core.errors import Fault
from core.money import Money
from marketplace.orders.terms import OrderTerms
from marketplace.web.buyer.order_form import OrderForm
from marketplace.web.buyer.order_typed import filled_rows, money_of, number_of, text_of

_PERCENT = re.compile(r"\+?(-?[0-9]{1,6})\s*%", re.ASCII)
_HEADS = ("prefix", "postal_prefix", "postal_code", "postal_prefixes", "country", "zip")
_DEGREES = ("latitude", "longitude")


def places_document(form: OrderForm) -> dict[str, Any]:
    """Return the postal prefixes and the circle of a form; a file that was chosen replaces what is typed."""
    if form.postal_file.data:
        form.postal_prefixes.data = "\n".join(_lines_of(form.postal_file.data.read()))
    prefixes = (form.postal_prefixes.data or "").splitlines()
    typed = [form.radius_place, form.radius_country, form.radius_km, form.radius_latitude, form.radius_longitude]
    return {"postal_prefixes": prefixes or None, "radius": _radius(form) if any(map(text_of, typed)) else None}


def prices_document(form: OrderForm, currency: str) -> dict[str, Any]:
    """Return what changes the price of an order, within which bounds, and whether its leads may be sent back."""
    return {
        "modifiers": [_modifier(row.form, currency) for row in filled_rows(form.modifiers)] or None,
        "price_floor": money_of(form.price_floor, currency), "price_ceiling": money_of(form.price_ceiling, currency),
        "returns": form.returns.data,
    }  # fmt: skip


def unreadable_more(form: OrderForm) -> list[Fault]:
    """Name what was typed for a circle where only numbers can stand."""
    faults = [
        Fault(f"radius.{name}", "wrong_type", "Write degrees as a number, such as 45.7485.")
        for name in _DEGREES if text_of(form[f"radius_{name}"]) and _degrees(form[f"radius_{name}"]) is None
    ]  # fmt: skip
    if text_of(form.radius_km) and number_of(form.radius_km) is None:
        faults.append(Fault("radius.km", "wrong_type", "Write a whole number, such as 25."))
    return faults


def more_for_terms(terms: OrderTerms) -> dict[str, Any]:
    """Return what the form shows of places, changes of the price and returns."""
    around = terms.radius
    circle = {name: str(getattr(around, name)) for name in ("place", "country", "km", *_DEGREES)} if around else {}
    bounds = {"price_floor": terms.price_floor_minor, "price_ceiling": terms.price_ceiling_minor}
    return {
        "postal_prefixes": "\n".join(terms.postal_prefixes), "returns": terms.returns,
        **{f"radius_{name}": text for name, text in circle.items()},
        **{name: str(Money(minor, terms.currency)) if minor else "" for name, minor in bounds.items()},
        "modifiers": [
            {"field": one.field, "values": ", ".join(_word(value) for value in one.values),
             "change": f"{one.percent:+d} %" if one.percent else str(Money(one.amount_minor, terms.currency))}
            for one in terms.modifiers
        ],
    }  # fmt: skip


def field_of_more(form: OrderForm, head: str, rest: list[str]) -> Any:
    """Find the field that a fault of these parts of a body is about, None when it is about no such part."""
    if head == "radius" and rest:
        return getattr(form, f"radius_{rest[0]}", form.radius_place)
    if head == "modifiers" and len(rest) > 1 and rest[0].isdigit():
        rows = filled_rows(form.modifiers)
        names: Mapping[str, str] = {"field": "field", "values": "values"}
        if int(rest[0]) < len(rows):
            return rows[int(rest[0])].form[names.get(rest[1], "change")]
    return form[head] if head in ("postal_prefixes", "price_floor", "price_ceiling", "returns", "modifiers") else None


def _radius(form: OrderForm) -> dict[str, Any]:
    return {
        "place": text_of(form.radius_place), "country": text_of(form.radius_country).upper() or None,
        "km": number_of(form.radius_km) or 0, **{name: _degrees(form[f"radius_{name}"]) for name in _DEGREES},
    }  # fmt: skip


def _degrees(field: Any) -> float | None:
    try:
        return float(text_of(field).replace(",", "."))
    except ValueError:
        return None


def _modifier(row: Any, currency: str) -> dict[str, Any]:
    field, change = row.field.data or "", text_of(row.change)
    values: list[str | bool] = [one.strip() for one in text_of(row.values).split(",") if one.strip()]
    if field == "verified":
        values = [{"true": True, "false": False}.get(str(one).lower(), one) for one in values]
    percent = _PERCENT.fullmatch(change)
    if percent:
        return {"field": field, "values": values, "percent": int(percent[1])}
    amount = {"amount": change.removeprefix("+"), "currency": currency} if change else None
    return {"field": field, "values": values, "amount": amount}


def _word(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _lines_of(raw: bytes) -> list[str]:
    """Return a file's lines as they would be typed, a header as an empty one so that line numbers stay true."""
    written, lines = raw.decode("utf-8-sig", "replace").replace("\0", " ").splitlines(), list[str]()
    try:
        rows = list(csv.reader(written))
    except csv.Error:  # a cell without an end: as lines they are judged, and named
        return written
    for row in rows:
        cells = [cell.strip() for cell in row if cell.strip()]
        is_header = not lines and bool(cells) and cells[0].casefold() in _HEADS
        with_country = len(cells) > 1 and len(cells[0]) == 2 and cells[0].isalpha()
        lines.append("" if is_header or not cells else f"{cells[0]}:{cells[1]}" if with_country else cells[0])
    return lines
