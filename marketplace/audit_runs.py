"""Audits that are kept: asked for, done one check a job, and read by whoever wants to know whether the books are right.

A check reads whole tables, so none is asked within a request; the command line asks the same checks at once.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Boolean, CheckConstraint, DateTime, ForeignKey, SmallInteger, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from billing import Check, ask_check, figures_of, trial_balance
from core.db import Model, db
from core.identity import accounts_of_kind
from core.ids import new_id
from core.jobs import enqueue
from core.outbox import announce
from marketplace.audit import ALL_CHECKS

JOB, STEP = "market.audit", "market.audit_step"
PUT_OFF = timedelta(minutes=10)  # a check that lasts is put back on the queue beside itself, and must not take it up
_TAKE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:audit, :number))")
Instant = DateTime(timezone=True)


class Audit(Model):
    """One audit; `figures`, `balance` (the trial balance) and how many `checks` were asked are taken at its end."""

    __tablename__ = "audits"
    __table_args__ = (
        CheckConstraint("checks > 0", name="audits_checks_check"),
        CheckConstraint(
            "(ended_at IS NULL) = (is_right IS NULL) AND (ended_at IS NULL) = (figures IS NULL)"
            " AND (ended_at IS NULL) = (balance IS NULL)",
            name="audits_ended_check",
        ),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    checks: Mapped[int] = mapped_column(SmallInteger)
    begun_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    is_right: Mapped[bool | None] = mapped_column(Boolean)
    figures: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    balance: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)


class Finding(Model):
    """What one check of an audit found: at most the first hundred differences, none when it holds."""

    __tablename__ = "audit_findings"
    __table_args__ = (
        CheckConstraint("number >= 0", name="audit_findings_number_check"),
        CheckConstraint("jsonb_typeof(differences) = 'array'", name="audit_findings_differences_check"),
        {"schema": "marketplace"},
    )

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("marketplace.audits.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    invariant: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    differences: Mapped[Any] = mapped_column(JSONB)
    asked_at: Mapped[datetime] = mapped_column(Instant)


def ask_for_audit(actor: str) -> None:
    """Queue an audit; one that waits already is enough."""
    enqueue(JOB, once=True, asked_by=actor)


def begin_audit(actor: str, at: datetime) -> UUID:
    """Begin an audit and queue its first check."""
    audit = Audit(id=new_id(), asked_by=actor, checks=len(ALL_CHECKS), begun_at=at)
    db.session.add(audit)
    db.session.flush()
    enqueue(STEP, audit=str(audit.id), number=0)
    return audit.id


def take_step(audit_id: UUID, number: int, at: datetime) -> list[str]:
    """Ask the next check of an audit and queue the step after it, or end the audit when every check was asked.

    What was asked is known by name, so a program with other checks than the one that began asks all of its own. A step
    that was taken, or comes out of its order, is skipped; one that somebody takes just now is put off, and finds later
    whether it was taken. Returns which checks do not hold when this ended the audit, and nothing otherwise.
    """
    audit, found = db.session.get_one(Audit, audit_id), findings_of(audit_id)
    asked = {(one.invariant, one.name) for one in found}
    check = next((one for one in ALL_CHECKS if (one.invariant, one.name) not in asked), None)
    if check is None:
        return _end(audit, at)
    if number == len(found):
        if not db.session.scalar(_TAKE, {"audit": str(audit_id), "number": number}):
            enqueue(STEP, later=PUT_OFF, audit=str(audit_id), number=number)
        elif _keep(audit_id, number, check, at):
            enqueue(STEP, audit=str(audit_id), number=number + 1)
    return []


def _keep(audit_id: UUID, number: int, check: Check, at: datetime) -> bool:
    found = ask_check(db.session, check)
    row = insert(Finding).values(
        audit_id=audit_id, number=number, invariant=found.invariant, name=found.name, asked_at=at,
        differences=_plain(found.differences),
    )  # fmt: skip
    return db.session.scalar(row.on_conflict_do_nothing().returning(Finding.number)) is not None


def _end(audit: Audit, at: datetime) -> list[str]:
    db.session.refresh(audit, with_for_update=True)
    if audit.ended_at is not None:
        return []
    found = findings_of(audit.id)
    wrong = [one.name for one in found if one.differences]
    figures = [asdict(one) | {"warns": one.warns} for one in figures_of(db.session)]
    balance = [asdict(one) for one in trial_balance(db.session)]
    audit.figures, audit.balance, audit.checks = figures, balance, len(found)
    audit.ended_at, audit.is_right = at, not wrong
    db.session.flush()
    if wrong:
        accounts = [str(account.id) for account in accounts_of_kind("operator")]
        news = {"event": "books.wrong", "at": at.isoformat(), "accounts": accounts, "data": {"checks": wrong}}
        announce("notice", news)
    return wrong


def findings_of(audit_id: UUID) -> list[Finding]:
    """Read what an audit has found so far, in the order of its checks."""
    return list(db.session.scalars(select(Finding).where(Finding.audit_id == audit_id).order_by(Finding.number)))


def _plain(rows: Any) -> Any:
    """Make plain JSON values of what the database gave."""
    return msgspec.to_builtins(rows, enc_hook=str, builtin_types=())
