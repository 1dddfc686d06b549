"""The operator's jobs: what fails says why and is tried again by a button, and silence of workers and clocks is seen."""

from typing import Any

import pytest
from flask import Flask

from core.db import db, transaction
from core.job_desk import failed_jobs
from core.job_faults import forget_faults, note_fault, told
from core.jobs import enqueue
from core.outbox import announce
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

FAIL = "UPDATE procrastinate_jobs SET status = 'failed', attempts = 6"


def fail_all() -> list[int]:
    """Let every job on the queue fail for good, each with a fault, and return their numbers."""
    with transaction() as session:
        session.execute(db.text(FAIL))
        ids = list(session.scalars(db.text("SELECT id FROM procrastinate_jobs ORDER BY id")))
    for one in ids:
        note_fault(one, ValueError("<b>no</b> such thing\nDETAIL: ada@example.com"))
    return ids


@pytest.fixture
def failed(deal: Deal) -> int:
    """Let one job fail."""
    with transaction():
        enqueue("notice", news=[])
    return fail_all()[-1]


def status_of(job: int) -> Any:
    """Return where a job stands."""
    found = db.session.scalar(db.text("SELECT status::text FROM procrastinate_jobs WHERE id = :id"), {"id": job})
    db.session.rollback()
    return found


def test_a_failed_job_says_why_and_is_tried_again(deal: Deal, market: Market, failed: int) -> None:
    visitor = visitor_of(market, deal.operator)
    with transaction() as session:
        session.execute(db.text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    answer = visitor.open("/operator/jobs")
    assert "Failed for good and waiting for you: 1" in words_of(answer)
    assert "ValueError: &lt;b&gt;no&lt;/b&gt; such thing" in answer.text and "ada@example.com" not in answer.text
    for _ in range(2):  # a double click
        assert visitor.send(f"/operator/jobs/{failed}/retry", "/operator/jobs").status_code == 302
    assert status_of(failed) == "todo"
    assert f"Job {failed} is on the queue again" in words_of(visitor.open("/operator/jobs"))


def test_a_job_that_cannot_be_tried_again_says_so(deal: Deal, market: Market) -> None:
    with transaction():
        enqueue("market.due", once=True)
    [first, *_] = fail_all()[-1:]
    with transaction():
        enqueue("market.due", once=True)
    visitor = visitor_of(market, deal.operator)
    assert visitor.send(f"/operator/jobs/{first}/retry", "/operator/jobs").status_code == 302
    assert "Another job of this kind waits already" in words_of(visitor.open("/operator/jobs"))
    with transaction() as session:
        session.execute(db.text("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = :id"), {"id": first})
    visitor.send(f"/operator/jobs/{first}/retry", "/operator/jobs")
    assert "The job runs. Wait until it ends" in words_of(visitor.open("/operator/jobs"))
    assert visitor.send("/operator/jobs/999999/retry", "/operator/jobs").status_code == 404
    assert visitor.open("/operator/jobs?cursor=x").status_code == 400


def test_failed_jobs_are_listed_by_parts(deal: Deal, market: Market) -> None:
    with transaction():
        for _ in range(70):
            enqueue("notice", news=[])
    ids = fail_all()
    visitor, path, shown = visitor_of(market, deal.operator), "/operator/jobs", []
    while path:
        page = visitor.read(path)
        shown += [int(one.text_content()) for one in page.xpath("//section[@id='failed']//tbody/tr/td[1]")]
        path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
    assert shown == sorted(ids, reverse=True)


def test_workers_clocks_and_the_outbox_are_seen(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    page = words_of(visitor.open("/operator/jobs"))
    assert "No worker is heard" in page and "market.audit 86,400 – Late" in page
    with transaction() as session:
        session.execute(db.text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
        session.execute(db.text("INSERT INTO core.ticks VALUES ('market.audit', now())"))
        announce("notice", {"event": "x"})
    page = words_of(visitor.open("/operator/jobs"))
    assert "Everything is done as it comes" in page and "market.audit 86,400 now In time" in page
    assert "the oldest from" in page
    with transaction() as session:
        session.execute(db.text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
    assert "No worker is heard" in words_of(visitor.open("/operator/jobs"))


def test_a_fault_is_one_short_line_and_old_ones_are_forgotten(app: Flask) -> None:
    assert told(ValueError("")) == "ValueError" and len(told(ValueError("x" * 999))) == 500
    assert told(ValueError("a\0b\nsecret")) == "ValueError: ab"
    note_fault(1, ValueError("x"))
    note_fault(None, ValueError("never queued"))
    with transaction() as session:
        at = session.scalar(db.text("SELECT now() + interval '1 second'"))
        assert forget_faults(at) == 1
    assert failed_jobs() == []
    db.session.rollback()
