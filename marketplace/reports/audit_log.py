"""The log of what people and their programs did, the latest first, and of all that happened to one thing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, literal, select, text, tuple_, union_all

from core.db import db
from core.errors import Fault, Malformed
from core.identity import Account, Who, who_are
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import DEEDS, Event, Lead, Sale
from marketplace.orders.models import Order
from marketplace.reports.versions_log import Change, changes

IDS = {"lead": Lead.id, "sale": Sale.id, "dispute": Dispute.id, "order": Order.id, "account": Account.id}
PREFIXES = {"lead": "lead", "sale": "sale", "dispute": "dsp", "order": "ord", "account": "acc"}
NAMED = ("vertical", "setting")  # kinds that have a name instead of an id
KINDS = (*PREFIXES, *NAMED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1, microseconds=-1)
_LAST = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_NUMBERS = 64  # bits of a mark that hold the event's number; those above hold its instant


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the log is asked for; None stands for any.

    A day is given by its first instant. With an object all of its events are meant, the system's too; without one only
    what somebody did.
    """

    actor: str | None = None
    kind: str | None = None
    day: datetime | None = None
    object_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to which thing when; `id` grows with the instant, and with the number among those of one instant.

    `kind` is None for a thing that has no place of its own in the log, such as an endpoint; a vertical and a setting
    have a name instead of an id.
    """

    id: UUID
    at: datetime
    actor: str
    who: Who | None
    move: str
    why: str | None
    object_id: UUID | None
    kind: str | None
    name: str | None = None


def deeds(asked: Asked, after: UUID | None, limit: int) -> list[Deed]:
    """Return the latest deeds asked for after one, with who did them, in at most seven questions."""
    before = _place_of(after) if after is not None else None
    day = (asked.day, asked.day + _DAY) if asked.day is not None else None
    versions = changes(asked.actor, asked.kind, day, asked.object_id, before, limit)
    both = [*_events(asked, before, limit), *versions]
    told = sorted(both, key=lambda one: (one.at, one.number), reverse=True)[:limit]
    who, kinds = who_are(one.actor for one in told), _kinds_of({one.object_id for one in told if not one.kind})
    return [
        Deed(_mark_of(one.at, one.number), one.at, one.actor, who.get(one.actor), one.move, one.why, one.object_id,
             one.kind or kinds.get(one.object_id), one.name) for one in told
    ]  # fmt: skip


def _events(asked: Asked, before: tuple[datetime, int] | None, limit: int) -> list[Change]:
    if asked.kind in NAMED:
        return []
    query = _narrowed(asked)
    if before is not None:
        query = query.where(tuple_(Event.at, Event.id) < before)
    rows = db.session.scalars(query.order_by(Event.at.desc(), Event.id.desc()).limit(limit))
    return [Change(row.at, row.id, row.actor, row.move, row.why, "", row.subject_id, None) for row in rows]


def accounts_among(found: Sequence[Deed]) -> Mapping[UUID, tuple[str, str]]:
    """Return the kind and the name of each account that something was done to."""
    ids = {one.object_id for one in found if one.kind == "account"}
    if not ids:
        return {}
    rows = db.session.execute(select(Account.id, Account.kind, Account.name).where(Account.id.in_(ids)))
    return {account_id: (kind, name) for account_id, kind, name in rows}


def _narrowed(asked: Asked) -> Select[Event]:
    query = select(Event)
    # The index of deeds is only found by its own words.
    query = query.where(text(DEEDS)) if asked.object_id is None else query.where(Event.subject_id == asked.object_id)
    if asked.actor is not None:
        query = query.where(Event.actor == asked.actor)
    if asked.kind is not None:
        query = query.where(select(literal(1)).where(IDS[asked.kind] == Event.subject_id).exists())
    if asked.day is not None:
        query = query.where(Event.at >= asked.day, Event.at <= asked.day + _DAY)
    return query


def _kinds_of(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    wanted = list(ids)
    if not wanted:
        return {}
    parts = [select(id_, literal(kind).label("kind")).where(id_.in_(wanted)) for kind, id_ in IDS.items()]
    return {row.id: row.kind for row in db.session.execute(union_all(*parts))}


def _mark_of(at: datetime, number: int) -> UUID:
    return UUID(int=(at - _EPOCH) // timedelta(microseconds=1) << _NUMBERS | number)


def _place_of(mark: UUID) -> tuple[datetime, int]:
    """Read a mark; Malformed for one of an instant or a number that cannot be."""
    instant, number = divmod(mark.int, 1 << _NUMBERS)
    if instant > _LAST or number >= 1 << _NUMBERS - 1:
        fault = Fault("cursor", "bad_cursor", "Send a cursor that this list gave as next_cursor.")
        raise Malformed("bad_page", "This page cannot be shown.", [fault])
    return _EPOCH + timedelta(microseconds=instant), number
