"""What stands beside the form of a vertical: what it would change, whom that touches, what somebody else changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.errors import Conflict, Fault, Invalid
from core.http import business_clock
from marketplace.catalog.differences import Difference, differences_between
from marketplace.catalog.shelf import add_vertical, apply_vertical, get_vertical
from marketplace.catalog.verticals import Vertical
from marketplace.reports.dispute_queue import names_of
from marketplace.reports.vertical_effects import Effect, effects_on, mark_of
from marketplace.reports.verticals import definition_of

SHOWN = 50  # effects that are written out


@dataclass(frozen=True, slots=True)
class Outlook:
    """What saving would change, and which orders and sources that makes wrong; `mark` is what agrees to it."""

    changes: Sequence[Difference]
    effects: Sequence[Effect]
    owners: Mapping[UUID, str]
    mark: str

    @property
    def shown(self) -> Sequence[Effect]:
        """Return the effects that are written out."""
        return self.effects[:SHOWN]


def keep(vertical: Vertical, slug: str, seen: Mapping[str, Any], agreed: str, actor: str) -> str:
    """Add a vertical (`slug` empty) or change one, and return its slug.

    Conflict `version_changed` when another definition stands than was `seen`, whatever version the new one has;
    `orders_touched` while the change makes orders or sources wrong and `agreed` is not the mark of just these.
    """
    at = business_clock().now()
    if not slug:
        add_vertical(vertical, at, actor)
        return vertical.slug
    if vertical.slug != slug:
        fault = Fault("slug", "cannot_change", f"Leave it {slug}, or add another vertical.")
        raise Invalid("invalid_vertical", "The vertical cannot change so.", [fault])
    row_id, standing = get_vertical(slug)
    apply_vertical(vertical, at, actor, seen["version"])
    if mark_of(effects_on(row_id, standing, vertical)) not in ("", agreed):
        raise Conflict("orders_touched", "Nothing was kept yet: read below whom the change touches, and save again.")
    return slug


def outlook_of(read: Callable[[], Vertical], slug: str) -> Outlook | None:
    """Return what saving a change would do; None for a new vertical and for one that cannot be read."""
    if not slug:
        return None
    try:
        vertical = read()
    except Invalid:
        return None
    row_id, standing = get_vertical(slug)
    effects = effects_on(row_id, standing, vertical)
    owners = names_of({one.owner_id for one in effects[:SHOWN]})
    changes = differences_between(standing.as_mapping(), vertical.as_mapping())
    return Outlook(changes, effects, owners, mark_of(effects))


def overtaken(slug: str, seen: Mapping[str, Any]) -> list[Difference]:
    """Return what somebody else changed since a definition was opened."""
    return differences_between(seen, get_vertical(slug)[1].as_mapping()) if slug else []


def seen_of(slug: str, version: str) -> dict[str, Any]:
    """Return the definition that a form was opened at; the present one for a version that never was."""
    standing = get_vertical(slug)[1].as_mapping()
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 8 else 0
    return standing if number == standing["version"] else definition_of(slug, number) or standing
