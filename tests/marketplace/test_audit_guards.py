"""An audit is right only when every check was asked and none found anything, whoever loses, repeats or forges a step."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from billing import Figure, ask_check
from core.db import db, transaction
from core.ids import new_id
from marketplace.audit import ALL_CHECKS
from marketplace.audit_runs import Audit, Finding, begin_audit, take_step
from marketplace.jobs import prove_the_books
from marketplace.reports.books import books_of
from tests.conftest import START
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_books_pages import break_the_books, mend_the_books, work_off
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

STEPS = "SELECT (args ->> 'number')::int, scheduled_at IS NULL FROM procrastinate_jobs WHERE task_name = 'market.audit_step'"


def begin() -> Any:
    """Begin an audit, committed, and take its step off the queue."""
    with transaction() as session:
        audit = begin_audit("cli", START)
        session.execute(db.text("DELETE FROM procrastinate_jobs"))
    return audit


def step(audit: Any, number: int) -> None:
    """Take a step, committed."""
    with transaction():
        take_step(audit, number, START)


def steps() -> list[tuple[int, bool]]:
    """Return the steps on the queue, and whether each may be taken at once."""
    found = [tuple(row) for row in db.session.execute(db.text(STEPS))]
    db.session.rollback()
    return found


def test_checks_are_unique_by_name() -> None:
    assert len({(one.invariant, one.name) for one in ALL_CHECKS}) == len(ALL_CHECKS)


@pytest.mark.parametrize("number", [1, len(ALL_CHECKS), 999])
def test_a_step_out_of_its_order_neither_asks_nor_ends_anything(app: Flask, number: int) -> None:
    audit = begin()
    step(audit, number)
    assert steps() == [] and db.session.query(Finding).count() == 0
    assert db.session.get_one(Audit, audit).ended_at is None
    db.session.rollback()


def test_a_program_that_is_replaced_meanwhile_asks_all_of_its_own_checks(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("marketplace.audit_runs.ALL_CHECKS", ALL_CHECKS[5:-1])
        audit = begin()
        step(audit, 0)
    work_off()
    names = set(db.session.scalars(db.select(Finding.name).where(Finding.audit_id == audit)))
    ended = db.session.get_one(Audit, audit)
    assert names == {one.name for one in ALL_CHECKS} and ended.is_right and ended.checks == len(ALL_CHECKS)
    db.session.rollback()


def test_the_last_audit_is_the_one_that_ended_last(deal: Deal, market: Market) -> None:
    break_the_books()
    with transaction():
        slow = begin_audit("cli", START)
    for number in range(len(ALL_CHECKS)):
        step(slow, number)
    mend_the_books()
    with transaction() as session:
        session.execute(db.text("DELETE FROM procrastinate_jobs"))
    prove_the_books()
    work_off()
    with transaction():
        take_step(slow, len(ALL_CHECKS), START + timedelta(minutes=1))
    with transaction() as session:
        last = books_of(START).last
        assert last and last.id == slow and not last.is_right
        session.execute(db.text("DELETE FROM procrastinate_jobs"))
    for _ in range(11):  # that never end
        begin()
    assert "The books were WRONG" in words_of(visitor_of(market, deal.operator).open("/operator/books"))


def test_a_check_that_is_asked_at_this_moment_is_left_to_whoever_asks_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit, asking, seen = begin(), Barrier(2), Barrier(2)

    def slowly(*arguments: Any) -> Any:
        asking.wait(20)
        seen.wait(20)
        return ask_check(*arguments)

    def first() -> None:
        with app.app_context():
            step(audit, 0)

    with monkeypatch.context() as slow:
        slow.setattr("marketplace.audit_runs.ask_check", slowly)
        worker = Thread(target=first)
        worker.start()
        asking.wait(20)
        step(audit, 0)  # does not wait
        assert steps() == [(0, False)]
        seen.wait(20)
        worker.join(20)
    assert sorted(steps()) == [(0, False), (1, True)]
    step(audit, 0)  # the one for later finds it done
    assert sorted(steps()) == [(0, False), (1, True)] and db.session.query(Finding).count() == 1
    db.session.rollback()


END = "UPDATE marketplace.audits SET is_right = {right}, checks = {checks}, ended_at = now(), figures = '[]', balance = '[]'"


@pytest.mark.parametrize(
    "statement",
    [END.format(right="true", checks=0 + 2), END.format(right="false", checks=1), END.format(right="true", checks=3),
     "UPDATE marketplace.audits SET checks = 1", "UPDATE marketplace.audits SET asked_by = 'x'",
     "TRUNCATE marketplace.audits CASCADE", "TRUNCATE marketplace.audit_findings",
     "INSERT INTO marketplace.audits VALUES (gen_random_uuid(), 'x', 1, now(), now(), true, '[]', '[]')"],
)  # fmt: skip
def test_an_audit_is_neither_forged_nor_emptied(app: Flask, statement: str) -> None:
    audit = begin()
    with transaction() as session:
        session.add(Finding(audit_id=audit, number=0, invariant="I1", name="x", differences=[{"a": 1}], asked_at=START))
        session.flush()
        session.add(Finding(audit_id=audit, number=1, invariant="I1", name="y", differences=[], asked_at=START))
    with pytest.raises(DBAPIError, match="is refused: what an audit found stays"), transaction() as session:
        session.execute(db.text(statement))
    with transaction() as session:
        session.execute(db.text(END.format(right="false", checks=2)))
    with pytest.raises(DBAPIError, match="is refused: what an audit found stays"), transaction() as session:
        session.add(Finding(audit_id=audit, number=2, invariant="I1", name="z", differences=[], asked_at=START))


def test_a_finding_belongs_to_an_audit(app: Flask) -> None:
    with pytest.raises(DBAPIError, match="is refused"), transaction() as session:
        session.add(Finding(audit_id=new_id(), number=0, invariant="I1", name="x", differences=[], asked_at=START))


def test_each_figure_says_what_it_is_and_which_warns(
    deal: Deal, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = (Figure("I7", "clearing_age", {"EUR": 30}, most=24, unit="hours"),
               Figure("I8", "stripe_difference", {"EUR": -250, "USD": 0}, most=0), Figure("I9", "solvency", {"EUR": 1}))  # fmt: skip
    monkeypatch.setattr("marketplace.audit_runs.figures_of", lambda _: figures)
    prove_the_books()
    work_off()
    page = visitor_of(market, deal.operator).read("/operator/books")
    shown = [" ".join(one.text_content().split()) for one in page.xpath("//dd[@class='value']")]
    assert shown == ["30 hours", "-€2.50 $0.00", "Enough"]
    assert len(page.xpath("//dd[@class='value']/span[@class='state tone-refused']")) == 2
