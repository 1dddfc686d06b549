"""What the log reads besides events: versions of orders and verticals, and what operators said on settings.

They are the record of who changed what already, so nothing is written twice; a change that also left an event, with its
reason, is told by the event alone.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    text,
    tuple_,
)  # fmt: skip
from sqlalchemy.orm import aliased

from core.db import db
from core.overrides import OverrideVersion
from marketplace.catalog.models import VerticalRow, VerticalVersion
from marketplace.leads.models import Event
from marketplace.orders.models import BY_PEOPLE, OrderVersion

CHANGED = "changed"
_ABOVE_EVENTS = 1 << 62  # so that no number of a version is one of an event
_HASHED = _ABOVE_EVENTS - 1


@dataclass(frozen=True, slots=True)
class Change:
    """One version of something: `number` tells it from others of the same instant, `name` is set where no id is."""

    at: datetime
    number: int
    actor: str
    move: str
    why: str | None
    kind: str
    object_id: UUID | None
    name: str | None


def changes(
    actor: str | None, kind: str | None, day: tuple[datetime, datetime] | None, object_id: UUID | None,
    before: tuple[datetime, int] | None, limit: int,
) -> list[Change]:  # fmt: skip
    """Return the latest versions of each kind before a place in the log, unsorted, at most so many of each."""
    found: list[Change] = []
    for name, (query, at, by, number) in _sources(object_id).items():
        if kind not in (None, name) or (object_id is not None and name != "order"):
            continue
        where: list[Any] = []
        if object_id is None:
            where.append(text(BY_PEOPLE) if name == "order" else by.not_like("system%"))
        if actor is not None:
            where.append(by == actor)
        if day is not None:
            where.append(at.between(*day))
        if before is not None:
            where += [at <= before[0], tuple_(at, number) < before]
        latest = query.where(*where).order_by(at.desc(), number.desc()).limit(limit)
        found += [
            Change(row.at, row.number, row.actor, row.move, row.why, name, row.object_id, row.name)
            for row in db.session.execute(latest)
        ]
    return found


Source = tuple[Any, Any, Any, ColumnElement[int]]  # a query, and its columns: when, who, and the number


def _sources(object_id: UUID | None) -> dict[str, Source]:
    return {"order": _orders(object_id), "vertical": _verticals(), "setting": _settings()}


def _orders(object_id: UUID | None) -> Source:
    own = OrderVersion
    before = aliased(OrderVersion)
    number = _number(cast(own.order_id, Text), own.version)
    move = case(
        (before.status.is_(None), literal("new>") + own.status),
        (before.status != own.status, before.status + literal(">") + own.status),
        else_=CHANGED,
    )
    told = exists().where(Event.subject_id == own.order_id, Event.at == own.at, Event.actor == own.actor)
    query = _told(own.at, number, own.actor, move, object_id=own.order_id).outerjoin(
        before, and_(before.order_id == own.order_id, before.version == own.version - 1)
    )
    query = query.where(~told)
    return query.where(own.order_id == object_id) if object_id else query, own.at, own.actor, number


def _verticals() -> Source:
    own = VerticalVersion
    number = _number(cast(own.vertical_id, Text), own.book_version)
    query = _told(own.at, number, own.actor, literal(CHANGED), name=VerticalRow.slug)
    return query.join(VerticalRow, VerticalRow.id == own.vertical_id), own.at, own.actor, number


def _settings() -> Source:
    own = OverrideVersion
    number = _number(own.key, own.version)
    query = _told(own.at, number, own.actor, literal(CHANGED), why=own.reason, name=own.key)
    return query, own.at, own.actor, number


def _told(at: Any, number: Any, actor: Any, move: Any, **more: Any) -> Select[Any]:
    columns = {"at": at, "number": number, "actor": actor, "move": move} | {
        name: more.get(name, null()) for name in ("why", "object_id", "name")
    }
    return select(*(column.label(name) for name, column in columns.items()))


def _number(name: Any, version: Any) -> ColumnElement[int]:
    hashed: ColumnElement[int] = func.hashtextextended(name, cast(version, BigInteger), type_=BigInteger)
    return hashed.op("&")(cast(_HASHED, BigInteger)).op("|")(cast(_ABOVE_EVENTS, BigInteger))
