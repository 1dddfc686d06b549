"""Ready beginnings for a new order: what differs from the defaults, each good as it is with a name and a price."""

from typing import Any, NamedTuple

from core.words import lazy_gettext as _l


class Template(NamedTuple):
    """One beginning: what it is called and what it fills in."""

    says: Any
    form: dict[str, Any]


TEMPLATES = {
    "hot": Template(_l("Hot leads, dearer and first"), {
        "temperatures": ["warm", "hot"],
        "modifiers": [{"field": "temperature", "values": "hot", "change": "+50 %"}],
    }),
    "alone": Template(_l("Complete leads to you alone"), {
        "exclusivity": "exclusive", "max_share": "", "contact_classes": ["interested", "quick"], "min_score": "50",
    }),
    "cheap": Template(_l("Many leads at a low price, without return"), {
        "returns": False, "day": {"cap": "100", "budget": ""}, "windows": [],
        "modifiers": [{"field": "contact_class", "values": "promotional, registration", "change": "-20 %"}],
    }),
}  # fmt: skip


def from_template(name: str) -> dict[str, Any]:
    """Return what a template fills in, nothing for an unknown one."""
    return TEMPLATES[name].form if name in TEMPLATES else {}
