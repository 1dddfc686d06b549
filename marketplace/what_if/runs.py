"""What operators ask to see run again: judged at once, run by a job that only reads, and kept with its report."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Text, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Model, db
from core.errors import Conflict, Fault, Invalid, NotFound
from core.ids import new_id
from core.jobs import enqueue
from core.overrides import overrides
from marketplace.what_if.change import read_change
from marketplace.what_if.recorded import count_leads
from marketplace.what_if.running import judged, run_again

JOB = "marketplace.what_if"
LONGEST = timedelta(days=92)
MOST_WAITING = 3
MOST_LETTERS = 100_000
SHOWN = 30
TOLD_EVERY = 200  # leads
ERASED_AT_ONCE = 100
_INSTANT = DateTime(timezone=True)


class WhatIfRun(Model):
    """A run that somebody asked for: how far its job has come, and the report once it has ended."""

    __tablename__ = "what_if_runs"
    __table_args__ = (
        CheckConstraint("since < until AND (ended_at IS NULL) = (report IS NULL)", name="what_if_runs_check"),
        Index("what_if_runs_waiting_idx", "asked_at", postgresql_where=text("report IS NULL")),
        Index("what_if_runs_asked_at_idx", "asked_at"),
        {"schema": "marketplace"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(_INSTANT)
    since: Mapped[datetime] = mapped_column(_INSTANT)
    until: Mapped[datetime] = mapped_column(_INSTANT)
    change: Mapped[str] = mapped_column(Text)
    leads: Mapped[int | None]
    done: Mapped[int] = mapped_column(server_default="0")
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


def report_for(run_id: UUID, tell: Callable[[int, int], None]) -> dict[str, Any]:
    """Run what was asked for, and `tell` now and then how many of how many leads are done.

    The caller's transaction is read-only.
    """
    row = run_of(run_id)
    sound = judged(read_change(row.change), row.since, row.until)
    leads, steps = count_leads(row.since, row.until), count(1)

    def watch() -> None:
        if (done := next(steps)) % TOLD_EVERY == 0:
            tell(done, leads)

    return run_again(row.since, row.until, sound, watch=watch)


def note_progress(run_id: UUID, done: int, leads: int) -> None:
    """Keep at once how far a run has come, on a connection of its own: the run's transaction may write nothing."""
    with db.engine.begin() as connection:
        connection.execute(update(WhatIfRun).where(WhatIfRun.id == run_id).values(done=done, leads=leads))


def keep_report(run_id: UUID, report: dict[str, Any], at: datetime) -> None:
    """Keep a run's report, once; one that was erased meanwhile stays so."""
    row = db.session.get(WhatIfRun, run_id, with_for_update=True)
    if row is not None and row.report is None:
        row.report, row.ended_at = report, at


def erase_runs(as_of: datetime) -> int:
    """Erase a batch of runs that were asked for long enough ago, ended or not, and return how many."""
    old = select(WhatIfRun.id).where(WhatIfRun.asked_at <= as_of - timedelta(days=overrides().setting("what_if.days")))
    batch = old.order_by(WhatIfRun.asked_at).limit(ERASED_AT_ONCE).with_for_update(skip_locked=True)
    return len(db.session.execute(delete(WhatIfRun).where(WhatIfRun.id.in_(batch)).returning(WhatIfRun.id)).all())
