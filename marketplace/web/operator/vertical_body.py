"""What the form of a vertical says, as the definition that the catalogue reads; and the way back."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from marketplace.catalog.distribution import FALLS_BACK
from marketplace.web.operator.vertical_form import VerticalForm, filled_rows
from marketplace.web.operator.vertical_margins import band_in, band_shown, least_in

WHOLE = ("window_hours", "decision_days", "dedupe_days", "buyer_dedupe_days", "delivery_grace_minutes")
ENDS = {"shared": ("shared_low", "shared_high"), "exclusive": ("exclusive_low", "exclusive_high")}


def definition_in(form: VerticalForm, base: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return the definition that a form describes; what the form has no place for stays as `base` says it."""
    currency = base.get("currency") or _text(form.currency)
    said = {name: value for name in WHOLE if (value := _number(form[name])) is not None}
    kept = {name: value for name, value in base.items() if name not in WHOLE}
    return kept | said | {
        "slug": base.get("slug") or _text(form.slug), "version": version, "currency": currency,
        "names": {_text(row.form.language): _text(row.form.name) for row in filled_rows(form.names)},
        "min_price": {"amount": _text(form.min_price), "currency": currency},
        "prices": {**base.get("prices", {}), "cpl": _corridors(form)},
        "margin": [band_in(row.form) for row in filled_rows(form.bands)],
        "min_prices": [least_in(row.form) for row in filled_rows(form.least)],
        "share": _said(base.get("share", {}), buyers=form.share_buyers, buyers_ceiling=form.share_ceiling),
        "distribution": {"rule": form.rule.data or "", "contest": form.contest.data or "",
                         "fall_back": form.fall_back.data or form.contest.data not in FALLS_BACK},
        "consent": {**_said({}, max_age_days=form.consent_days), "required": form.consent_required.data},
        "verification": form.verification.data or "", "contact_required": form.contact_required.data or [],
        "example_region": _text(form.example_region).upper() or "FR-IDF",
        "disputes": {row.form.reason.data or "": _reason(row.form) for row in filled_rows(form.reasons)},
        "settings": {row.form.key.data or "": _value(_text(row.form.value)) for row in filled_rows(form.settings)},
        "fields": [_attribute(row.form) for row in filled_rows(form.attributes)],
    }  # fmt: skip


def filling_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a definition."""
    cpl = definition["prices"].get("cpl") or {}
    ends = {name: cpl[kind][place] for kind in cpl for place, name in enumerate(ENDS[kind])}
    return ends | {name: str(definition[name]) for name in WHOLE} | {
        "seen": str(definition["version"]), "slug": definition["slug"], "currency": definition["currency"],
        "names": [{"language": code, "name": name} for code, name in definition["names"].items()],
        "min_price": definition["min_price"]["amount"],
        "bands": [band_shown(one) for one in definition.get("margin", ())],
        "least": [{name: one.get(name) or "" for name in ("amount", "region", "contact_class")}
                  for one in definition.get("min_prices", ())],
        "share_buyers": str(definition["share"]["buyers"]),
        "share_ceiling": str(definition["share"]["buyers_ceiling"]),
        **definition["distribution"],
        "consent_required": definition["consent"]["required"],
        "consent_days": str(definition["consent"]["max_age_days"]),
        "verification": definition["verification"], "contact_required": definition["contact_required"],
        "example_region": definition["example_region"],
        "reasons": [
            {"reason": name, "counts": {None: "", True: "yes", False: "no"}[one.get("enabled")],
             "window_hours": _shown(one.get("window_hours"))} for name, one in definition["disputes"].items()
        ],
        "settings": [{"key": key, "value": _shown(value)} for key, value in definition["settings"].items()],
        "attributes": [_row_of(field) for field in definition["fields"]],
    }  # fmt: skip


def _corridors(form: VerticalForm) -> dict[str, Any] | None:
    found = {kind: [_text(form[name]) for name in names] for kind, names in ENDS.items()}
    return found if any(text for ends in found.values() for text in ends) else None


def _said(base: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """Return `base` with the numbers of these fields; one left empty is the exchange's."""
    numbers = {name: _number(field) for name, field in fields.items()}
    kept = {name: value for name, value in base.items() if name not in fields}
    return kept | {name: value for name, value in numbers.items() if value is not None}


def _reason(row: Any) -> dict[str, Any]:
    counts = {"yes": True, "no": False}.get(row.counts.data)
    found = {"enabled": counts, "window_hours": _number(row.window_hours)}
    return {name: value for name, value in found.items() if value is not None}


def _attribute(row: Any) -> dict[str, Any]:
    kind, values = row.type.data or "", _text(row.values).splitlines()
    found = {
        "name": _text(row.name), "type": kind, "label": _text(row.label), "help": _text(row.help),
        "required": row.required.data, "asked": row.asked.data,
        "min": _number(row.min), "max": _number(row.max), "max_length": _number(row.max_length),
        "values": [value.strip() for value in values if value.strip()],
        "example": _example(kind, _text(row.example)),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _row_of(field: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: _shown(field.get(name)) for name in ("min", "max", "max_length", "example")}
    return texts | {
        "name": field["name"], "type": field["type"], "label": field["label"], "help": field.get("help", ""),
        "required": field.get("required", False), "asked": field.get("asked", True),
        "values": "\n".join(field.get("values", ())),
    }  # fmt: skip


def _example(kind: str, text: str) -> Any:
    if not text:
        return None
    if kind == "boolean":
        return {"yes": True, "true": True, "no": False, "false": False}.get(text.lower(), text)
    return _value(text) if kind in ("integer", "number") else text


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _number(field: Any) -> Any:
    """Return the number that was typed, None for nothing; what is none stays text, and the catalogue refuses it."""
    text = _text(field)
    return None if text == "" else _value(text, switch=False)


def _value(text: str, switch: bool = True) -> Any:
    if switch and text.lower() in ("yes", "true", "no", "false"):
        return text.lower() in ("yes", "true")
    if text.isascii() and "_" not in text and len(text) < 20:
        with suppress(ValueError):
            return int(text)
        with suppress(ValueError):
            return float(text)
    return text


def _text(field: Any) -> str:
    return str(field.data or "").strip()
