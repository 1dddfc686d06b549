"""The verticals that this exchange trades: kept as rows, changed as files, read as `Vertical`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import literal_column, select, text
from sqlalchemy.dialects.postgresql import insert

from core.db import db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.http import kept_by_app
from marketplace.catalog.models import VerticalRow, VerticalVersion
from marketplace.catalog.verticals import Vertical, read_shipped, shipped_slugs

_SAY_WHO = text("SELECT set_config('leadbourse.actor', :actor, true)")


def apply_vertical(vertical: Vertical, at: datetime, actor: str = "system", seen: int | None = None) -> bool:
    """Add a vertical or change it to this definition, for every lead whose request begins after the commit.

    Returns whether anything changed. A change needs a higher version than the one that stands, so that nobody
    overwrites what they have not seen (Conflict `version_changed`); with `seen`, just that version must stand. The
    currency never changes, since stored leads and orders count in it. Leads that were judged before keep the definition
    that judged them.
    """
    query = select(VerticalRow).where(VerticalRow.slug == vertical.slug).with_for_update()
    row = db.session.scalar(query, execution_options={"populate_existing": True})  # as it is now that it is locked
    definition = vertical.as_mapping()
    db.session.execute(_SAY_WHO, {"actor": actor})
    if row is None:
        if not _insert(vertical, at):  # somebody added it between our look and our insert
            raise Conflict("vertical_exists", f"Somebody just added {vertical.slug}; read it and try again.")
    elif row.definition == definition:
        return False
    else:
        _check_change(Vertical.stored(row.definition), vertical, seen)
        row.definition, row.changed_at, row.book_version = definition, at, row.book_version + 1
    db.session.flush()
    return True


def _insert(vertical: Vertical, at: datetime) -> bool:
    """Add a row unless there is one of this slug, also one that commits meanwhile; tells whether it did."""
    row = insert(VerticalRow).values(slug=vertical.slug, definition=vertical.as_mapping(), changed_at=at)
    made = row.on_conflict_do_nothing(constraint="verticals_slug_key").returning(VerticalRow.id)
    return db.session.scalar(made) is not None


def _check_change(standing: Vertical, vertical: Vertical, seen: int | None) -> None:
    if vertical.version <= standing.version or seen not in (None, standing.version):
        says = f"Version {standing.version} stands and differs; read it, then send yours as {standing.version + 1}."
        raise Conflict("version_changed", says)
    if vertical.currency != standing.currency:
        says = f"Leave it {standing.currency}: stored leads and orders count in it. Add another vertical instead."
        raise Invalid("invalid_vertical", "The vertical cannot change so.", [Fault("currency", "cannot_change", says)])


def add_vertical(vertical: Vertical, at: datetime, actor: str) -> None:
    """Add a vertical; Conflict `vertical_exists` when there is one of this slug."""
    if db.session.scalar(select(VerticalRow.id).where(VerticalRow.slug == vertical.slug)) is not None:
        raise Conflict(
            "vertical_exists", f"There is a vertical {vertical.slug} already: change it, or name yours otherwise."
        )
    apply_vertical(vertical, at, actor)


def ship_verticals(at: datetime) -> None:
    """Add the verticals that come with the program and are not there yet; never overwrites an operator's change."""
    known = set(db.session.scalars(select(VerticalRow.slug)))
    for slug in shipped_slugs():
        if slug not in known:
            _insert(read_shipped(slug), at)


# What a row was read as holds while it is of the same transaction and book.
BOOK: tuple[Any, ...] = (
    VerticalRow.id, VerticalRow.book_version, literal_column("marketplace.verticals.xmin::text"),
)  # fmt: skip
_BOOKS = select(*BOOK).order_by(VerticalRow.slug)
_WHOLE = select(*BOOK, VerticalRow.definition).order_by(VerticalRow.slug)


def _made() -> dict[int, tuple[Sequence[Any], Vertical]]:
    return kept_by_app("leadbourse_verticals", dict)


def _known(book: Sequence[Any]) -> Vertical | None:
    made_of, vertical = _made().get(book[0], ((), None))
    return vertical if made_of == tuple(book) else None


def _keep(book: Sequence[Any], definition: Any) -> Vertical:
    vertical = Vertical.stored(definition)
    _made()[book[0]] = tuple(book), vertical
    return vertical


def get_vertical(slug: str, lock: bool = False) -> tuple[int, Vertical]:
    """Return a vertical with its row's id; NotFound when there is none of this slug.

    With `lock` it stays as it is until the transaction ends: what is kept because of it was not judged by an older one.
    """
    named = VerticalRow.slug == slug.replace("\0", " ")  # which PostgreSQL could not read
    query = _BOOKS.where(named).with_for_update(read=True) if lock else _BOOKS.where(named)
    found = db.session.execute(query).one_or_none()
    if found is None:
        raise NotFound(detail="There is no vertical of this name; GET /api/v1/verticals lists them.")
    return found.id, vertical_of(found)


def vertical_of(book: Sequence[Any]) -> Vertical:
    """Return a vertical by the `BOOK` of its row, which whoever joins the row reads instead of its long definition."""
    if vertical := _known(book):
        return vertical
    *now, definition = db.session.execute(_WHOLE.where(VerticalRow.id == book[0])).one()
    return _keep(now, definition)


def all_verticals() -> list[Vertical]:
    """Return every vertical by slug."""
    return list(verticals_by_id().values())


def verticals_by_id() -> dict[int, Vertical]:
    """Return every vertical by its row's id, in the order of their slugs; only what changed is read and made anew."""
    found = {book[0]: _known(book) for book in db.session.execute(_BOOKS)}
    if None in found.values():
        found = {book[0]: _keep(book, definition) for *book, definition in db.session.execute(_WHOLE)}
    return cast(dict[int, Vertical], found)


def versions_of(vertical_id: int) -> list[VerticalVersion]:
    """Return every definition that a vertical had, the newest first."""
    query = select(VerticalVersion).where(VerticalVersion.vertical_id == vertical_id)
    return list(db.session.scalars(query.order_by(VerticalVersion.book_version.desc())))


def vertical_by_book(vertical_id: int, book_version: int) -> Vertical:
    """Return the vertical as it was in a version of its book: what judged a lead whose decision names that book."""
    query = select(VerticalVersion.definition).where(
        VerticalVersion.vertical_id == vertical_id, VerticalVersion.book_version <= book_version
    )
    definition = db.session.scalar(query.order_by(VerticalVersion.book_version.desc()).limit(1))
    if definition is None:
        raise NotFound(detail="There is no vertical with a book so old.")
    return Vertical.stored(definition)


def raise_book_version(vertical_id: int) -> None:
    """Make every index of this vertical stale from the commit of the session's transaction on."""
    db.session.execute(
        text("UPDATE marketplace.verticals SET book_version = book_version + 1 WHERE id = :id"), {"id": vertical_id}
    )


def raise_book_versions() -> None:
    """Make every index of every vertical stale from the commit of the session's transaction on."""
    for vertical_id in db.session.scalars(select(VerticalRow.id).order_by(VerticalRow.id)).all():
        raise_book_version(vertical_id)
