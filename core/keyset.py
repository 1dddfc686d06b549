"""Lists on pages: sorted by a column that may be chosen, and continued after the last row shown, however many follow.

The columns sorted by hold no nulls; equal values are told apart by the id, so no row is shown twice or skipped.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from core.db import db
from core.errors import Fault, Malformed

ROWS = 50
Columns = Mapping[str, InstrumentedAttribute[Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of a list is asked for, in which order; `after` is the value and the id of the last row shown."""

    sort: str
    descending: bool
    after: tuple[Any, UUID] | None = None
    limit: int = ROWS


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a list, and the cursor after which the next one begins; None at the end."""

    asked: Asked
    rows: Sequence[Any]
    next_cursor: str | None


def read_asked(query: Mapping[str, str], columns: Columns, default: str) -> Asked:
    """Read `sort` (a name, with - before it for the largest first) and `cursor`; Malformed names both when unusable."""
    text, cursor = query.get("sort", default), query.get("cursor")
    name, faults = text.removeprefix("-"), []
    if name not in columns:
        faults.append(Fault("sort", "not_allowed_value", f"Choose one of {', '.join(columns)}."))
        name = default.removeprefix("-")
    after = _read_cursor(cursor, columns[name]) if cursor else None
    if cursor and after is None:
        faults.append(Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor."))
    if faults:
        raise Malformed("bad_page", "This page cannot be shown.", faults)
    return Asked(name, text.startswith("-"), after)


def _read_cursor(cursor: str, column: InstrumentedAttribute[Any]) -> tuple[Any, UUID] | None:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii"))
        value, row_id = msgspec.json.decode(raw, type=tuple[Any, str])
        return msgspec.convert(value, column.type.python_type), UUID(row_id)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return None


def part_of(query: Select[Any], asked: Asked, columns: Columns, id_column: InstrumentedAttribute[Any]) -> Part:
    """Find the rows asked for and tell where the next part begins."""
    column = columns[asked.sort]
    key = tuple_(column, id_column)
    if asked.after is not None:
        query = query.where(key < asked.after if asked.descending else key > asked.after)
    order = (column.desc(), id_column.desc()) if asked.descending else (column.asc(), id_column.asc())
    rows = db.session.scalars(query.order_by(*order).limit(asked.limit + 1)).all()
    shown, last = rows[: asked.limit], None
    if len(rows) > asked.limit:
        values: tuple[Any, UUID] = (getattr(shown[-1], column.key), getattr(shown[-1], id_column.key))
        last = base64.urlsafe_b64encode(msgspec.json.encode(values)).decode()
    return Part(asked, shown, last)
