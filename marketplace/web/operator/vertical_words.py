"""The words that operators' pages have for the places of a vertical's definition."""

from typing import Any

from core.words import gettext
from core.words import lazy_gettext as _l

WORDS = {
    "min_price": _l("Least price"),
    "prices": _l("Usual prices"),
    "outcome": _l("What leads come to"),
    "window_hours": _l("Window for disputes, hours"),
    "decision_days": _l("Days for the decision"),
    "dedupe_days": _l("Duplicate for days"),
    "buyer_dedupe_days": _l("Duplicate for the same buyer for days"),
    "delivery_grace_minutes": _l("Grace of a delivery, minutes"),
    "share": _l("Shared leads"),
    "min_prices": _l("Least prices of some leads"),
    "margin": _l("Margin"),
    "distribution": _l("Distribution"),
    "consent": _l("Consent"),
    "verification": _l("Proof of the contact"),
    "disputes": _l("Reasons of disputes"),
    "settings": _l("Settings"),
    "contact_required": _l("Required of the contact"),
    "example_region": _l("Region of the example"),
    "example_contact": _l("Person of the example"),
    "names": _l("Name"),
    "currency": _l("Currency"),
}
PARTS = {
    "label": _l("label"),
    "type": _l("type"),
    "help": _l("help"),
    "required": _l("required"),
    "asked": _l("asked"),
    "values": _l("values"),
    "min": _l("least"),
    "max": _l("most"),
    "max_length": _l("longest"),
    "example": _l("example"),
    "name": _l("name"),
}


def place_word(place: str) -> Any:
    """Return what a place of a definition is called."""
    head, _, rest = place.partition(".")
    if head != "fields":
        word = str(WORDS.get(head, head))
        return f"{word} · {rest.replace('_', ' ')}" if rest else word
    name, _, part = rest.partition(".")
    if not name:
        return gettext("Order of the fields")
    return gettext("Field %(name)s · %(part)s", name=name, part=str(PARTS.get(part, part)))
