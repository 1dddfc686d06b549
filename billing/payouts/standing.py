"""Payouts read: an earner's own, what waits for whom, what is on its way, the steps of one, and who was paid before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from billing.ledger import PAYABLE
from billing.models import Earner, Entry, Transaction
from billing.payouts.models import Payout, PayoutEvent, PayoutFile, PayoutRail, PayoutResult, PayoutRun
from billing.payouts.stages import IN_FLIGHT, WAITING
from core.db import db
from core.errors import NotFound
from core.money import Money

BY_STATEMENT = "bank_returned"  # why a payout failed whose money a statement shows to be back


@dataclass(frozen=True, slots=True)
class ShownPayout:
    """A payout beside its rail, if any was found, and the day of its run."""

    payout: Payout
    rail: PayoutRail | None
    run: PayoutRun


@dataclass(frozen=True, slots=True)
class ToPay:
    """What one earner has in a currency."""

    account_id: UUID
    payable: Money
    owed: Money


def earners_to_pay(currency: str, after: UUID | None, most: int) -> list[ToPay]:
    """Return the earners to whom something is payable, or who owe something, in the order of their ids."""
    query = select(Earner).where(Earner.currency == currency, (Earner.payable > 0) | (Earner.owed > 0))
    query = query.where(Earner.account_id > after) if after else query
    rows = db.session.scalars(query.order_by(Earner.account_id).limit(most).execution_options(populate_existing=True))
    return [_to_pay(row, currency) for row in rows]


def to_pay(account_id: UUID, currency: str) -> ToPay:
    """Return what one earner has; zeros before the first settlement."""
    row = db.session.get(Earner, (account_id, currency), populate_existing=True)
    return _to_pay(row, currency) if row else ToPay(account_id, Money(0, currency), Money(0, currency))


def _to_pay(row: Earner, currency: str) -> ToPay:
    return ToPay(row.account_id, Money(row.payable, currency), Money(row.owed, currency))


def paid_currencies() -> list[str]:
    """Return the currencies in which anybody ever earned."""
    return list(db.session.scalars(select(Earner.currency).distinct().order_by(Earner.currency)))


def place_of(rail: PayoutRail) -> str:
    """Return a place as it is compared: one address at two payers is two."""
    return f"{rail.kind}:{rail.destination or ''}"


def paid_places(account_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Return where each of these earners was ever paid, in one question; who never was is not among them."""
    query = select(Payout.account_id, PayoutRail).distinct().join(PayoutRail, PayoutRail.id == Payout.rail_id)
    query = query.where(Payout.account_id.in_(account_ids), Payout.state == "paid")
    places: dict[UUID, set[str]] = {}
    for account_id, rail in db.session.execute(query):
        places.setdefault(account_id, set()).add(place_of(rail))
    return places


def places_of(account_ids: Sequence[UUID]) -> tuple[dict[UUID, PayoutRail], set[UUID]]:
    """Return where some earners are paid now, and at whose place another earner is paid at present too, at once."""
    other = aliased(PayoutRail)
    is_shared = select(other.id).where(
        other.ended_at.is_(None), other.kind == PayoutRail.kind, other.destination == PayoutRail.destination,
        other.id != PayoutRail.id,
    )  # fmt: skip
    query = select(PayoutRail, is_shared.exists()).where(
        PayoutRail.account_id.in_(account_ids), PayoutRail.ended_at.is_(None)
    )
    rows = db.session.execute(query.execution_options(populate_existing=True)).all()
    return {rail.account_id: rail for rail, _ in rows}, {rail.account_id for rail, shared in rows if shared}


def came_back_of(account_ids: Sequence[UUID], currency: str) -> set[UUID]:
    """Return those whose newest payout came back by somebody's word alone: its file was given up or a sheet said so."""
    later = aliased(Payout)
    is_not_last = select(later.id).where(
        later.account_id == Payout.account_id, later.currency == Payout.currency, later.ordered_at.is_not(None),
        later.id > Payout.id,
    )  # fmt: skip
    query = select(Payout.account_id).where(
        Payout.account_id.in_(account_ids), Payout.currency == currency, Payout.file_id.is_not(None),
        Payout.state.in_(("failed", "refused")), Payout.reason != BY_STATEMENT, ~is_not_last.exists(),
    )  # fmt: skip
    return set(db.session.scalars(query))


def payable_since(account_ids: Sequence[UUID], currency: str) -> dict[UUID, datetime]:
    """Return since when earners wait for what is payable: when they were last paid, else when they first earned."""
    asked = select(func.unnest(array(account_ids, type_=PG_UUID)).label("account_id")).subquery()
    paid = select(func.max(Payout.ordered_at)).where(
        Payout.account_id == asked.c.account_id, Payout.currency == currency, Payout.state.in_((*IN_FLIGHT, "paid"))
    )
    first = select(Transaction.occurred_at).join(Entry, Entry.transaction_id == Transaction.id).where(
        Entry.owner_id == asked.c.account_id, Entry.currency == currency, Entry.account == PAYABLE,
        Entry.amount_minor < 0,
    )  # fmt: skip
    earned = first.order_by(Entry.transaction_id).limit(1)
    since = select(asked.c.account_id, func.coalesce(paid.scalar_subquery(), earned.scalar_subquery()))
    rows = db.session.execute(since) if account_ids else ()
    return {account_id: instant for account_id, instant in rows if instant is not None}


def payouts_of(account_id: UUID, most: int = 50, before: UUID | None = None) -> list[ShownPayout]:
    """Return an earner's payouts and why there was none, the newest first."""
    query = _shown().where(Payout.account_id == account_id)
    query = query.where(Payout.id < before) if before else query
    return [ShownPayout(*row) for row in db.session.execute(query.order_by(Payout.id.desc()).limit(most))]


def get_payout(payout_id: UUID, account_id: UUID | None = None) -> ShownPayout:
    """Return one payout; NotFound for another earner's than the one named."""
    row = db.session.execute(_shown().where(Payout.id == payout_id)).first()
    if row is None or account_id not in (None, row[0].account_id):
        raise NotFound(detail="There is no payout of yours with this id.")
    return ShownPayout(*row)


def events_of(payout_id: UUID) -> list[PayoutEvent]:
    """Return the steps of a payout, the first one first."""
    query = select(PayoutEvent).where(PayoutEvent.payout_id == payout_id)
    return list(db.session.scalars(query.order_by(PayoutEvent.number)))


def payouts_in(states: Sequence[str], most: int = 100, *, newest_first: bool = False) -> list[ShownPayout]:
    """Return the payouts of these states, the oldest first unless told otherwise."""
    query = _shown().where(Payout.state.in_(states)).limit(most)
    query = query.order_by(Payout.moved_at.desc(), Payout.id.desc()) if newest_first else query.order_by(Payout.id)
    return [ShownPayout(*row) for row in db.session.execute(query)]


@dataclass(frozen=True, slots=True)
class Counted:
    """How many payouts stand in one state, in one currency and on one rail, and what they sum to."""

    state: str
    kind: str
    count: int
    money: Money


def counted_payouts() -> list[Counted]:
    """Count the payouts that wait or are on their way."""
    query = select(Payout.state, PayoutRail.kind, Payout.currency, func.count(), func.sum(Payout.amount_minor))
    query = query.join(PayoutRail, PayoutRail.id == Payout.rail_id).where(Payout.state.in_((*WAITING, *IN_FLIGHT)))
    rows = db.session.execute(query.group_by(Payout.state, PayoutRail.kind, Payout.currency).order_by(PayoutRail.kind))
    return [Counted(state, kind, count, Money(int(minor), currency)) for state, kind, currency, count, minor in rows]


def files_lately(most: int = 30) -> list[PayoutFile]:
    """Return the files that were made, the newest first."""
    return list(db.session.scalars(select(PayoutFile).order_by(PayoutFile.id.desc()).limit(most)))


def get_file(file_id: UUID) -> PayoutFile:
    """Return a file; NotFound when there is none."""
    found = db.session.get(PayoutFile, file_id, populate_existing=True)
    if found is None:
        raise NotFound(detail="There is no file of payouts with this id.")
    return found


def payouts_of_file(file_id: UUID) -> list[ShownPayout]:
    """Return the lines of a file, in the order of their earners."""
    query = _shown().where(Payout.file_id == file_id)
    return [ShownPayout(*row) for row in db.session.execute(query.order_by(Payout.account_id))]


def get_results(results_id: UUID) -> PayoutResult:
    """Return a file of results; NotFound when there is none."""
    found = db.session.get(PayoutResult, results_id)
    if found is None:
        raise NotFound(detail="There is no file of results with this id.")
    return found


def results_lately(most: int = 20) -> list[PayoutResult]:
    """Return the files of results that were taken in, the newest first."""
    return list(db.session.scalars(select(PayoutResult).order_by(PayoutResult.id.desc()).limit(most)))


def _shown() -> Select[Payout, PayoutRail, PayoutRun]:
    query = select(Payout, PayoutRail, PayoutRun).join(PayoutRun, PayoutRun.id == Payout.run_id)
    return query.outerjoin(PayoutRail, PayoutRail.id == Payout.rail_id).execution_options(populate_existing=True)
