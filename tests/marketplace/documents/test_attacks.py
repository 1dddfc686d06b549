"""Documents as a sceptical accountant, a hostile publisher and a tax inspector would have them break."""

from datetime import UTC, date, datetime, timedelta, timezone

import psycopg
import pytest
from lxml import html
from sqlalchemy import text

from billing import month_pdf_of, month_sheet_of, say_details
from billing.documents.months.sheet import LongSheet
from core.db import transaction
from marketplace.documents.labels import in_one_line
from marketplace.jobs import run_due
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.proofs import months
from tests.marketplace.documents.quarter import Quarter, id_of, tax
from tests.marketplace.documents.test_month_print import lines_of, made
from tests.marketplace.documents.test_months import (
    DECEMBER,
    IN_JANUARY,
    JANUARY,
    issued,
    read_lines,
    settled,
)
from tests.marketplace.test_late_claims import short_window
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

__all__ = ["settled"]  # a fixture


def test_a_document_says_the_day_in_utc_wherever_it_is_read(settled: Deal) -> None:
    run_due(IN_JANUARY)
    document = made("statement", "en")
    here, tokyo = lines_of(document), lines_of(document)
    for line in here:
        line.occurred_at = line.reserve_until = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    for line in tokyo:
        line.occurred_at = line.reserve_until = here[0].occurred_at.astimezone(timezone(timedelta(hours=9)))
    assert month_pdf_of(month_sheet_of(document, here)) == month_pdf_of(month_sheet_of(document, tokyo))
    assert next(iter(month_sheet_of(document, tokyo).rows)).cells[1] == "2026-12-31"


@pytest.mark.parametrize(
    ("instant", "period"),
    [
        ("2026-12-31T23:59:59.999999+00:00", DECEMBER),
        ("2027-01-01T00:30:00+01:00", DECEMBER),
        ("2027-01-01T00:00:00+00:00", JANUARY),
    ],
)
def test_the_last_instant_of_a_month_stands_on_its_document(settled: Deal, instant: str, period: date) -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(
            text("UPDATE billing.transactions SET occurred_at = :at WHERE kind = 'resolve'"), {"at": instant}
        )
    run_due(datetime(2027, 2, 1, 6, tzinfo=UTC))
    assert issued("invoice", settled.buyer, period).amount_minor == 2_000


def test_what_is_posted_while_its_month_is_being_issued_stands_on_the_next_document(
    settled: Deal, clock: SetClock, database_url: str
) -> None:
    """Its transaction begins before the issue and commits after it."""
    with psycopg.connect(database_url) as slow:
        slow.execute(
            "INSERT INTO billing.transactions (key, kind, currency, source, actor, occurred_at) "
            "VALUES ('slow', 'fee', 'EUR', 'slow', 'tester', '2026-12-31T23:00Z')"
        )
        slow.execute(
            "INSERT INTO billing.entries (transaction_id, line, account, owner_id, currency, amount_minor) "
            "SELECT id, l.line, l.account, l.owner_id, 'EUR', l.minor FROM billing.transactions, (VALUES "
            "(1::smallint, 2000::smallint, %s::uuid, 7), (2, 4100, NULL, -7)) AS l (line, account, owner_id, minor) "
            "WHERE key = 'slow'", (id_of(settled.buyer),),
        )  # fmt: skip
        clock.instant = IN_JANUARY
        run_due(clock.now())
        slow.execute(
            "UPDATE billing.wallets SET available = available - 7 WHERE account_id = %s", (id_of(settled.buyer),)
        )
        slow.commit()
    run_due(clock.advance(days=31))
    assert [line.kind for line in read_lines(issued("invoice", settled.buyer))] == ["sale"]
    [line] = read_lines(issued("invoice", settled.buyer, JANUARY))
    assert (line.kind, line.amount_minor, line.occurred_at.month) == ("fee", 7, 12)


@pytest.mark.parametrize(
    "evil", ["a\n" * 90, "\u202eevil\u202c", "tab\tnul\u0000esc\u001b[31m", "x\u2028y", "\ufeff\u200b"]
)
def test_a_hostile_sub_id_takes_one_line_and_turns_nothing_round(settled: Deal, evil: str) -> None:
    shown = in_one_line(f"sub 1 {evil}")
    assert shown.isprintable() and "  " not in shown and "\u202e" not in shown


def test_a_statement_full_of_line_breaks_is_no_longer_than_another(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market, market.lead(source={"name": "a\nb", "sub": {"1": "x\n" * 90, "2": "پارسی‌زبان"}}))
    run_due(clock.advance(days=22))
    run_due(IN_JANUARY)
    statement = issued("statement", deal.publisher)
    [line] = read_lines(statement)
    assert line.label["data"]["sub"]["1"] == "x\n" * 90 and "پارسی‌زبان" in line.label["told"][-1]
    assert month_pdf_of(month_sheet_of(statement, [line])).count(b"/Type /Page\n") == 1


def test_no_name_writes_the_number_of_pages(settled: Deal) -> None:
    one, other = (month_sheet_of(made("statement", "en", name), []) for name in ("{nb}", "{nc}"))
    assert isinstance(one, LongSheet)
    assert abs(len(month_pdf_of(one)) - len(month_pdf_of(other))) < 2_000


def test_a_new_name_and_address_change_no_issued_document(settled: Deal) -> None:
    run_due(IN_JANUARY)
    invoice = settled.buyer.get("/invoices")["items"][0]
    forms = [f"/invoices/{invoice['id']}{end}" for end in ("", "/pdf", "/csv")]
    before = [settled.buyer.request("GET", form, Accept="*/*").data for form in forms]
    with transaction() as session:
        say_details(id_of(settled.buyer), "Another Name Ltd", "Elsewhere 9", "XX1", "user:x", IN_JANUARY)
        session.execute(text("UPDATE core.accounts SET name = 'Renamed'"))
        session.execute(text("UPDATE core.users SET language = 'nl'"))
    tax(settled.buyer, treatment="rate", country="FR", valid_from=JANUARY)
    assert [settled.buyer.request("GET", form, Accept="*/*").data for form in forms] == before


def test_a_publisher_opens_the_statement_of_each_currency(market: Market, clock: SetClock) -> None:
    quarter = Quarter(market, clock)
    quarter.open()
    for dollars in (True, False):
        quarter.sell(0, dollars=dollars)
    for _ in range(3):
        clock.advance(days=21)
        quarter.let_pass()
    publisher = visitor_of(market, quarter.publishers[0])
    page = publisher.read("/publisher/statements")
    links = {str(link.text_content()): str(link.get("href")) for link in page.xpath("//a[@class='opens']")}
    with transaction():
        documents = {one.shown_number: one.currency for one in months("statement", quarter.publishers[0])}
    assert set(documents.values()) == {"EUR", "USD"} and links.keys() == documents.keys()
    for number, currency in documents.items():
        shown = publisher.open(links[number])
        assert number in words_of(shown) and ("$" in words_of(shown)) == (currency == "USD")
        [pdf] = html.fromstring(shown.text).xpath("//a[contains(@href, '/pdf')]/@href")
        assert number in publisher.open(str(pdf)).headers["Content-Disposition"]
    assert any("currency=USD" in str(link) for link in page.xpath("//a[@class='button']/@href"))


def test_a_month_in_which_nothing_was_booked_says_so_and_what_stayed(settled: Deal, clock: SetClock) -> None:
    clock.instant = datetime(2027, 2, 20, tzinfo=UTC)
    run_due(clock.now())  # the reserve came in January
    clock.instant = datetime(2027, 4, 2, tzinfo=UTC)
    run_due(clock.now())
    read = settled.publisher.get("/statements/2027-03")
    assert (read["state"], read["items"], read["issued"]) == ("empty", [], None)
    assert read["opening"] == read["closing"] and read["closing"]["payable"]["amount"] == "14.00"
    page = words_of(visitor_of(settled.market, settled.publisher).open("/publisher/statements/2027-03"))
    assert "nothing was booked in this month" in page and "not issued yet" not in page
    assert settled.publisher.request("GET", "/statements/2027-03/pdf").status_code == 404
