"""Keeping suppression lists: stored whole or not at all, looked up by a person's keys, deleted with their entries."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, select, text

from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.ids import new_id
from marketplace.catalog.shelf import raise_book_version
from marketplace.leads.suppression.lines import CHUNK, Upload
from marketplace.leads.suppression.rows import SuppressionEntry, SuppressionList
from marketplace.orders.models import Order

_STAGE = text("CREATE TEMPORARY TABLE staged_keys (key bytea NOT NULL, twin boolean NOT NULL) ON COMMIT DROP")
_COUNT = text("SELECT count(*), count(DISTINCT key) FROM staged_keys WHERE NOT twin")
_ENTER = text("""
    INSERT INTO marketplace.suppression_entries (key, list_number)
    SELECT DISTINCT key, CAST(:number AS bigint) FROM staged_keys ORDER BY key
""")


class Use(NamedTuple):
    """Whether a list keeps leads away from its buyer, and from when until when; without an instant there is no end."""

    suppresses: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None


EVIDENCE = Use()  # it only proves what the buyer knew


def store_list(
    buyer_id: UUID, name: str, upload: Upload, actor: str, at: datetime, use: Use = EVIDENCE
) -> SuppressionList:
    """Store a list that was read to its end; it is dated `at`, which must not be before that.

    Invalid `invalid_list` when it is valid until before it is valid from.
    """
    if use.valid_from and use.valid_until and use.valid_until <= use.valid_from:
        fault = Fault("valid_until", "bounds_reversed", "Let the list be valid until after it is valid from.")
        raise Invalid("invalid_list", "The list cannot be kept.", [fault])
    session = db.session
    session.execute(_STAGE)
    driver: Any = session.connection().connection.driver_connection
    upload.keys.seek(0)
    with driver.cursor() as cursor, cursor.copy("COPY staged_keys FROM STDIN") as copy:
        while chunk := upload.keys.read(CHUNK):
            copy.write(chunk)
    identities, entries = session.execute(_COUNT).one()
    row = SuppressionList(
        id=new_id(), buyer_id=buyer_id, name=name, lines=upload.lines, entries=entries,
        duplicates=identities - entries, bad=upload.bad, faults=[fault._asdict() for fault in upload.faults],
        uploaded_at=at, uploaded_by=actor, **use._asdict(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.execute(_ENTER, {"number": row.number})
    if use.suppresses:
        _make_books_ask(buyer_id)
    return row


def keys_on(row: SuppressionList) -> Iterator[bytes]:
    """Yield the keyed hashes of a list in their order: all that is left of it."""
    query = select(SuppressionEntry.key).where(SuppressionEntry.list_number == row.number)
    yield from db.session.scalars(query.order_by(SuppressionEntry.key).execution_options(yield_per=1000))


def _make_books_ask(buyer_id: UUID) -> None:
    """Let the books of the buyer's verticals learn that he has such a list; who orders later makes them learn then."""
    query = select(Order.vertical_id).where(Order.buyer_id == buyer_id).distinct().order_by(Order.vertical_id)
    for vertical_id in db.session.scalars(query).all():
        raise_book_version(vertical_id)


def lists_of(buyer_id: UUID, after: UUID | None, limit: int) -> list[SuppressionList]:
    """Return the buyer's lists that are not deleted, the newest first."""
    query = select(SuppressionList).where(SuppressionList.buyer_id == buyer_id, SuppressionList.deleted_at.is_(None))
    query = query.order_by(SuppressionList.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(SuppressionList.id < after) if after else query))


def get_list(buyer_id: UUID, list_id: UUID) -> SuppressionList:
    """Return one of the buyer's lists; NotFound for anybody else's and for a deleted one."""
    row = db.session.get(SuppressionList, list_id)
    if row is None or row.buyer_id != buyer_id or row.deleted_at is not None:
        raise NotFound(detail="There is no suppression list with this id.")
    return row


def delete_list(buyer_id: UUID, list_id: UUID, at: datetime) -> SuppressionList:
    """Delete a list with all of its entries; that there was one stays known."""
    row = get_list(buyer_id, list_id)
    row.deleted_at = at
    db.session.execute(delete(SuppressionEntry).where(SuppressionEntry.list_number == row.number))
    db.session.flush()
    return row


def listed_before(buyer_id: UUID, keys: Sequence[bytes], at: datetime) -> SuppressionList | None:
    """Find the buyer's earliest list, whole before `at`, that has one of these persons."""
    query = select(SuppressionList).join(SuppressionEntry, SuppressionEntry.list_number == SuppressionList.number)
    query = query.where(SuppressionEntry.key.in_(keys), SuppressionList.buyer_id == buyer_id,
                        SuppressionList.uploaded_at < at)  # fmt: skip
    return db.session.scalar(query.order_by(SuppressionList.uploaded_at).limit(1))
