"""What an operator asks of the queue: what waits, runs and failed, who works, when each clock last struck.

It reads the queue's own tables by their indexes; counts stop at a bound, so that a page is as quick on a bad day.
Instants are real time, as the queue has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.db import db
from core.errors import Conflict, NotFound
from core.jobs import scheduled

ROWS = 50
MOST = 10_000  # counted at most
LIVE = ("todo", "doing")

_FAULT = """
    LEFT JOIN LATERAL (SELECT f.fault, f.at FROM core.job_faults f WHERE f.job_id = j.id ORDER BY f.id DESC LIMIT 1) f
        ON true"""
_JOB = "SELECT j.id, j.task_name AS name, j.status::text AS status, j.attempts, j.scheduled_at, f.fault, f.at"
# Running first, then waiting in the order in which they are taken.
_DOING = text(f"{_JOB} FROM public.procrastinate_jobs j {_FAULT} WHERE j.status = 'doing' ORDER BY j.id LIMIT :rows")
_TODO = text(
    f"{_JOB} FROM public.procrastinate_jobs j {_FAULT} WHERE j.status = 'todo'"
    " ORDER BY j.priority DESC, j.id LIMIT :rows"
)
_FAILED = text(
    f"{_JOB} FROM public.procrastinate_jobs j {_FAULT} WHERE j.status = 'failed' AND j.id < :before"
    " ORDER BY j.id DESC LIMIT :rows"
)
_COUNTS = text("""
    SELECT (SELECT count(*) FROM (SELECT FROM public.procrastinate_jobs WHERE status = 'todo' LIMIT :most) t),
           (SELECT count(*) FROM (SELECT FROM public.procrastinate_jobs WHERE status = 'doing' LIMIT :most) d),
           (SELECT count(*) FROM (SELECT FROM public.procrastinate_jobs WHERE status = 'failed' LIMIT :most) f),
           (SELECT count(*) FROM (SELECT FROM core.outbox LIMIT :most) o),
           (SELECT added_at FROM core.outbox ORDER BY id LIMIT 1), now()
""")
_COUNT_FAILED = text(
    "SELECT count(*) FROM (SELECT FROM public.procrastinate_jobs WHERE status = 'failed' LIMIT :most) f"
)
_WORKERS = text("SELECT id, last_heartbeat FROM public.procrastinate_workers ORDER BY last_heartbeat DESC LIMIT :rows")
_SLOTS = text("""
    SELECT n.name, t.slot FROM unnest(CAST(:names AS text[])) AS n(name)
    LEFT JOIN LATERAL (SELECT k.slot FROM core.ticks k WHERE k.job = n.name ORDER BY k.slot DESC LIMIT 1) t ON true
    ORDER BY n.name
""")
_STATUS = text("SELECT status::text FROM public.procrastinate_jobs WHERE id = :id FOR UPDATE")
_RETRY = text("SELECT public.procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much waits, runs, failed, and stands in the outbox since when; each at most MOST. `now` is real time."""

    todo: int
    doing: int
    failed: int
    outbox: int
    outbox_since: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """One job of the queue; `fault` is what it raised last, and when."""

    id: int
    name: str
    status: str
    attempts: int
    scheduled_at: datetime | None
    fault: str | None
    fault_at: datetime | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A scheduled job, how often it runs, and its last slot; None when no clock has struck it yet."""

    name: str
    every: timedelta
    last: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Tell whether two slots went by since the last one."""
        return self.last is None or now - self.last > 2 * self.every + timedelta(minutes=1)


def count_failed() -> int:
    """Count the jobs that are tried no more, at most MOST of them."""
    return db.session.scalar(_COUNT_FAILED, {"most": MOST}) or 0


def queue_counts() -> Counts:
    """Count the queue and the outbox."""
    return Counts(*db.session.execute(_COUNTS, {"most": MOST}).one())


def live_jobs() -> list[QueuedJob]:
    """Return what runs, and what waits in the order in which it is taken; of each at most fifty."""
    return [*_jobs(_DOING), *_jobs(_TODO)]


def failed_jobs(before: int | None = None) -> list[QueuedJob]:
    """Return the jobs that failed for good, the newest first, one more than a page holds."""
    return _jobs(_FAILED, before=2**62 if before is None else before, rows=ROWS + 1)


def workers() -> Sequence[Any]:
    """Return each worker's number and when it was last heard, the latest first."""
    return db.session.execute(_WORKERS, {"rows": ROWS}).all()


def slots() -> list[Slot]:
    """Return each scheduled job with its last slot."""
    every = scheduled()
    rows = db.session.execute(_SLOTS, {"names": list(every)})
    return [Slot(row.name, every[row.name], row.slot) for row in rows]


def retry_job(job_id: int) -> None:
    """Put a failed job back on the queue, in the session's transaction; one that waits again already stays as it is.

    NotFound for a job that ended well, Conflict `not_now` for one that runs, or while another of its kind waits.
    """
    status = db.session.scalar(_STATUS, {"id": job_id})
    if status is None:
        raise NotFound(detail="There is no such job any more: those that end well are taken off the queue.")
    if status == "todo":
        return
    if status != "failed":
        raise Conflict("not_now", "The job runs. Wait until it ends; only what failed is put back.")
    try:
        with db.session.begin_nested():
            db.session.execute(_RETRY, {"id": job_id})
    except IntegrityError:
        raise Conflict("not_now", "Another job of this kind waits already and does the same.") from None


def _jobs(query: Any, **values: Any) -> list[QueuedJob]:
    return [QueuedJob(*row) for row in db.session.execute(query, {"rows": ROWS} | values)]
