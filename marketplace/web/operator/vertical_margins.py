"""Margins by bands of the price and least prices of some leads: a row of the form each, and the way back."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_PERCENT = re.compile(r"([0-9]{1,3}(?:[.,][0-9]{1,4})?)\s*%", re.ASCII)


def band_in(row: Any) -> dict[str, Any]:
    """Return a band of a definition: a percentage in basis points, anything else as the amount that was typed."""
    found: dict[str, Any] = {"from": _text(row.from_) or "0.00"}
    keep = _text(row.keep)
    percent = _PERCENT.fullmatch(keep)
    if percent:
        points = Decimal(percent[1].replace(",", ".")) * 100
        return found | {"bp": int(points) if points == points.to_integral_value() else float(points)}
    return found | ({"amount": keep} if keep else {})


def band_shown(band: Mapping[str, Any]) -> dict[str, str]:
    """Return a band as it is typed."""
    points = band.get("bp")
    percent = "" if points is None else f"{Decimal(points) / 100:f} %"
    return {"from_": band["from"], "keep": percent or band.get("amount") or ""}


def least_in(row: Any) -> dict[str, Any]:
    """Return a least price of a definition, without what its row leaves open."""
    said = {"amount": _text(row.amount), "region": _text(row.region).upper(), "contact_class": row.contact_class.data}
    return {"amount": said["amount"], **{name: text for name, text in said.items() if text}}


def _text(field: Any) -> str:
    return str(field.data or "").strip()
