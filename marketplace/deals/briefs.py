"""Briefs: what a buyer asks to be made for him, posted, read and cancelled."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import any_, func, literal, or_, select

from core.db import db
from core.errors import Fault, Invalid, NotFound
from core.identity import Account
from core.ids import new_id, parse_id
from marketplace.catalog.shelf import get_vertical
from marketplace.deals.models import Brief
from marketplace.deals.stages import CANCELLED, OPEN, move
from marketplace.leads.models import Event
from marketplace.orders.standing import check_order
from marketplace.orders.terms import OrderBody, limits_in

MOST_LEADS, MOST_PUBLISHERS = 1_000_000, 100
LONGEST = timedelta(days=400)
Count = Annotated[int, Meta(extra_json_schema={"minimum": 1})]


class BriefBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new brief: the order that each deal of it becomes, and what all of them together may bring.

    Leads of a brief are made for one buyer, so the order is exclusive; what was bought is read in the portal until the
    buyer gives a deal's order a delivery. Without publishers, every publisher may accept.
    """

    order: OrderBody
    volume: Count
    ends_at: Annotated[datetime, Meta(tz=True)]
    starts_at: Annotated[datetime, Meta(tz=True)] | None = None
    publishers: list[str] | None = None


def post_brief(buyer_id: UUID, asked: BriefBody, actor: str, at: datetime) -> Brief:
    """Post a brief that publishers may accept from the commit on; Invalid `invalid_brief` names every fault."""
    vertical_id, vertical = get_vertical(asked.order.vertical, lock=True)
    body = msgspec.structs.replace(asked.order, status="active")
    starts_at = asked.starts_at or at
    publishers = [_id_of(each) for each in asked.publishers or ()]
    faults = [*_faults(asked, publishers, starts_at, at), *_order_faults(body)]
    faults += [Fault(f"order.{each.field}", each.code, each.message) for each in check_order(body, vertical)]
    if faults:
        raise Invalid("invalid_brief", "The brief cannot be posted as it is; each fault is named.", faults)
    row = Brief(
        id=new_id(), buyer_id=buyer_id, vertical_id=vertical_id, state=OPEN, body=plain_body(body),
        publishers=publishers, volume=asked.volume, taken=0, starts_at=starts_at, ends_at=asked.ends_at, created_at=at,
        changed_at=at,
    )  # fmt: skip
    db.session.add_all([row, Event(subject_id=row.id, at=at, move=f"new>{OPEN}", actor=actor)])
    db.session.flush()
    return row


def cancel_brief(buyer_id: UUID, brief_id: UUID, actor: str, at: datetime) -> Brief:
    """Let nobody accept a brief any more; deals that were made of it run on. Conflict `not_now` once it has ended."""
    row = get_brief(brief_id, lock=True)
    if row.buyer_id != buyer_id:
        raise NotFound(detail="There is no brief with this id.")
    move(row, CANCELLED, actor, at)
    return row


def get_brief(brief_id: UUID, lock: bool = False) -> Brief:
    """Return a brief; NotFound when there is none."""
    query = select(Brief).where(Brief.id == brief_id)
    query = query.with_for_update().execution_options(populate_existing=True) if lock else query
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(detail="There is no brief with this id.")
    return row


def briefs_of(buyer_id: UUID, after: UUID | None, limit: int) -> list[Brief]:
    """Return a buyer's briefs, the newest first."""
    query = select(Brief).where(Brief.buyer_id == buyer_id).order_by(Brief.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Brief.id < after) if after else query))


def briefs_for(publisher_id: UUID, at: datetime, after: UUID | None, limit: int) -> list[Brief]:
    """Return the briefs that a publisher may accept at this moment, the newest first."""
    for_all = func.cardinality(Brief.publishers) == 0
    query = select(Brief).where(
        Brief.state == OPEN, Brief.ends_at > at, or_(for_all, literal(publisher_id) == any_(Brief.publishers))
    )
    query = query.order_by(Brief.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Brief.id < after) if after else query))


def body_of_brief(row: Brief) -> OrderBody:
    """Return the order that a deal of the brief becomes."""
    return msgspec.convert(row.body, OrderBody)


def plain_body(body: OrderBody) -> Any:
    """Return an order's body as it is kept, without what it leaves out."""
    return msgspec.to_builtins(body)


def _id_of(text: str) -> UUID:
    return parse_id("acc", text)


def _faults(asked: BriefBody, publishers: list[UUID], starts_at: datetime, at: datetime) -> Iterator[Fault]:
    if not 1 <= asked.volume <= MOST_LEADS:
        yield Fault("volume", "out_of_range", f"Ask for 1 to {MOST_LEADS} leads.")
    if asked.ends_at <= max(starts_at, at):
        yield Fault("ends_at", "out_of_range", "Let the brief end after it starts, and in the future.")
    elif asked.ends_at - starts_at > LONGEST:
        yield Fault("ends_at", "out_of_range", f"A brief runs {LONGEST.days} days at most.")
    if len(publishers) > MOST_PUBLISHERS:
        yield Fault("publishers", "too_many", f"Name at most {MOST_PUBLISHERS} publishers, or none for all.")
    known = set(db.session.scalars(select(Account.id).where(Account.id.in_(publishers), Account.kind == "publisher")))
    for place, each in enumerate(publishers):
        if each not in known:
            yield Fault(f"publishers.{place}", "unknown_publisher", "There is no publisher with this id.")


def _order_faults(body: OrderBody) -> Iterator[Fault]:
    if body.exclusivity != "exclusive":
        yield Fault("order.exclusivity", "not_for_brief", "Leave it exclusive: these leads are made for one buyer.")
    if body.delivery is not None:
        yield Fault(
            "order.delivery", "not_for_brief", "Leave it out; give the deal's order a delivery once it is there."
        )
    if body.caps is not None and "total" in limits_in(body.caps):
        yield Fault("order.caps.total", "not_for_brief", "Leave it out: what a publisher promises is the cap in all.")
    if body.settings:
        yield Fault("order.settings", "not_for_brief", "Leave them out: a brief says nothing of settings.")
