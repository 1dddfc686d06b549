"""What waits for an operator's eye besides disputes: who and what stands still, since when, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, null, select, text, union_all

from affiliates import Publisher
from core.db import db
from core.errors import NotFound
from core.identity import Account
from core.job_desk import count_failed
from core.notifications import Webhook
from marketplace.leads.delivery.endpoint_rows import Endpoint
from marketplace.leads.models import Event
from marketplace.leads.sources.models import SourceStanding
from marketplace.orders.models import Order, OrderVersion
from marketplace.reports.claimants import claimants

SHOWN = 20  # of each kind; that there are more is said
SYSTEM = "system%"


@dataclass(frozen=True, slots=True)
class Section:
    """The first of what waits of one kind, the latest first, and how many there are in all."""

    rows: Sequence[Any]
    total: int

    @property
    def more(self) -> int:
        """Return how many are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that waits; `failed_jobs` are those that were tried as often as they are."""

    sources: Section
    accounts: Section
    claimants: Section
    endpoints: Section
    orders: Section
    webhooks: Section
    failed_jobs: int

    @property
    def total(self) -> int:
        """Return how many things wait, each failed job being one."""
        parts = (self.sources, self.accounts, self.claimants, self.endpoints, self.orders, self.webhooks)
        return sum(part.total for part in parts) + self.failed_jobs


def what_waits(at: datetime) -> Waiting:
    """Return what waits at an instant, in eight questions however much it is."""
    found = claimants(at)
    return Waiting(
        _section(_sources()), _section(_accounts()), Section(found[:SHOWN], len(found)), _section(_endpoints()),
        _section(_orders()), _section(_webhooks()), count_failed(),
    )  # fmt: skip


def stopped_source(publisher_id: UUID, name: str) -> SourceStanding:
    """Return how a publisher's source stands; NotFound for one that was never warned or paused."""
    row = db.session.get(SourceStanding, (publisher_id, name)) if "\0" not in name else None
    if row is None:
        raise NotFound(detail="This source was never warned or paused.")
    return row


def _section(query: Select[Any]) -> Section:
    rows = db.session.execute(query.limit(SHOWN)).all()
    return Section(rows, rows[0].total if rows else 0)


def _total() -> Any:
    return func.count().over().label("total")


def _sources() -> Select[Any]:
    query = select(SourceStanding.publisher_id, SourceStanding.source_name, SourceStanding.standing,
                   SourceStanding.changed_at, SourceStanding.why, Account.name, _total())  # fmt: skip
    query = query.join(Account, Account.id == SourceStanding.publisher_id).where(SourceStanding.standing != "active")
    return query.order_by(SourceStanding.changed_at.desc(), SourceStanding.publisher_id, SourceStanding.source_name)


def _accounts() -> Select[Any]:
    """Find paused publishers and suspended accounts; since when the latter are is not kept."""
    paused = select(Account.id, Account.name, Account.kind, literal("paused").label("standing"), Publisher.changed_at)
    suspended = select(Account.id, Account.name, Account.kind, Account.standing, null().label("changed_at"))
    both = union_all(
        paused.join(Publisher, Publisher.account_id == Account.id).where(Publisher.standing == "paused"),
        suspended.where(Account.standing == "suspended"),
    ).subquery()
    return select(both, _total()).order_by(both.c.changed_at.desc().nulls_last(), both.c.id, both.c.standing)


def _endpoints() -> Select[Any]:
    since = select(Event.at, Event.why).where(Event.subject_id == Endpoint.id, Event.move == "closed>open")
    event = since.order_by(Event.id.desc()).limit(1).lateral()
    query = select(Endpoint.id, Endpoint.buyer_id, Endpoint.address, Endpoint.state, Endpoint.probe_at, Account.name,
                   event.c.at.label("since"), event.c.why, _total())  # fmt: skip
    query = query.join(Account, Account.id == Endpoint.buyer_id).outerjoin(event, text("true"))
    return query.where(Endpoint.state != "closed").order_by(Endpoint.id.desc())


def _orders() -> Select[Any]:
    """Find the orders that the system paused, with what it said; a buyer's own pause is the buyer's affair."""
    last = select(Event.why).where(
        Event.subject_id == Order.id, Event.move == "active>paused", Event.actor.like(SYSTEM)
    )
    event = last.order_by(Event.id.desc()).limit(1).lateral()
    query = select(Order.id, Order.buyer_id, Order.terms["name"].astext.label("called"), Order.changed_at,
                   OrderVersion.actor, event.c.why, Account.name, _total())  # fmt: skip
    query = query.join(OrderVersion, (OrderVersion.order_id == Order.id) & (OrderVersion.version == Order.version))
    query = query.join(Account, Account.id == Order.buyer_id).outerjoin(event, text("true"))
    query = query.where(Order.status == "paused", OrderVersion.actor.like(SYSTEM))
    return query.order_by(Order.changed_at.desc(), Order.id)


def _webhooks() -> Select[Any]:
    """Find the webhooks that were given up on; one disabled by hand is its owner's affair."""
    query = select(Webhook.id, Webhook.account_id, Webhook.url, Webhook.disabled_at, Webhook.disabled_reason,
                   Webhook.failing_since, Account.name, Account.kind, _total())  # fmt: skip
    query = query.join(Account, Account.id == Webhook.account_id)
    query = query.where(Webhook.deleted_at.is_(None), Webhook.disabled_reason.in_(("gone", "failing")))
    return query.order_by(Webhook.disabled_at.desc(), Webhook.id)
