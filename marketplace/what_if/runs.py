"""What operators ask to see run again: judged at once, run by a job that only reads, and kept with its report."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.jobs import enqueue
from marketplace.what_if.change import read_change
from marketplace.what_if.running import judged, run_again

JOB = "marketplace.what_if"
LONGEST = timedelta(days=92)
MOST_WAITING = 3
MOST_LETTERS = 100_000
SHOWN = 30
_INSTANT = DateTime(timezone=True)


class WhatIfRun(Model):
    """A run that somebody asked for; the report is there once it has ended."""

    __tablename__ = "what_if_runs"
    __table_args__ = (
        CheckConstraint("since < until AND (ended_at IS NULL) = (report IS NULL)", name="what_if_runs_check"),
        Index("what_if_runs_waiting_idx", "asked_at", postgresql_where=text("report IS NULL")),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(_INSTANT)
    since: Mapped[datetime] = mapped_column(_INSTANT)
    until: Mapped[datetime] = mapped_column(_INSTANT)
    change: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    report: Mapped[Any | None] = mapped_column(JSONB)


def ask_run(since: datetime, until: datetime, change: str, asked_by: str, at: datetime) -> WhatIfRun:
    """Have a period run again by a job.

    Invalid names every fault of the period or the change; Conflict `too_many_runs` while several wait.
    """
    if len(change) > MOST_LETTERS:
        fault = Fault("change", "too_long", f"Write at most {MOST_LETTERS} letters; the command takes longer ones.")
        raise Invalid("invalid_change", "Nothing was run.", [fault])
    if until - since > LONGEST:
        fault = Fault(
            "until", "out_of_range", f"Ask for {LONGEST.days} days at most; the command takes longer periods."
        )
        raise Invalid("invalid_period", "Nothing was run.", [fault])
    judged(read_change(change), since, until)
    waiting = db.session.scalar(select(func.count()).where(WhatIfRun.report.is_(None)))
    if waiting is not None and waiting >= MOST_WAITING:
        raise Conflict("too_many_runs", f"{MOST_WAITING} runs wait already: see theirs first.")
    row = WhatIfRun(id=new_id(), asked_by=asked_by, asked_at=at, since=since, until=until, change=change)
    db.session.add(row)
    db.session.flush()
    enqueue(JOB, run=str(row.id))
    return row


def run_of(run_id: UUID) -> WhatIfRun:
    """Return a run; NotFound when there is none."""
    row = db.session.get(WhatIfRun, run_id)
    if row is None:
        raise NotFound(detail="There is no run with this id.")
    return row


def runs_lately() -> Sequence[WhatIfRun]:
    """Return the last runs, the newest first."""
    return db.session.scalars(select(WhatIfRun).order_by(WhatIfRun.id.desc()).limit(SHOWN)).all()


def report_for(run_id: UUID) -> dict[str, Any]:
    """Run what was asked for; the caller's transaction is read-only."""
    row = run_of(run_id)
    sound = judged(read_change(row.change), row.since, row.until)
    return run_again(row.since, row.until, sound)


def keep_report(run_id: UUID, report: dict[str, Any], at: datetime) -> None:
    """Keep a run's report, once."""
    row = db.session.get_one(WhatIfRun, run_id, with_for_update=True)
    if row.report is None:
        row.report, row.ended_at = report, at
