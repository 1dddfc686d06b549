"""The operator's disputes: how many wait for a decision and since when, and the list of them, narrowed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from core.db import db
from core.identity import Account
from core.keyset import Asked, Columns, Part, part_of
from core.money import Money
from marketplace.catalog.models import VerticalRow
from marketplace.leads.dispute_rows import Appeal, Dispute
from marketplace.leads.models import Lead, Sale

SORTS: Columns = {"opened": Dispute.id, "due": Dispute.decide_by}  # ids grow with the time of opening
WAITING = "waiting"
UNDECIDED = ("open", "appealed")
STATES = (WAITING, "open", "appealed", "upheld", "rejected", "partial", "repriced")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many disputes are open, and when the oldest of them was opened."""

    disputes: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which disputes are asked for; None stands for any."""

    state: str = WAITING
    reason: str | None = None
    vertical: str | None = None
    buyer_id: UUID | None = None
    publisher_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a row of the list says beside its dispute; `due_at` is when silence decides, None once it is decided."""

    price: Money
    vertical: str
    source: str
    buyer: str
    publisher: str
    due_at: datetime | None


_OPEN = select(func.count(), func.min(Dispute.opened_at)).where(Dispute.state == "open")


def waiting_disputes() -> Waiting:
    """Count the disputes that wait for a decision."""
    return Waiting(*db.session.execute(_OPEN).one())


def queue_of(asked: Asked, narrowed: Narrowed) -> Part:
    """Return one part of the disputes asked for."""
    states = UNDECIDED if narrowed.state == WAITING else (narrowed.state,)
    query = select(Dispute).where(Dispute.state.in_(states))
    query = query.where(Dispute.reason == narrowed.reason) if narrowed.reason else query
    query = query.where(Dispute.buyer_id == narrowed.buyer_id) if narrowed.buyer_id else query
    query = query.where(Dispute.publisher_id == narrowed.publisher_id) if narrowed.publisher_id else query
    return part_of(_of_vertical(query, narrowed.vertical) if narrowed.vertical else query, asked, SORTS, Dispute.id)


def _of_vertical(query: Select[Dispute], slug: str) -> Select[Dispute]:
    query = query.join(Sale, Sale.id == Dispute.sale_id).join(Lead, Lead.id == Sale.lead_id)
    return query.join(VerticalRow, VerticalRow.id == Lead.vertical_id).where(VerticalRow.slug == slug)


def about_disputes(disputes: Iterable[Dispute]) -> dict[UUID, About]:
    """Return what a list says of each of these disputes, in two questions however many they are."""
    rows = list(disputes)
    query = select(Dispute.id, Dispute.state, Dispute.decide_by, Appeal.decide_by, Sale.price_minor, Sale.currency,
                   VerticalRow.slug, Lead.source_name)  # fmt: skip
    query = query.join(Sale, Sale.id == Dispute.sale_id).join(Lead, Lead.id == Sale.lead_id)
    query = query.join(VerticalRow, VerticalRow.id == Lead.vertical_id).outerjoin(
        Appeal, Appeal.dispute_id == Dispute.id
    )
    found = db.session.execute(query.where(Dispute.id.in_([row.id for row in rows])))
    names = names_of(account for row in rows for account in (row.buyer_id, row.publisher_id))
    sides = {row.id: (names[row.buyer_id], names[row.publisher_id]) for row in rows}
    return {
        dispute: About(Money(price, currency), slug, source, *sides[dispute],
                       {"open": due, "appealed": appeal_due}.get(state))
        for dispute, state, due, appeal_due, price, currency, slug, source in found
    }  # fmt: skip


def names_of(account_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return what each of these accounts is called."""
    rows = db.session.execute(select(Account.id, Account.name).where(Account.id.in_(set(account_ids))))
    return {row.id: row.name for row in rows}
