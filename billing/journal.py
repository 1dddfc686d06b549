"""The journal: every transaction of the books, the newest first, narrowed, and the entries of one.

What is asked is indexed: by id (which grows with the time of posting), by owner, by key, by hold, by the kinds that
are rare, and by the day on which it happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select, union_all

from billing.credit.models import Draw
from billing.models import (
    RARE_KIND,
    ChartOfAccounts,
    Entry,
    Hold,
    HoldResolution,
    LotResolution,
    Refund,
    Transaction,
)
from core.db import db
from core.errors import NotFound

COMMON_KINDS = ("hold", "resolve")  # found by going backwards; the other kinds have an index
KINDS = (
    *COMMON_KINDS, "credit", "promo", "own_funds", "top_up", "card_payment", "card_refund", "card_payout", "card_fee",
    "give_back", "give_back_failed", "chargeback_withdrawn", "chargeback_won", "chargeback_lost", "suspense", "mature",
    "refund", "compensate", "clawback", "fee", "fee_back", "draw", "debt_paid", "bank_credit", "bank_suspense",
    "bank_return", "bank_payout", "suspense_assign", "suspense_return", "suspense_fees", "suspense_fx",
    "suspense_charge", "suspense_payouts", "payout", "payout_back", "transfer", "transfer_back", "write_off",
    "vat_invoice", "vat_statement",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """Which transactions are asked for; None stands for any. `holds` and `keys` together name what one thing moved."""

    kind: str | None = None
    owner_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    holds: Sequence[UUID] | None = None
    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """One transaction and how much it moved, in minor units: the sum of its debits."""

    transaction: Transaction
    turnover_minor: int


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with the name of its place; a debit is positive."""

    name: str
    owner_id: UUID | None
    amount_minor: int


def journal_of(asked: Asked, limit: int, before: UUID | None = None) -> list[Posted]:
    """Read the transactions asked for, the newest first; `before` is the last page's last id."""
    query = _narrowed(select(Transaction), asked, limit, before)
    query = query.where(Transaction.id < before) if before else query
    found = db.session.scalars(query.order_by(Transaction.id.desc()).limit(limit)).all()
    return _with_turnover(found)


def posting_of(transaction_id: UUID) -> Posted:
    """Return one transaction; NotFound when there is none."""
    found = db.session.get(Transaction, transaction_id)
    if found is None:
        raise NotFound(detail="There is no transaction with this id.")
    return _with_turnover([found])[0]


def lines_of(transaction_id: UUID) -> list[Line]:
    """Read the entries of a transaction in their order."""
    query = select(ChartOfAccounts.name, Entry.sub_account, Entry.owner_id, Entry.amount_minor)
    query = query.join(ChartOfAccounts, ChartOfAccounts.code == Entry.account)
    rows = db.session.execute(query.where(Entry.transaction_id == transaction_id).order_by(Entry.line))
    return [Line(f"{name}:{sub}" if sub else name, owner, minor) for name, sub, owner, minor in rows]


def _with_turnover(found: Sequence[Transaction]) -> list[Posted]:
    ids = [one.id for one in found]
    query = select(Entry.transaction_id, func.sum(Entry.amount_minor)).where(
        Entry.transaction_id.in_(ids), Entry.amount_minor > 0
    )
    sums = {row[0]: int(row[1]) for row in db.session.execute(query.group_by(Entry.transaction_id))}
    return [Posted(one, sums.get(one.id, 0)) for one in found]


def _narrowed(query: Select[Transaction], asked: Asked, limit: int, before: UUID | None) -> Select[Transaction]:
    if asked.kind:
        query = query.where(Transaction.kind == asked.kind)
        query = query if asked.kind in COMMON_KINDS else query.where(RARE_KIND)  # says that the index serves
    if asked.since:
        query = query.where(Transaction.occurred_at >= asked.since)
    if asked.until:
        query = query.where(Transaction.occurred_at < asked.until)
    if asked.owner_id:
        query = query.where(Transaction.id.in_(_of_owner(asked, limit, before)))
    if asked.holds is not None:
        query = query.where(or_(Transaction.id.in_(_of_holds(asked.holds)), Transaction.key.in_(asked.keys)))
    return query


def _of_owner(asked: Asked, limit: int, before: UUID | None) -> Select[UUID]:
    """Choose an owner's transactions; when nothing else narrows them, only as many as a page shows."""
    ids = select(Entry.transaction_id).distinct().where(Entry.owner_id == asked.owner_id)
    ids = ids.where(Entry.transaction_id < before) if before else ids
    if asked.kind or asked.since or asked.until or asked.holds is not None:
        return ids
    return ids.order_by(Entry.transaction_id.desc()).limit(limit)


def _of_holds(holds: Iterable[UUID]) -> Select[UUID]:
    wanted = list(holds)
    parts = union_all(
        select(Hold.transaction_id).where(Hold.id.in_(wanted)),
        select(HoldResolution.transaction_id).where(HoldResolution.hold_id.in_(wanted)),
        select(LotResolution.transaction_id).where(LotResolution.lot_id.in_(wanted)),
        select(Refund.transaction_id).where(Refund.hold_id.in_(wanted)),
        select(Draw.transaction_id).where(Draw.hold_id.in_(wanted)),
    ).subquery()
    return select(parts.c.transaction_id)
