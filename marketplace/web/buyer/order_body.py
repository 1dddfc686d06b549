"""What the form of an order says, as the body that the API takes."""

import json
from contextlib import suppress
from typing import Any

from core.errors import Fault, Invalid
from core.schemas import convert
from marketplace.orders.terms import PERIODS, OrderBody, OrderPatch
from marketplace.web.buyer.order_ages import ages_document, unreadable_ages
from marketplace.web.buyer.order_form import OTHER, OrderForm
from marketplace.web.buyer.order_more import places_document, prices_document, unreadable_more
from marketplace.web.buyer.order_typed import filled_rows, money_of, number_of, text_of
from marketplace.web.buyer.order_volume import ladder_document, unreadable_volume, weekday_document

LISTS = ("in", "not_in", "between")  # operators whose value is a list, written with commas


def order_body(form: OrderForm, currency: str) -> OrderBody:
    """Return the new order that a form describes; Malformed for what is no body at all."""
    return convert(_document(form, currency), OrderBody)


def order_patch(form: OrderForm, currency: str) -> OrderPatch:
    """Return the change that makes an order what a form describes; a limit left empty is lifted."""
    document = _document(form, currency)
    del document["vertical"]
    return convert(document, OrderPatch)


def delivery_document(form: OrderForm) -> dict[str, Any]:
    """Return the settings of the delivery that a form describes; Invalid when they are no JSON object."""
    kind = form.delivery.data
    if kind == "webhook":
        return {"kind": kind, "url": text_of(form.delivery_url)}
    if kind == "email":
        addresses = [one.strip() for one in text_of(form.delivery_to).split(",") if one.strip()]
        return {"kind": kind, "to": addresses} if addresses else {"kind": kind}
    return _written(text_of(form.delivery_json)) if kind == OTHER else {"kind": "none"}


def unreadable(form: OrderForm) -> list[Fault]:
    """Name what was typed where no body has a place for it: numbers that are none, settings that are no JSON."""
    numbers = {"max_share": form.max_share, "min_score": form.min_score}
    numbers |= {f"caps.{period}": form[period].cap for period in PERIODS}
    faults = [
        Fault(name, "wrong_type", "Write a whole number, such as 25.")
        for name, field in numbers.items() if text_of(field) and number_of(field) is None
    ]  # fmt: skip
    keys = [text_of(row.form.key) for row in filled_rows(form.settings)]
    faults += [
        Fault(f"settings.{key}", "duplicate_field", "Say each setting once; empty one of the two rows.")
        for key in sorted(set(keys)) if keys.count(key) > 1
    ]  # fmt: skip
    faults += [*unreadable_more(form), *unreadable_volume(form), *unreadable_ages(form)]
    try:
        delivery_document(form)
    except Invalid as refused:
        faults += refused.faults
    return faults


def _written(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        fault = Fault("delivery", "not_json", f"Write the settings as JSON: {str(error)[:200]}.")
        raise Invalid("invalid_order", _REFUSED, [fault]) from None
    if isinstance(found, dict):
        return found
    raise Invalid("invalid_order", _REFUSED, [Fault("delivery", "not_json", "Write one JSON object in braces.")])


_REFUSED = "The order cannot be kept as it is; each error says what to change."


def _document(form: OrderForm, currency: str) -> dict[str, Any]:
    shared, delivery = form.exclusivity.data == "shared", {"kind": "none"}
    with suppress(Invalid):  # which `unreadable` names
        delivery = delivery_document(form)
    return {
        "name": text_of(form.name), "vertical": text_of(form.vertical),
        "regions": [one.strip().upper() for one in text_of(form.regions).split(",") if one.strip()],
        **places_document(form), **prices_document(form, currency), **ages_document(form),
        "price": money_of(form.price, currency), "exclusivity": form.exclusivity.data or "",
        "max_share": number_of(form.max_share) if shared else None,
        "filters": [_filter(row.form) for row in filled_rows(form.filters)],
        "min_score": number_of(form.min_score), "temperatures": form.temperatures.data,
        "contact_classes": form.contact_classes.data, "verified_only": form.verified_only.data,
        "contact_sla": form.contact_sla.data,
        "settings": {text_of(row.form.key): _setting(row.form) for row in filled_rows(form.settings)},
        "caps": {period: number_of(form[period].cap) for period in PERIODS} | {"weekday": weekday_document(form)},
        "pacing": form.pacing.data, "ladder": ladder_document(form, currency),
        "budget": {period: money_of(form[period].budget, currency) for period in PERIODS},
        "schedule": _schedule(form),
        "contact_hours": form.contact_hours.data, "delivery": delivery,
    }  # fmt: skip


def _setting(row: Any) -> Any:
    """Return a switch as on or off has it, else a whole number; -1 for anything else, which no setting can be."""
    switches = {"on": True, "off": False}
    text = text_of(row.value).lower()
    return switches.get(text, number_of(row.value) if number_of(row.value) is not None else -1)


def _schedule(form: OrderForm) -> dict[str, Any] | None:
    """Return the hours of a form, none for an order that is always open by the clock that counts without them."""
    zone, windows = text_of(form.timezone) or "UTC", _windows(form)
    return {"timezone": zone, "windows": windows or None} if windows or zone != "UTC" else None


def _windows(form: OrderForm) -> list[dict[str, Any]]:
    return [
        {"days": row.form.days.data, "from": text_of(row.form.from_), "to": text_of(row.form.to)}
        for row in filled_rows(form.windows)
    ]


def _filter(row: Any) -> dict[str, Any]:
    text, op = text_of(row.value), row.op.data or ""
    value: Any = _listed(text) if op in LISTS else _plain(text)
    if op == "matches":
        value = text
    return {"field": text_of(row.field), "op": op, "value": None if text == "" else value}


def _listed(text: str) -> list[Any]:
    """Return what stands between commas; a text in quotes may have commas itself."""
    found = []
    while True:
        text = text.lstrip()
        with suppress(ValueError):
            value, end = json.JSONDecoder().raw_decode(text)
            rest = text[end:].lstrip()
            if isinstance(value, str) and rest[:1] in ("", ","):
                found.append(value)
                if not rest:
                    return found
                text = rest[1:]
                continue
        item, comma, text = text.partition(",")
        found.append(_plain(item.strip()))
        if not comma:
            return found


def _plain(text: str) -> Any:
    """Return a number, true, false, or the text; a text in quotes stays one, whatever it looks like."""
    with suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, str | int | float):
            return value
    return text
