"""One month's documents: issued once whoever asks, never changed, complete, explained to the cent, taxed as was said."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from billing import (
    Difference,
    Document,
    DocumentLine,
    draft_of,
    find_month,
    issue_month,
    lines_of_document,
    month_pdf_of,
    month_sheet_of,
    next_due_month,
    unexplained,
)
from billing.document_checks import MONTHS_ADD_UP, MONTHS_ARE_WHOLE, MONTHS_AS_BOOKED, VAT_AS_BOOKED
from billing.documents.months.words import WORDS
from core.db import db, transaction
from core.months import begin_of, end_of, month_after, month_before, month_of
from marketplace.audit import audit_all
from marketplace.documents.months import issue_next
from marketplace.documents.words import IN_WORDS, SAID
from marketplace.jobs import run_due
from tests.at_once import ask, at_once
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.quarter import id_of, tax
from tests.marketplace.test_dispute_hearing import SILENT
from tests.marketplace.test_late_claims import short_window
from tests.marketplace.test_publisher_terms import change

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
IN_JANUARY = datetime(2027, 1, 1, 6, tzinfo=UTC)


@pytest.fixture
def settled(market: Market, clock: SetClock) -> Deal:
    """Sell one lead for 20.00 and settle it in December; the publisher's share is 14.00, of which 2.80 reserved."""
    short_window()
    deal = make_deal(market)
    run_due(clock.advance(days=22))
    return deal


def found(side: Any, member: Any, period: date) -> Document | None:
    with transaction() as session:
        document = find_month(side, id_of(member), "EUR", period)
        session.expunge_all()
        return document


def issued(side: Any, member: Any, period: date = DECEMBER) -> Document:
    document = found(side, member, period)
    assert document is not None
    return document


def read_lines(document: Document) -> list[DocumentLine]:
    with transaction() as session:
        lines = lines_of_document(document.id)
        session.expunge_all()
        return lines


def late_claim(deal: Deal) -> None:
    claim = deal.operator.post("/disputes/claims", {"sale": deal.sale, "reason": "no_consent", "note": "a regulator"})
    assert deal.decide(claim, "uphold").status_code == 200


def tamper(url: str, statement: str) -> None:
    """Change the books behind the triggers' back, as only a superuser can."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode()).rowcount > 0


def test_a_month_is_issued_some_hours_after_it_is_over_and_once(settled: Deal, clock: SetClock) -> None:
    clock.instant = IN_JANUARY - timedelta(seconds=1)
    assert run_due(clock.now())["months_looked_at"] == 0
    clock.instant = IN_JANUARY
    assert run_due(clock.now())["months_looked_at"] > 0
    assert run_due(clock.now())["months_looked_at"] == 0

    invoice, statement = issued("invoice", settled.buyer), issued("statement", settled.publisher)
    assert (invoice.shown_number, statement.shown_number) == ("IN-2027-000001", "ST-2027-000001")
    assert (invoice.amount_minor, statement.amount_minor) == (2_000, 1_400)
    [bought], [sold] = read_lines(invoice), read_lines(statement)
    assert (bought.amount_minor, sold.amount_minor, sold.payable_minor, sold.reserve_minor) == (
        2_000,
        1_400,
        1_120,
        280,
    )
    assert bought.label["data"]["order_name"] == "an order" and "order" not in sold.label["data"]
    assert "source" not in bought.label["data"] and sold.label["data"]["source"] == "default"


def test_a_sale_that_was_credited_in_part_is_told_as_less_and_why(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market)
    deal.decide(deal.dispute(), "partial", share_bp=2_500)
    run_due(clock.advance(days=22))
    run_due(IN_JANUARY)
    [bought], [sold] = (read_lines(issued(*one)) for one in (("invoice", deal.buyer), ("statement", deal.publisher)))
    assert (bought.amount_minor, sold.amount_minor) == (1_500, 1_050)
    assert sold.label["reason"] == bought.label["reason"] == "credited in part: robot"


def test_what_the_exchange_pays_itself_stands_on_a_statement_and_on_no_invoice(market: Market, clock: SetClock) -> None:
    deal = make_deal(market)
    deal.dispute()
    run_due(SILENT)
    run_due(IN_JANUARY)
    lines = [
        line for month in (NOVEMBER, DECEMBER) if (document := found("statement", deal.publisher, month))
        for line in read_lines(document)
    ]  # fmt: skip
    assert sorted((line.kind, line.amount_minor, line.payable_minor) for line in lines) == [
        ("compensate", 1_400, 1_400), ("unpaid", 0, 0),
    ]  # fmt: skip
    assert {line.label["data"]["sale"] for line in lines} == {deal.sale}
    assert found("invoice", deal.buyer, NOVEMBER) is found("invoice", deal.buyer, DECEMBER) is None


def test_a_sale_that_brought_another_publisher_nothing_is_on_no_statement_but_his(
    market: Market, clock: SetClock
) -> None:
    short_window()
    deal, other = make_deal(market), market.make_publisher()
    change(other, 1, share_bp=1)
    sale = other.post("/leads", market.lead())["sales"][0]
    assert sale["payout"]["amount"] == "0.00"
    run_due(clock.advance(days=22))
    run_due(IN_JANUARY)
    told = [line.label["data"]["sale"] for line in read_lines(issued("statement", deal.publisher))]
    assert told == [deal.sale]


def test_two_workers_at_once_issue_one_document(settled: Deal, clock: SetClock, database_url: str) -> None:
    clock.instant = IN_JANUARY
    app = settled.market.app

    def issue() -> int:
        with app.app_context():
            done = 0
            while True:
                with transaction():
                    if not issue_next(IN_JANUARY):
                        break
                done += 1
            db.session.remove()
            return done

    at_once([issue] * 4)
    kinds = ask(database_url, "SELECT kind, count(*), max(number) FROM billing.documents GROUP BY kind ORDER BY kind")
    assert kinds == [("invoice", 1, 1), ("statement", 1, 1)]


def test_who_is_killed_while_issuing_leaves_no_part_and_no_gap(
    settled: Deal, clock: SetClock, database_url: str
) -> None:
    looked = ask(database_url, "SELECT count(*) FROM billing.document_months")
    with pytest.raises(DBAPIError), transaction() as session:
        assert issue_next(IN_JANUARY) == 1
        backend = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar()
        ask(database_url, f"SELECT pg_terminate_backend({backend}, 5000)")
        issue_next(IN_JANUARY)
    assert ask(database_url, "SELECT count(*) FROM billing.document_months") == looked
    run_due(IN_JANUARY)
    assert issued("invoice", settled.buyer).number == 1


def test_what_is_posted_later_for_a_month_stands_on_the_next_document(settled: Deal, clock: SetClock) -> None:
    clock.instant = IN_JANUARY
    run_due(clock.now())
    late_claim(settled)
    with transaction():
        late = "UPDATE billing.transactions SET occurred_at = '2026-12-31T23:00Z' WHERE kind = 'refund'"
        db.session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        db.session.connection().exec_driver_sql(late)
    run_due(clock.advance(days=31))

    [line] = read_lines(issued("invoice", settled.buyer, JANUARY))
    [back, *_] = read_lines(issued("statement", settled.publisher, JANUARY))
    assert (line.kind, line.amount_minor, line.refers_to) == ("refund", -2_000, "IN-2027-000001")
    assert (back.amount_minor, back.reserve_minor, back.refers_to) == (-1_400, -280, "ST-2027-000001")
    assert line.occurred_at < begin_of(JANUARY) and "no consent" in back.label["reason"]


def test_months_that_were_missed_are_issued_the_oldest_first(settled: Deal, clock: SetClock, database_url: str) -> None:
    run_due(clock.advance(days=90))  # to the middle of March: the reserve matured in January
    shown = "SELECT to_char(period, 'MM'), number FROM billing.documents WHERE kind = 'statement' ORDER BY number"
    assert ask(database_url, shown) == [("12", 1)]
    run_due(clock.advance(days=30))
    assert ask(database_url, shown)[0] == ("12", 1) and len(ask(database_url, shown)) == 2


def test_an_empty_month_has_no_document_and_is_looked_at_once(
    market: Market, clock: SetClock, database_url: str
) -> None:
    market.make_buyer("10.00")
    run_due(IN_JANUARY)
    looked = ask(
        database_url, "SELECT DISTINCT side, document_id FROM billing.document_months WHERE period = '2026-12-01'"
    )
    assert looked == [("invoice", None)]
    with transaction():
        assert next_due_month(IN_JANUARY) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing.document_lines SET amount_minor = 1",
        "DELETE FROM billing.document_lines",
        "TRUNCATE billing.document_lines",
        "UPDATE billing.document_months SET document_id = NULL",
        "DELETE FROM billing.document_months",
        "INSERT INTO billing.document_lines SELECT document_id, line + 1, side, account_id, (SELECT id FROM "
        "billing.transactions WHERE kind = 'credit' LIMIT 1), 'fee', NULL, occurred_at, 1, 0, 0, 0, 0, NULL, NULL, '{}' "
        "FROM billing.document_lines",
    ],
)
def test_nobody_changes_the_lines_of_a_document(settled: Deal, change: str) -> None:
    run_due(IN_JANUARY)
    with pytest.raises(DBAPIError, match="is refused"), transaction() as session:
        session.connection().exec_driver_sql(change)


def test_the_database_refuses_a_document_that_is_not_the_sum_of_its_lines(settled: Deal, clock: SetClock) -> None:
    with transaction():
        draft = draft_of("invoice", id_of(settled.buyer), "EUR", DECEMBER)
        assert draft.amount_minor == 2_000
    with pytest.raises(DBAPIError, match="do not sum to"), transaction() as session:
        issue_month(draft, {}, (), IN_JANUARY)
        session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        session.connection().exec_driver_sql("UPDATE billing.document_lines SET amount_minor = amount_minor + 1")
        session.connection().exec_driver_sql("SET LOCAL session_replication_role = origin")


def test_a_transaction_stands_on_one_document_of_a_side(settled: Deal) -> None:
    with transaction():
        draft = draft_of("invoice", id_of(settled.buyer), "EUR", DECEMBER)
        assert issue_month(draft, {}, (), IN_JANUARY) and not issue_month(draft, {}, (), IN_JANUARY)
    with pytest.raises(DBAPIError, match="document_lines_once_key"), transaction():
        issue_month(replace(draft, period=JANUARY), {}, (), IN_JANUARY)


def explained(document: Document) -> list[Difference]:
    with transaction():
        return unexplained(document)


def test_a_planted_cent_is_named_by_its_line(market: Market, clock: SetClock, database_url: str) -> None:
    short_window()
    publisher = make_deal(market).publisher
    for _ in range(3):
        publisher.post("/leads", market.lead())
    run_due(clock.advance(days=22))
    run_due(IN_JANUARY)
    statement = issued("statement", publisher)
    assert len(read_lines(statement)) == 4 and explained(statement) == []
    tamper(database_url, "UPDATE billing.document_lines SET amount_minor = amount_minor + 1, payable_minor = "
           "payable_minor + 1 WHERE line = 3 AND side = 'statement'")  # fmt: skip
    found = explained(statement)
    assert [(one.line, one.what, one.minor) for one in found][:2] == [(3, "amount", 1), (3, "payable", 1)]
    assert {one.what for one in found if one.line is None} == {"amount", "closing payable"}
    wrong = {check.name: check for check in audit_all(db.session).checks if not check.ok}
    assert [
        one["line"] for one in wrong["each line of an invoice or statement is what its transaction moved"].differences
    ] == [3]
    tamper(database_url, "UPDATE billing.document_lines SET amount_minor = amount_minor - 1, payable_minor = "
           "payable_minor - 1 WHERE line = 3 AND side = 'statement'")  # fmt: skip


def test_a_cent_that_is_planted_in_the_books_is_named_too(settled: Deal, database_url: str) -> None:
    run_due(IN_JANUARY)
    plant = "UPDATE billing.entries SET amount_minor = amount_minor {} 1 WHERE account = 2100"
    tamper(database_url, plant.format("+"))
    named = [(one.line, one.what, one.said_minor, one.booked_minor)
             for one in explained(issued("statement", settled.publisher))]  # fmt: skip
    tamper(database_url, plant.format("-"))
    assert named == [(1, "amount", 1_400, 1_399), (1, "payable", 1_120, 1_119)]


def test_the_audit_sees_a_transaction_that_a_document_left_out(settled: Deal, database_url: str) -> None:
    run_due(IN_JANUARY)
    first, last = (f"UPDATE billing.document_months SET from_id = '{UUID(int=one)}'" for one in (0, 2**128 - 1))
    tamper(database_url, last)  # as if all of it had been posted long before
    assert ask(database_url, MONTHS_ARE_WHOLE) == []
    tamper(database_url, "UPDATE billing.document_lines SET side = 'invoice' WHERE side = 'statement'")
    left_out = [(row[0], row[3]) for row in ask(database_url, MONTHS_ARE_WHOLE)]
    tamper(database_url, "UPDATE billing.document_lines SET side = 'statement' WHERE account_id <> "
           f"'{id_of(settled.buyer)}'")  # fmt: skip
    tamper(database_url, first)
    assert left_out == [("statement", DECEMBER)]


@pytest.mark.parametrize(
    ("check", "plant"),
    [
        (MONTHS_ADD_UP, "UPDATE billing.documents SET amount_minor = amount_minor {} 1 WHERE kind = 'invoice'"),
        (MONTHS_AS_BOOKED, "UPDATE billing.document_lines SET promo_minor = promo_minor {} 1"),
        (VAT_AS_BOOKED, "UPDATE billing.entries SET amount_minor = amount_minor {} 1 WHERE account = 2210"),
    ],
)
def test_the_audit_sees_what_a_document_and_the_books_disagree_on(
    settled: Deal, database_url: str, check: str, plant: str
) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    run_due(IN_JANUARY)
    assert ask(database_url, check.replace(r"\:", ":")) == []
    tamper(database_url, plant.format("+"))
    assert ask(database_url, check.replace(r"\:", ":")) != []
    tamper(database_url, plant.format("-"))


def test_every_language_has_all_words() -> None:
    assert len({frozenset(words.kinds) for layout in WORDS.values() for words in layout.values()}) == 1
    assert len({frozenset(one) for one in IN_WORDS.values()}) == len({frozenset(one) for one in SAID.values()}) == 1


def test_a_document_of_many_pages_has_a_sum_on_each(settled: Deal) -> None:
    run_due(IN_JANUARY)
    statement = issued("statement", settled.publisher)
    lines = read_lines(statement) * 100
    printed = month_pdf_of(month_sheet_of(statement, lines))
    assert printed == month_pdf_of(month_sheet_of(statement, lines))
    assert printed.startswith(b"%PDF-") and printed.count(b"/Type /Page\n") > 3


def test_months_follow_each_other() -> None:
    assert month_of(datetime(2027, 1, 1, 0, 30, tzinfo=UTC) - timedelta(hours=1)) == DECEMBER
    assert month_after(DECEMBER) == JANUARY and month_before(JANUARY) == DECEMBER
    assert end_of(DECEMBER) == begin_of(JANUARY) == datetime(2027, 1, 1, tzinfo=UTC)
