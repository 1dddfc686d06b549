"""Each slot of a scheduled job is claimed once, however many schedulers there are."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from core.db import db, transaction
from core.jobs import UNHEARD_SECONDS, _queue, claim_slot, enqueue, forget_slots, job, rescue_jobs, scheduled, slot_of

AT = datetime(2026, 11, 22, tzinfo=UTC)
SLOTS = [AT + timedelta(minutes=minute) for minute in range(20)]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(1, 100_000))
def test_a_slot_begins_at_or_before_its_instant_and_ends_after_it(at: datetime, seconds: int) -> None:
    every = timedelta(seconds=seconds)
    slot = slot_of(at, every)
    assert slot <= at < slot + every and slot_of(slot, every) == slot


def test_of_several_schedulers_one_gets_each_slot(app: Flask) -> None:
    def schedule(_: int) -> list[datetime]:
        with app.app_context():
            claimed = []
            for slot in SLOTS:
                with transaction():
                    if claim_slot("a job", slot):
                        claimed.append(slot)
            return claimed

    with ThreadPoolExecutor(4) as schedulers:
        claimed = [slot for mine in schedulers.map(schedule, range(4)) for slot in mine]
    assert sorted(claimed) == SLOTS


def test_a_claim_that_did_not_commit_is_free_again(app: Flask) -> None:
    assert claim_slot("a job", AT)
    db.session.rollback()
    with transaction():
        assert claim_slot("a job", AT) and claim_slot("another", AT)


def test_old_claims_are_forgotten(app: Flask) -> None:
    with transaction():
        for slot in SLOTS:
            claim_slot("a job", slot)
        assert forget_slots(SLOTS[5]) == 5
    with transaction():
        assert claim_slot("a job", SLOTS[4]) and not claim_slot("a job", SLOTS[5])


def test_a_job_that_waits_is_not_enqueued_twice_when_once_is_enough(app: Flask) -> None:
    for _ in range(3):
        with transaction():
            enqueue("notice", once=True, news=[])
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'notice'"
    assert db.session.scalar(db.text(waiting)) == 1


def test_what_else_a_transaction_did_is_kept_when_the_job_waits_already(app: Flask) -> None:
    with transaction():
        enqueue("notice", once=True, news=[])
    with transaction():
        claim_slot("before", SLOTS[0])
        enqueue("notice", once=True, news=[])
        claim_slot("after", SLOTS[0])
    with transaction():
        assert not claim_slot("before", SLOTS[0]) and not claim_slot("after", SLOTS[0])


def test_what_is_enqueued_in_a_transaction_that_fails_never_was(app: Flask) -> None:
    enqueue("notice", news=[])
    db.session.rollback()
    assert db.session.scalar(db.text("SELECT count(*) FROM procrastinate_jobs")) == 0


def test_scheduled_jobs_have_a_period() -> None:
    assert all(every > timedelta(0) for every in scheduled().values())


HAND_OUT = """
    WITH worker AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id)
    UPDATE procrastinate_jobs j SET status = 'doing', worker_id = worker.id FROM worker"""
AGE = "UPDATE procrastinate_events SET at = at - make_interval(secs => :seconds) WHERE type = 'started'"


def test_a_job_that_its_living_worker_never_heard_of_is_put_back_after_a_while_and_not_before(app: Flask) -> None:
    with transaction():
        enqueue("notice", news=[])
        db.session.execute(db.text(HAND_OUT))
    states = []
    for seconds in (UNHEARD_SECONDS - 60, 61):
        with transaction():
            db.session.execute(db.text(AGE), {"seconds": seconds})
        rescue_jobs()
        states.append(db.session.scalar(db.text("SELECT status::text FROM procrastinate_jobs")))
        db.session.rollback()
    assert states == ["doing", "todo"]


def test_a_job_that_raises_leaves_why_and_raises_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    @job("test.raises")
    def raises() -> None:
        raise ValueError("no such thing")

    monkeypatch.setattr("core.jobs._app", [app])
    task = _queue.tasks.pop("test.raises")
    with pytest.raises(ValueError, match="no such thing"):
        task.func(SimpleNamespace(job=SimpleNamespace(id=7)))
    found = db.session.execute(db.text("SELECT job_id, fault FROM core.job_faults")).one()
    db.session.rollback()
    assert tuple(found) == (7, "ValueError: no such thing")
