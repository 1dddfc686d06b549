"""The books for operators: the last audit with what it found, and the journal narrowed to a thing of the market."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from billing import JournalAsked, Line, Posted, TrialLine, journal_of, lines_of, posting_of
from core.db import db
from core.jobs import is_waiting
from core.money import Money
from marketplace.audit_runs import JOB, Audit, Finding, findings_of
from marketplace.leads.dispute_rows import Dispute
from marketplace.leads.models import Sale
from marketplace.orders.models import Order
from marketplace.reports.dispute_queue import names_of

ROWS = 50
KEPT = 10  # audits that are listed
STALE = timedelta(hours=1)  # an audit without a step for so long is taken for stuck
MOST_SAVED = 50_000  # transactions of one sheet
SALES = 1000  # of an order, the newest, whose transactions are looked for


@dataclass(frozen=True, slots=True)
class Books:
    """The last ended audit with its findings, the one under way with how far it is, and whether one waits."""

    last: Audit | None
    findings: Sequence[Finding]
    running: Audit | None
    done: int
    is_stuck: bool
    is_queued: bool
    audits: Sequence[Audit]

    @property
    def wrong(self) -> list[Finding]:
        """Return the findings with differences."""
        return [one for one in self.findings if one.differences]

    @property
    def balances(self) -> list["TrialBalance"]:
        """Return the trial balance of each currency."""
        lines = [TrialLine(**one) for one in (self.last.balance if self.last else ())]
        return [TrialBalance(code, tuple(rows)) for code, rows in groupby(lines, lambda line: line.currency)]


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The debits and credits of one currency, which must be equal."""

    currency: str
    lines: Sequence[TrialLine]

    @property
    def debits(self) -> Money:
        """Return the sum of all debits."""
        return Money(sum(one.debit_minor for one in self.lines), self.currency)

    @property
    def credits(self) -> Money:
        """Return the sum of all credits."""
        return Money(sum(one.credit_minor for one in self.lines), self.currency)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a journal is narrowed to; `of` is the kind and the id of a lead, an order or a sale. None stands for any."""

    kind: str | None = None
    account_id: UUID | None = None
    on: date | None = None
    of: tuple[str, UUID] | None = None


@dataclass(frozen=True, slots=True)
class Journal:
    """One part of the journal, after which transaction the next begins, and whether an order has more sales."""

    rows: Sequence[Posted]
    next_before: UUID | None
    is_cut: bool


@dataclass(frozen=True, slots=True)
class PostingStory:
    """One transaction with its entries, and what their owners are called."""

    posted: Posted
    lines: Sequence[Line]
    names: Mapping[UUID, str]


def books_of(at: datetime) -> Books:
    """Read what is known of the books; nothing is audited here."""
    audits = list(db.session.scalars(select(Audit).order_by(Audit.id.desc()).limit(KEPT)))
    ended = select(Audit).where(Audit.ended_at.is_not(None)).order_by(Audit.ended_at.desc(), Audit.id.desc())
    last = db.session.scalar(ended.limit(1))
    running = audits[0] if audits and audits[0].ended_at is None else None
    steps = findings_of(running.id) if running else []
    heard = steps[-1].asked_at if steps else running.begun_at if running else at
    return Books(
        last, findings_of(last.id) if last else (), running, len(steps), at - heard > STALE, is_waiting(JOB), audits
    )  # fmt: skip


def journal_part(sought: Sought, before: UUID | None, rows: int = ROWS) -> Journal:
    """Read one part of the journal, the newest first."""
    asked, is_cut = _asked(sought)
    found = journal_of(asked, rows + 1, before)
    return Journal(found[:rows], found[rows - 1].transaction.id if len(found) > rows else None, is_cut)


def every_posting(sought: Sought) -> Iterator[Posted | None]:
    """Read the journal as it is narrowed, a part at a time; None at the end when it was not the whole of it."""
    before, asked = None, _asked(sought)
    for _ in range(MOST_SAVED // SALES):
        found = journal_of(asked[0], SALES, before)
        yield from found
        if len(found) < SALES:
            break
        before = found[-1].transaction.id
    else:
        yield None
        return
    if asked[1]:
        yield None


def posting_story(transaction_id: UUID) -> PostingStory:
    """Tell one transaction; NotFound when there is none."""
    posted, lines = posting_of(transaction_id), lines_of(transaction_id)
    return PostingStory(posted, lines, names_of(one.owner_id for one in lines if one.owner_id))


def _asked(sought: Sought) -> tuple[JournalAsked, bool]:
    asked = JournalAsked(sought.kind, sought.account_id)
    if sought.on:
        asked = replace(
            asked, since=(midnight := datetime.combine(sought.on, time(), UTC)), until=midnight + timedelta(days=1)
        )
    if sought.of is None:
        return asked, False
    sales = db.session.scalars(_sales_of(*sought.of).limit(SALES + 1)).all()
    holds = sales[:SALES]
    disputes = db.session.scalars(select(Dispute.id).where(Dispute.sale_id.in_(holds)))
    return replace(asked, holds=holds, keys=[key for one in disputes for key in _keys_of(one)]), len(sales) > SALES


def _keys_of(dispute: UUID) -> Sequence[str]:
    return (f"compensation:dispute:{dispute}", f"dsp:{dispute}:fee", f"dsp:{dispute}:fee:back")


def _sales_of(kind: str, thing: UUID) -> Select[Any]:
    query = select(Sale.id).order_by(Sale.id.desc())
    if kind == "order":  # found by its buyer, whose sales are indexed
        buyer = select(Order.buyer_id).where(Order.id == thing).scalar_subquery()
        return query.where(Sale.buyer_id == buyer, Sale.order_id == thing)
    return query.where(Sale.lead_id == thing if kind == "lead" else Sale.id == thing)
