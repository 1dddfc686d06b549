"""The operator's books: an audit is done in jobs and kept, the trial balance adds up, the journal is narrowed."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from core.db import db, transaction
from core.ids import new_id, show_id
from marketplace.audit import ALL_CHECKS
from marketplace.audit_runs import Audit, Finding, begin_audit, take_step
from marketplace.cli.accounts import credit_by_hand
from marketplace.jobs import prove_a_part, prove_the_books
from tests.deals import Deal
from tests.factories import Market
from tests.marketplace.test_portal_pages import MOST_QUERIES, queries, visitor_of
from tests.visitor import words_of

JOBS: dict[str, Any] = {"market.audit": prove_the_books, "market.audit_step": prove_a_part}
TAKE = "DELETE FROM procrastinate_jobs WHERE task_name LIKE 'market.audit%' RETURNING task_name, args"


def work_off() -> int:
    """Do what the worker would do with the audits on the queue, and return how many jobs that took."""
    done = 0
    while True:
        with transaction() as session:
            taken = session.execute(db.text(TAKE)).all()
        for name, arguments in taken:
            JOBS[name](**arguments)
        done += len(taken)
        if not taken:
            return done


def break_the_books() -> None:
    """Take a cent out of every wallet behind the ledger's back."""
    with transaction() as session:
        session.execute(db.text("UPDATE billing.wallets SET available = available - 1"))


def mend_the_books() -> None:
    """Put the cents back."""
    with transaction() as session:
        session.execute(db.text("UPDATE billing.wallets SET available = available + 1"))


def test_a_check_is_queued_by_a_button_done_in_jobs_and_shown(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    assert "Nobody has checked the books yet" in words_of(visitor.open("/operator/books"))
    for _ in range(2):  # a double click
        answer = visitor.send("/operator/books/audit", "/operator/books")
        assert answer.status_code == 302 and answer.location.endswith("/operator/books")
    assert "A check is queued" in words_of(visitor.open("/operator/books"))
    assert work_off() == 1 + len(ALL_CHECKS) + 1
    with queries(market.app) as said:
        page = words_of(visitor.open("/operator/books"))
    assert len(said) <= MOST_QUERIES
    assert f"The books were right now: {len(ALL_CHECKS)} checks, no difference" in page, page
    assert "I1 What one transaction takes, it gives: its entries sum to zero in its currency. Holds" in page
    assert "I13 The whole history done again changes nothing. Shown by the program's tests" in page
    assert "Together 120.00 120.00 0.00" in page and "a person, …" in page


def test_differences_are_named_and_the_operators_told(deal: Deal, market: Market) -> None:
    break_the_books()
    prove_the_books()
    work_off()
    page = words_of(visitor_of(market, deal.operator).open("/operator/books"))
    mend_the_books()
    assert "The books were WRONG" in page and "I3: cached balances are the sums of their entries" in page
    told = db.session.scalars(db.text("SELECT payload FROM core.outbox WHERE topic = 'notice'")).all()
    db.session.rollback()
    assert any(one["event"] == "books.wrong" and one["data"]["checks"] for one in told)


def test_every_currency_has_a_trial_balance(deal: Deal, market: Market) -> None:
    with transaction() as session:
        credit = "SELECT billing.open_wallet(:id, 'USD'), billing.post_credit(:id, 'USD', 1234, 'usd', '', 'x', now())"
        account = session.scalar(db.text("SELECT account_id FROM billing.wallets LIMIT 1"))
        session.execute(db.text(credit), {"id": account})
    prove_the_books()
    work_off()
    page = words_of(visitor_of(market, deal.operator).open("/operator/books"))
    assert "Together 12.34 12.34 0.00" in page and "Together 120.00 120.00 0.00" in page


def test_a_step_that_two_workers_take_at_once_is_counted_once(app: Flask) -> None:
    with transaction():
        audit = begin_audit("cli", db.session.scalar(db.text("SELECT now()")))

    def step(_: int) -> None:
        with app.app_context():
            prove_a_part(str(audit), 0)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(step, range(4)))
    with transaction() as session:
        waiting = (
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'market.audit_step' AND args ->> 'number' = '1'"
        )
        assert session.scalar(db.text(waiting)) == 1 and session.query(Finding).count() == 1
        at = session.scalar(db.text("SELECT now()"))
    work_off()
    with transaction():  # its end once more
        assert take_step(audit, len(ALL_CHECKS), at) == []
    assert db.session.get_one(Audit, audit).is_right
    db.session.rollback()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE marketplace.audits SET is_right = NOT is_right", "DELETE FROM marketplace.audit_findings",
     "UPDATE marketplace.audit_findings SET differences = '[]'", "DELETE FROM marketplace.audits"],
)  # fmt: skip
def test_what_an_audit_found_is_not_rewritten(app: Flask, statement: str) -> None:
    prove_the_books()
    work_off()
    with pytest.raises(DBAPIError, match="is refused: what an audit found stays"), transaction() as session:
        session.execute(db.text(statement))


def rows_of(page: Any) -> list[list[str]]:
    """Return the cells of the journal's rows."""
    return [[cell.text_content().strip() for cell in row.xpath("td")] for row in page.xpath("//tbody/tr")]


def test_the_journal_is_narrowed_by_kind_account_thing_and_day(deal: Deal, market: Market) -> None:
    other = market.make_buyer("33.00")
    visitor = visitor_of(market, deal.operator)
    order = deal.buyer.get("/orders")["items"][0]["id"]
    lead = deal.publisher.get("/leads")["items"][0]["id"]
    for query, kinds in (
        ("", {"Credit by hand", "Set aside for a lead"}), ("kind=hold", {"Set aside for a lead"}),
        ("kind=credit", {"Credit by hand"}), ("kind=clawback", set()),
        (f"account={other.id}", {"Credit by hand"}), (f"account={deal.buyer.id}&kind=hold", {"Set aside for a lead"}),
        (f"of={deal.sale}", {"Set aside for a lead"}), (f"of={lead}", {"Set aside for a lead"}),
        (f"of={order}", {"Set aside for a lead"}), (f"of={show_id('lead', new_id())}", set()),
        ("on=2001-01-01", set()), (f"of={lead}&account={other.id}", set()),
    ):  # fmt: skip
        with queries(market.app) as said:
            found = rows_of(visitor.read(f"/operator/journal?{query}"))
        assert len(said) <= MOST_QUERIES and {row[2] for row in found if len(row) > 2} == kinds, query


def test_everything_that_one_lead_moved_is_found_by_it(deal: Deal, market: Market) -> None:
    deal.decide(deal.dispute(), "uphold")
    lead = deal.publisher.get("/leads")["items"][0]["id"]
    found = rows_of(visitor_of(market, deal.operator).read(f"/operator/journal?of={lead}"))
    assert [row[2] for row in found] == ["Sale settled", "Set aside for a lead"]


def test_a_transaction_is_told_with_its_entries(deal: Deal, market: Market) -> None:
    visitor = visitor_of(market, deal.operator)
    [story] = visitor.read("/operator/journal?kind=hold").xpath("//a[@class='opens']/@href")
    page = words_of(visitor.open(story))
    assert "Set aside for a lead: €20.00" in page and "wallet:held" in page and "Together €20.00 €20.00" in page
    for wrong in (show_id("txn", new_id()), "txn_x", "%00"):
        assert visitor.open(f"/operator/journal/{wrong}").status_code == 404


@pytest.mark.parametrize("query", ["kind=x", "account=lead_1", "of=acc_1", "of=%00", "on=tomorrow", "on=2026-02-30"])
def test_a_journal_that_cannot_be_narrowed_so_is_refused(deal: Deal, market: Market, query: str) -> None:
    assert visitor_of(market, deal.operator).open(f"/operator/journal?{query}").status_code == 400


def test_the_journal_is_continued_without_losing_a_row_and_saved_whole(
    deal: Deal, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    for funds in ("1.00", "2.00", "3.00"):
        market.make_buyer(funds)
    visitor = visitor_of(market, deal.operator)
    monkeypatch.setattr("marketplace.reports.books.journal_part.__defaults__", (2,))
    path, shown = "/operator/journal", []
    while path:
        page = visitor.read(path)
        shown += page.xpath("//a[@class='opens']/@title")
        path = next(iter(page.xpath("//nav[@class='pager']/a[@rel='next']/@href")), "")
    monkeypatch.setattr("marketplace.reports.books.SALES", 2)
    saved = list(csv.DictReader(io.StringIO(visitor.open("/operator/journal.csv").text)))
    assert len(shown) == len(set(shown)) == 5 and [row["transaction"] for row in saved] == shown
    assert saved[0]["amount"] == "3.00"
    monkeypatch.setattr("marketplace.reports.books.MOST_SAVED", 4)
    cut = visitor.open("/operator/journal.csv").text.splitlines()
    assert len(cut) == 1 + 4 + 1 and cut[-1].startswith('"Not the whole')


def test_a_reason_that_would_run_in_a_spreadsheet_is_saved_as_text(deal: Deal, market: Market) -> None:
    credit_by_hand(deal.buyer.id, "1.00", "EUR", "=HYPERLINK(1)")
    visitor = visitor_of(market, deal.operator)
    assert "'=HYPERLINK(1)" in visitor.open("/operator/journal.csv").text
    market.make_buyer("1.00")
    credit_by_hand(deal.buyer.id, "1.00", "EUR", "<b>\u202eשם</b>" + "x" * 200)
    assert "<b>" not in visitor.open("/operator/journal").text.replace("<b>Leadbourse", "")
