"""Work off the hot path: jobs kept in PostgreSQL by procrastinate, woken by APScheduler, each slot run once.

Due times live in our own tables; a job only wakes and asks them, so a lost or doubled wake-up changes nothing.
"""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
from apscheduler.schedulers.background import BackgroundScheduler
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import DateTime, Text, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from core.db import LOST_DATABASE, Application, Model, db, transaction
from core.errors import Unavailable
from core.job_faults import note_fault

log = logging.getLogger(__name__)

SLOT_KEPT = timedelta(days=2)
HEARTBEAT_SECONDS = 5
UNHEARD_SECONDS = 600
SILENT_SECONDS = 20  # of a worker: after four missed heartbeats it is taken for dead
_queue = procrastinate.App(connector=procrastinate.PsycopgConnector())  # runs jobs, in the worker
_desk = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())  # takes jobs, on our own connections
_schedule: dict[str, timedelta] = {}
_app: list[Application] = []  # the application whose context jobs run in; one a process
_SET, _GO_BACK = text("SAVEPOINT enqueued"), text("ROLLBACK TO SAVEPOINT enqueued")
_FORGET = text("RELEASE SAVEPOINT enqueued")


class Tick(Model):
    """A slot of a scheduled job that somebody has claimed."""

    __tablename__ = "ticks"
    __table_args__ = {"schema": "core"}

    job: Mapped[str] = mapped_column(Text, primary_key=True)
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)


def job(name: str, every: timedelta | None = None) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Declare a job under a stable name; with `every`, the clock enqueues it once per slot of that length.

    The function runs in the application's context and opens its own `transaction()`; it is retried five times with
    growing pauses when it raises, so it must be safe to run again.
    """

    def declare(work: Callable[..., object]) -> Callable[..., object]:
        def run(context: procrastinate.JobContext, /, **arguments: Any) -> None:
            with _app[0].app_context():
                try:
                    work(**arguments)
                except Exception as error:
                    note_fault(context.job.id, error)
                    raise

        retry = procrastinate.RetryStrategy(max_attempts=6, exponential_wait=4)
        _queue.task(name=name, retry=retry, pass_context=True)(run)
        if every is not None:
            _schedule[name] = every
        return work

    return declare


def enqueue(name: str, *, once: bool = False, later: timedelta | None = None, **arguments: Any) -> None:
    """Put a job on the queue in the session's transaction, to be taken at once or so much later.

    With `once`, not while one of its name still waits.
    """
    connection = db.session.connection().connection.driver_connection
    wait = {"seconds": int(later.total_seconds())} if later else None
    lock = name if once else None
    deferrer = _desk.configure_task(name, connection=connection, queueing_lock=lock, schedule_in=wait)
    # In words, since the session would set its own savepoint only when it next asks something, which is too late here.
    db.session.execute(_SET)
    try:
        deferrer.defer(**arguments)
    except AlreadyEnqueued:
        db.session.execute(_GO_BACK)
        log.debug("%s is waiting already", name)
    db.session.execute(_FORGET)  # open savepoints of one transaction slow every other down once there are many


def is_waiting(name: str) -> bool:
    """Tell whether a job that is enqueued at most once waits now."""
    query = text("SELECT FROM public.procrastinate_jobs WHERE queueing_lock = :name AND status = 'todo'")
    return db.session.execute(query, {"name": name}).first() is not None


def run_worker(app: Application, url: str, concurrency: int = 4) -> None:
    """Run jobs until SIGTERM or SIGINT; what is running then gets five seconds to end."""
    _app[:] = [app]
    connector = procrastinate.PsycopgConnector(conninfo=url)
    with _queue.replace_connector(connector) as queue:
        queue.run_worker(
            concurrency=concurrency, delete_jobs="successful", shutdown_graceful_timeout=5,
            update_heartbeat_interval=HEARTBEAT_SECONDS, stalled_worker_timeout=SILENT_SECONDS,
        )  # fmt: skip


def run_clock(app: Application) -> None:
    """Enqueue scheduled jobs at their slots until SIGTERM or SIGINT; several clocks may run, each slot counts once."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    for name, every in _schedule.items():
        seconds, soon = every.total_seconds(), datetime.now(UTC)
        scheduler.add_job(_tick, "interval", seconds=seconds, args=(app, name), next_run_time=soon)
    scheduler.start()
    ended.wait()
    scheduler.shutdown(wait=False)


def _tick(app: Application, name: str) -> None:
    with app.app_context():
        try:
            with transaction():
                if claim_slot(name, slot_of(datetime.now(UTC), _schedule[name])):
                    enqueue(name, once=True)
        except (*LOST_DATABASE, Unavailable):
            log.warning("the database is away; %s waits for its next slot", name)


def slot_of(instant: datetime, every: timedelta) -> datetime:
    """Return the start of the slot that an instant falls into; the same in every process."""
    seconds = int(every.total_seconds())
    return datetime.fromtimestamp(int(instant.timestamp()) // seconds * seconds, UTC)


def claim_slot(name: str, slot: datetime) -> bool:
    """Claim a slot of a scheduled job; true for exactly one of all who try."""
    statement = insert(Tick).values(job=name, slot=slot).on_conflict_do_nothing().returning(Tick.job)
    return db.session.execute(statement).one_or_none() is not None


def forget_slots(before: datetime) -> int:
    """Delete the claims of slots before this instant and return how many."""
    return len(db.session.execute(db.delete(Tick).where(Tick.slot < before).returning(Tick.job)).all())


def scheduled() -> dict[str, timedelta]:
    """Return the scheduled jobs and how often they run."""
    return dict(_schedule)


_ORPHANED = """
    j.status = 'doing' AND NOT EXISTS (
        SELECT FROM public.procrastinate_workers w
        WHERE w.id = j.worker_id AND w.last_heartbeat > now() - make_interval(secs => :silent))"""
# A wake-up waits at most once by its lock, and the next slot wakes again; so a lost one is dropped.
_DROP_WAKE_UPS = text(f"DELETE FROM public.procrastinate_jobs j WHERE j.queueing_lock IS NOT NULL AND {_ORPHANED}")
# A job whose handing out was the last that a connection did is nobody's, though its worker lives. It shows by its age:
# a job is a short step, and long work takes its next step by the next job.
_UNHEARD = """
    j.status = 'doing' AND j.queueing_lock IS NULL AND now() - make_interval(secs => :unheard) > (
        SELECT max(e.at) FROM public.procrastinate_events e WHERE e.job_id = j.id AND e.type = 'started')"""
_PUT_BACK = text(
    "SELECT public.procrastinate_retry_job_v2(j.id, now(), NULL, NULL, NULL)"
    f" FROM public.procrastinate_jobs j WHERE ({_ORPHANED}) OR ({_UNHEARD})"
)


@job("core.rescue", every=timedelta(seconds=15))
def rescue_jobs() -> None:
    """Put back on the queue what workers had in hand when they died, or never heard of; jobs are safe to run again."""
    with transaction() as session:
        session.execute(_DROP_WAKE_UPS, {"silent": SILENT_SECONDS})
        session.execute(_PUT_BACK, {"silent": SILENT_SECONDS, "unheard": UNHEARD_SECONDS})
