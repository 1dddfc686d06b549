"""What a vertical is called in the reader's language."""

from collections.abc import Iterable

from core.i18n import wanted_language
from marketplace.catalog.verticals import Vertical


def name_of(vertical: Vertical) -> str:
    """Return a vertical's name in the reader's language, else in English, else in the first that it has."""
    names = vertical.names
    return names.get(wanted_language()) or names.get("en") or next(iter(names.values()))


def name_verticals(verticals: Iterable[Vertical]) -> list[tuple[str, str]]:
    """Return the slug and the name of each vertical, by name: what a reader chooses from."""
    return sorted(((one.slug, name_of(one)) for one in verticals), key=lambda named: named[1].casefold())
