"""Documents as a sceptical accountant, a hostile publisher and a tax inspector would have them break."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from lxml import html
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from billing import VatWish, forget_prints, month_content_of, month_pdf_of, month_sheet_of, say_details
from billing.document_checks import VAT_PARTS_ADD_UP
from billing.documents.months.sheet import LongSheet
from billing.jobs import print_document
from core.db import transaction
from core.errors import Invalid
from core.failpoints import Failed
from marketplace.documents.labels import in_one_line
from marketplace.documents.months import issue_next, issue_untold
from marketplace.documents.taxing import tax_account
from marketplace.documents.telling import mail_documents
from marketplace.jobs import run_due
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import START, SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.proofs import months
from tests.marketplace.documents.quarter import Quarter, id_of, tax
from tests.marketplace.documents.test_month_print import lines_of, made
from tests.marketplace.documents.test_months import (
    DECEMBER,
    IN_JANUARY,
    JANUARY,
    found,
    issued,
    late_claim,
    read_lines,
    settled,
)
from tests.marketplace.test_late_claims import short_window
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

__all__ = ["settled"]  # a fixture


def sold_on(market: Market, clock: SetClock, *days: int) -> Deal:
    """Sell a lead at once and one after so many days each; a sale is settled after 22 days."""
    short_window()
    deal = make_deal(market)
    for day in days:
        clock.instant = START + timedelta(days=day)
        deal.publisher.post("/leads", deal.market.lead())
    for day in range(22, 40):
        run_due(START + timedelta(days=day))
    return deal


def test_a_rate_that_changes_within_a_month_taxes_each_line_by_its_day(market: Market, clock: SetClock) -> None:
    deal = sold_on(market, clock, 8, 13)  # settled on 14, 22 and 27 December
    tax(deal.buyer, treatment="rate", country="FR", valid_from=date(2026, 12, 1))
    tax(deal.buyer, treatment="rate", country="FR", rate_bp=2_200, valid_from=date(2026, 12, 22))
    tax(deal.buyer, treatment="reverse_charge", country="NL", vat_number="NL1", valid_from=date(2027, 1, 5))
    clock.instant = IN_JANUARY
    run_due(clock.now())

    invoice = issued("invoice", deal.buyer)
    content = month_content_of(invoice)
    assert [(one.rate_bp, one.net_minor, one.minor) for one in content.vat.parts] == [
        (2_000, 2_000, 400), (2_200, 4_000, 880),
    ]  # fmt: skip
    assert content.vat.minor == 1_280
    totals = dict(month_sheet_of(invoice, []).totals)
    assert totals["VAT 20 % (FR)"] == "4.00 EUR" and totals["Net, 22 % (FR)"] == "40.00 EUR"
    shown = deal.buyer.get("/invoices")["items"][0]["vat"]
    assert [one["rate_bp"] for one in shown["parts"]] == [2_000, 2_200] and shown["rate_bp"] == 2_200
    page = words_of(
        visitor_of(market, deal.buyer).open(f"/buyer/invoices/{deal.buyer.get('/invoices')['items'][0]['id']}")
    )
    assert "VAT by rate" in page and "22%" in page


def test_what_is_taken_back_is_taxed_as_its_sale_was(settled: Deal, clock: SetClock) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    run_due(IN_JANUARY)
    tax(settled.buyer, treatment="rate", country="HU", valid_from=JANUARY)
    clock.instant = IN_JANUARY
    late_claim(settled)
    run_due(clock.advance(days=31))
    assert month_content_of(issued("invoice", settled.buyer, JANUARY)).vat.minor == -400


def test_nobody_says_terms_of_tax_for_a_month_that_is_issued(settled: Deal, database_url: str) -> None:
    run_due(IN_JANUARY)
    with pytest.raises(Invalid) as refused, transaction():
        wish = VatWish(treatment="rate", country="FR", reason="late", valid_from=date(2026, 12, 31))
        tax_account(id_of(settled.buyer), wish, 0, "user:x", IN_JANUARY)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("valid_from", "month_issued")]
    row = f"'{id_of(settled.buyer)}', 1, 'none', '', '', 0, 'x', 'test', now(), '2026-12-31'"
    with pytest.raises(DBAPIError, match="a document of that month is issued"), transaction() as session:
        session.connection().exec_driver_sql(f"INSERT INTO billing.vat_terms VALUES ({row})")


def test_terms_of_tax_wait_for_a_document_that_is_being_issued(settled: Deal, database_url: str) -> None:
    row = f"'{id_of(settled.buyer)}', 1, 'rate', 'FR', '', 2000, 'x', 'test', now(), '2026-12-01'"
    with psycopg.connect(database_url, autocommit=True) as other, transaction():
        while issue_next(IN_JANUARY):
            pass
        other.execute("SET lock_timeout = '200 ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(f"INSERT INTO billing.vat_terms VALUES ({row})".encode())


def test_whoever_taxes_needs_a_number_of_his_own(settled: Deal) -> None:
    extensions = settled.market.app.extensions
    nameless = replace(
        extensions["leadbourse_settings"], seller=replace(extensions["leadbourse_settings"].seller, vat_id="")
    )
    extensions["leadbourse_settings"] = nameless
    for treatment, more in (("rate", {}), ("reverse_charge", {"vat_number": "FR1"})):
        with pytest.raises(Invalid) as refused:
            tax(settled.publisher, treatment=treatment, country="FR", **more)
        assert [fault.code for fault in refused.value.faults] == ["seller_number_missing"]
    tax(settled.publisher, treatment="none")


def test_how_an_account_is_taxed_stands_in_the_log(settled: Deal) -> None:
    said = {"treatment": "rate", "country": "FI", "reason": "moved", "valid_from": "2026-12-24"}
    answer = settled.operator.request("PUT", f"/accounts/{settled.buyer.id}/vat-terms", said)
    assert answer.status_code == 200 and answer.json["valid_from"] == "2026-12-24", answer.text
    deed = settled.operator.get("/audit-log")["items"][0]
    assert "rate FI 25.5 % from 2026-12-24" in str(deed) and "moved" in str(deed)
    page = words_of(visitor_of(settled.market, settled.operator).open("/operator/log"))
    assert "rate FI 25.5 % from 2026-12-24" in page
    form = f"/operator/vat/{settled.buyer.id}"
    operator = visitor_of(settled.market, settled.operator)
    fields = {"treatment": "none", "country": "", "rate": "", "vat_number": "", "reason": "x", "seen": "1"}
    assert 'id="valid_from-fault"' in operator.send(form, **fields, valid_from="soon").text
    assert operator.send(form, **fields, valid_from="2027-01-01").status_code == 303
    assert "from 2027-01-01" in words_of(operator.open(form))


def test_a_tampered_part_of_a_tax_is_seen_by_the_audit(market: Market, clock: SetClock, database_url: str) -> None:
    deal = sold_on(market, clock, 8)
    tax(deal.buyer, treatment="rate", country="FR", valid_from=date(2026, 12, 20))
    run_due(IN_JANUARY)
    parts = "UPDATE billing.documents SET content = jsonb_set(content, '{{vat,parts,0,net_minor}}', '{}') WHERE kind = 'invoice'"
    net = month_content_of(issued("invoice", deal.buyer)).vat.parts[0].net_minor
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        assert ask(database_url, VAT_PARTS_ADD_UP) == []
        connection.execute(parts.format(net + 1).encode())
        assert len(ask(database_url, VAT_PARTS_ADD_UP)) == 1
        connection.execute(parts.format(net).encode())


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


def notices(url: str) -> list[Any]:
    query = "SELECT payload -> 'data', payload -> 'accounts' FROM core.outbox WHERE payload ->> 'event' = 'document.issued' ORDER BY id"
    return ask(url, query)


def mails(url: str) -> list[Any]:
    return ask(url, "SELECT args ->> 'account', args ->> 'period' FROM public.procrastinate_jobs "
                    "WHERE task_name = 'market.documents_issued' ORDER BY id")  # fmt: skip


def test_each_document_is_told_and_each_month_is_one_mail(
    settled: Deal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_due(IN_JANUARY)
    told = notices(database_url)
    assert {(one["kind"], one["period"], one["net"]["amount"]) for one, _ in told} == {
        ("invoice", "2026-12", "20.00"), ("statement", "2026-12", "14.00"),
    }  # fmt: skip
    assert {accounts[0] for _, accounts in told} == {str(id_of(settled.buyer)), str(id_of(settled.publisher))}
    assert sorted(mails(database_url)) == sorted(
        (str(id_of(one)), "2026-12-01") for one in (settled.buyer, settled.publisher)
    )
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "marketplace.documents.telling.mail_account", lambda account, subject, text: sent.append((subject, text))
    )
    mail_documents(id_of(settled.publisher), DECEMBER)
    [(subject, said)] = sent
    assert subject == "Statement of 2026-12" and "ST-2027-000001: 14.00 EUR net" in said


def test_months_that_are_made_up_for_are_no_storm(settled: Deal, database_url: str) -> None:
    run_due(datetime(2027, 3, 1, 6, tzinfo=UTC))
    assert {one["period"] for one, _ in notices(database_url)} <= {"2027-02"}
    assert {period for _, period in mails(database_url)} <= {"2027-02-01"}


def test_the_filling_in_of_a_demonstration_tells_nobody(settled: Deal, database_url: str) -> None:
    with transaction():
        while issue_untold(IN_JANUARY):
            pass
    assert notices(database_url) == mails(database_url) == [] and found("invoice", settled.buyer, DECEMBER)


def test_fifty_accounts_at_once_begin_a_year_without_a_gap(market: Market, clock: SetClock, database_url: str) -> None:
    short_window()
    deal = make_deal(market)
    for _ in range(6):
        buyer = market.make_buyer("100.00")
        market.make_order(buyer, "20.00", exclusivity="shared", max_share=5)
    for _ in range(6):
        deal.publisher.post("/leads", market.lead())
    run_due(clock.advance(days=22))

    def issue() -> None:
        with market.app.app_context():
            while True:
                with transaction():
                    if not issue_next(IN_JANUARY):
                        return

    with no_deadlocks(database_url, market.app):
        at_once([issue] * 4)
    gaps = ask(
        database_url, "SELECT kind, count(*), max(number), count(DISTINCT number) FROM billing.documents GROUP BY kind"
    )
    assert gaps and all(count == highest == distinct for _, count, highest, distinct in gaps)
    assert len(notices(database_url)) == sum(count for _, count, _, _ in gaps), "whoever lost the race tells nobody"


@pytest.fixture
def long(settled: Deal, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Deal:
    """Have December issued, whose documents count as long."""
    monkeypatch.setattr("billing.documents.months.printing.LONG", 0)
    clock.instant = IN_JANUARY
    run_due(IN_JANUARY)
    return settled


def jobs(url: str) -> list[Any]:
    query = "SELECT args ->> 'document' FROM public.procrastinate_jobs WHERE task_name = 'billing.print_document' ORDER BY id"
    return [row[0] for row in ask(url, query)]


def test_a_long_document_is_printed_by_a_job_and_no_request_waits_for_it(
    long: Deal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = issued("invoice", long.buyer)
    assert str(invoice.id) in jobs(database_url), "asked for when it is issued"
    path = f"/invoices/{long.buyer.get('/invoices')['items'][0]['id']}/pdf"
    asked = len(jobs(database_url))
    for _ in range(2):
        answer = long.buyer.request("GET", path)
        assert (answer.status_code, answer.json, answer.headers["Retry-After"]) == (202, {"status": "printing"}, "10")
    assert len(jobs(database_url)) == asked, "once, however often somebody asks"
    buyer = visitor_of(long.market, long.buyer)
    page = f"/buyer{path.removesuffix('/pdf')}"
    assert buyer.open(f"{page}/pdf").location == page
    assert "being printed" in words_of(buyer.open(page))

    print_document(str(invoice.id))

    kept = long.buyer.request("GET", path, Accept="*/*")
    assert kept.mimetype == "application/pdf" and buyer.open(f"{page}/pdf").data == kept.data
    monkeypatch.setattr("billing.documents.months.printing.LONG", 300)
    assert long.buyer.request("GET", path, Accept="*/*").data == kept.data, "the same bytes, whoever prints them"


def test_a_print_that_never_came_is_asked_for_again_and_a_forgotten_one_made_anew(
    long: Deal, clock: SetClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = issued("invoice", long.buyer)
    path = f"/invoices/{long.buyer.get('/invoices')['items'][0]['id']}/pdf"
    monkeypatch.setenv("FAILPOINT", "document.printed:error")
    with pytest.raises(Failed):
        print_document(str(invoice.id))
    monkeypatch.delenv("FAILPOINT")
    asked = len(jobs(database_url))
    clock.advance(minutes=10)
    assert long.buyer.request("GET", path).status_code == 202 and len(jobs(database_url)) == asked + 1
    print_document(str(invoice.id))
    print_document(str(invoice.id))
    first = long.buyer.request("GET", path, Accept="*/*").data
    with transaction():
        assert forget_prints(clock.advance(days=30)) == 1
    assert long.buyer.request("GET", path).status_code == 202
    print_document(str(invoice.id))
    assert long.buyer.request("GET", path, Accept="*/*").data == first


def test_the_print_of_another_is_not_to_be_had(long: Deal, database_url: str) -> None:
    path = f"/invoices/{long.buyer.get('/invoices')['items'][0]['id']}/pdf"
    asked = len(jobs(database_url))
    assert long.market.make_buyer("0").request("GET", path).status_code == 404
    assert len(jobs(database_url)) == asked
