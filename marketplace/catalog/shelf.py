"""The verticals that this exchange trades: kept as rows, changed as files, read as `Vertical`."""

from datetime import datetime

from sqlalchemy import select, text

from core.db import db
from core.errors import NotFound
from marketplace.catalog.models import VerticalRow
from marketplace.catalog.verticals import Vertical, read_shipped, shipped_slugs


def apply_vertical(vertical: Vertical, at: datetime) -> bool:
    """Add a vertical or change it to this definition, for every lead whose request begins after the commit.

    Returns whether anything changed.
    """
    row = db.session.scalar(select(VerticalRow).where(VerticalRow.slug == vertical.slug).with_for_update())
    definition = vertical.as_mapping()
    if row is None:
        db.session.add(VerticalRow(slug=vertical.slug, definition=definition, changed_at=at))
    elif row.definition == definition:
        return False
    else:
        row.definition, row.changed_at, row.book_version = definition, at, row.book_version + 1
    db.session.flush()
    return True


def ship_verticals(at: datetime) -> None:
    """Add the verticals that come with the program and are not there yet; never overwrites an operator's change."""
    known = set(db.session.scalars(select(VerticalRow.slug)))
    for slug in shipped_slugs():
        if slug not in known:
            apply_vertical(read_shipped(slug), at)


def get_vertical(slug: str) -> tuple[int, Vertical]:
    """Return a vertical with its row's id; NotFound when there is none of this slug."""
    row = db.session.scalar(select(VerticalRow).where(VerticalRow.slug == slug))
    if row is None:
        raise NotFound(detail="There is no vertical of this name; GET /api/v1/verticals lists them.")
    return row.id, Vertical.load(row.definition)


def all_verticals() -> list[Vertical]:
    """Return every vertical by slug."""
    return [Vertical.load(row.definition) for row in db.session.scalars(select(VerticalRow).order_by(VerticalRow.slug))]


def verticals_by_id() -> dict[int, Vertical]:
    """Return every vertical by its row's id."""
    return {row.id: Vertical.load(row.definition) for row in db.session.scalars(select(VerticalRow))}


def raise_book_version(vertical_id: int) -> None:
    """Make every index of this vertical stale from the commit of the session's transaction on."""
    db.session.execute(
        text("UPDATE marketplace.verticals SET book_version = book_version + 1 WHERE id = :id"), {"id": vertical_id}
    )


def raise_book_versions() -> None:
    """Make every index of every vertical stale from the commit of the session's transaction on."""
    for vertical_id in db.session.scalars(select(VerticalRow.id).order_by(VerticalRow.id)).all():
        raise_book_version(vertical_id)
