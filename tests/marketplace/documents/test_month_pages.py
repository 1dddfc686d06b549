"""Invoices and statements as their owners and operators read them: pages, API, PDF and CSV say the same."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from core.db import transaction
from marketplace.jobs import run_due
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market, Member
from tests.marketplace.documents.test_months import IN_JANUARY
from tests.marketplace.test_late_claims import short_window
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import Visitor, words_of


@pytest.fixture
def issued(market: Market, clock: SetClock) -> Deal:
    """Sell two leads, of which one is returned before it is paid; December is issued."""
    short_window()
    deal = make_deal(market, market.lead(source={"name": "=SUM(1)", "sub": {"1": "campaign-7"}}))
    returned = deal.publisher.post("/leads", market.lead())["sales"][0]["id"]
    claim = deal.buyer.post(f"/sales/{returned}/disputes", {"reason": "bot"})
    deal.decide(claim, "uphold")
    run_due(clock.advance(days=22))
    clock.instant = IN_JANUARY
    run_due(clock.now())
    return deal


def get(member: Member, path: str, status: int = 200) -> Any:
    answer = member.request("GET", path)
    assert answer.status_code == status, answer.text
    return answer.json


def sheet_of(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.data.decode())))


def test_a_buyer_reads_an_invoice_in_all_its_forms(issued: Deal) -> None:
    [shown] = get(issued.buyer, "/invoices")["items"]
    assert (shown["number"], shown["period"], shown["net"]["amount"]) == ("IN-2027-000001", "2026-12", "20.00")
    read = get(issued.buyer, f"/invoices/{shown['id']}")
    [line] = read["items"]
    assert line["amount"]["amount"] == "20.00" and line["about"]["sale"] == issued.sale
    assert line["about"]["order_name"] == "an order" and read["unexplained"]["amount"] == "0.00"

    buyer = visitor_of(issued.market, issued.buyer)
    [link] = buyer.read("/buyer/invoices").xpath("//a[@class='opens']/@href")
    page = words_of(buyer.open(link))
    assert "IN-2027-000001" in page and "unexplained: €0.00" in page and "an order" in page and "20.00" in page
    assert "campaign" not in page and "SUM" not in page, "whom it came from is the publisher's affair"
    [row] = sheet_of(buyer.open(f"{link}/csv"))
    assert (row["document"], row["sale"], row["amount"]) == ("IN-2027-000001", issued.sale, "20.00")
    printed = buyer.open(f"{link}/pdf").data
    assert printed.startswith(b"%PDF-")
    for form, data in (("pdf", printed), ("csv", buyer.open(f"{link}/csv").data)):
        assert issued.buyer.request("GET", f"/invoices/{shown['id']}/{form}", Accept="*/*").data == data


def test_a_publisher_reads_a_statement_with_what_was_not_paid_and_why(issued: Deal) -> None:
    read = get(issued.publisher, "/statements/2026-12")
    assert read["state"] == "issued" and read["earned"]["amount"] == "14.00" and read["unexplained"]["amount"] == "0.00"
    assert read["closing"]["total"]["amount"] == "14.00" and read["opening"]["total"]["amount"] == "0.00"
    [line] = read["items"]
    assert line["about"]["sub"] == {"1": "campaign-7"} and line["about"]["source"] == "=SUM(1)"
    assert line["payable"]["amount"] == "11.20" and line["reserve_until"].startswith("2027-01-28")
    november = get(issued.publisher, "/statements/2026-11")
    [unpaid] = november["items"]
    assert unpaid["kind"] == "unpaid" and unpaid["about"]["reason"] == "bot" and unpaid["earned"]["amount"] == "0.00"
    assert {one["code"]: one["count"] for one in november["counted"]}["posted"] == 2
    assert get(issued.publisher, "/statements")["items"][-1]["number"].startswith("ST-20")

    publisher = visitor_of(issued.market, issued.publisher)
    page = words_of(publisher.open("/publisher/statements/2026-12"))
    assert "campaign-7" in page and "unexplained: €0.00" in page and "28 Jan 2027" in page and "an order" not in page
    assert "returned: robot" in words_of(publisher.open("/publisher/statements/2026-11"))
    [row] = sheet_of(publisher.open("/publisher/statements/2026-12/csv"))
    assert row["source"] == "'=SUM(1)" and row["subs"] == "1=campaign-7" and row["earned"] == "14.00"
    assert publisher.open("/publisher/statements/2026-12/pdf").data.startswith(b"%PDF-")


def test_a_document_is_in_its_readers_language_as_of_its_issue(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market)
    returned = deal.publisher.post("/leads", market.lead())["sales"][0]["id"]
    deal.decide(deal.buyer.post(f"/sales/{returned}/disputes", {"reason": "duplicate"}), "uphold")
    with transaction() as session:
        session.execute(text("UPDATE core.users SET language = 'fr'"))
    run_due(clock.advance(days=22))
    clock.instant = IN_JANUARY
    run_due(clock.now())
    with transaction() as session:
        session.execute(text("UPDATE core.users SET language = 'nl'"))
    november = get(deal.publisher, "/statements/2026-11")
    assert november["items"][0]["about"]["reason_said"] == "retourné : déjà connu"
    assert november["issued"]["language"] == "fr" and november["counted"][0]["says"] == "Leads envoyés"
    assert get(deal.buyer, "/invoices")["items"][0]["language"] == "fr"


def test_a_month_that_is_not_over_is_read_as_it_stands(issued: Deal, clock: SetClock) -> None:
    clock.advance(days=30)
    run_due(clock.now())
    read = get(issued.publisher, "/statements/2027-01")
    assert read["state"] == "open" and read["issued"] is None and read["unexplained"]["amount"] == "0.00"
    assert [one["kind"] for one in read["items"]] == ["mature"] and read["closing"]["payable"]["amount"] == "14.00"
    assert "not issued yet" in words_of(
        visitor_of(issued.market, issued.publisher).open("/publisher/statements/2027-01")
    )
    for path in (
        "/statements/2027-01/pdf",
        "/statements/2027-02",
        "/statements/2027-1",
        "/statements/2027-13",
        "/statements/x",
    ):
        get(issued.publisher, path, 404)
    assert get(issued.publisher, "/statements/2026-12?cursor=x", 400)["code"] == "bad_page"
    assert get(issued.publisher, "/statements/2026-12?cursor=1")["items"] == []
    assert get(issued.publisher, "/statements/2026-12?currency=USD")["items"] == []


def test_a_month_of_very_many_lines_is_kept_and_says_when_it_was_counted(
    issued: Deal, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.reports.kept.MANY", 0)
    visitor = visitor_of(issued.market, issued.publisher)
    first = words_of(visitor.open("/publisher/statements/2026-12"))
    clock.advance(minutes=2)
    again = words_of(visitor.open("/publisher/statements/2026-12"))
    assert "ST-2027-000001" in first and "Counted" not in first
    assert "ST-2027-000001" in again and "Counted 2 minutes ago" in again
    clock.advance(minutes=3)
    assert "Counted" not in words_of(visitor.open("/publisher/statements/2026-12"))


def test_nobody_reads_the_invoice_or_statement_of_another(issued: Deal) -> None:
    [shown] = get(issued.buyer, "/invoices")["items"]
    stranger = issued.market.make_buyer()
    visitor = visitor_of(issued.market, stranger)
    for end in ("", "/pdf", "/csv"):
        get(stranger, f"/invoices/{shown['id']}{end}", 404)
        assert visitor.open(f"/buyer/invoices/{shown['id']}{end}").status_code == 404
    assert get(issued.market.make_publisher(), "/statements/2026-12")["items"] == []
    get(issued.buyer, "/statements/2026-12", 403)
    get(issued.publisher, "/invoices", 403)
    get(issued.buyer, f"/documents/{shown['id']}", 404)


def test_an_operator_reads_all_of_them_and_has_an_account_taxed(issued: Deal) -> None:
    operator: Visitor = visitor_of(issued.market, issued.operator)
    for kind, number in (("invoice", "IN-2027-000001"), ("statement", "ST-2027-000001")):
        page = operator.read(f"/operator/documents?kind={kind}")
        assert number in page.text_content()
        link = str(page.xpath("//a[@class='opens']/@href")[0])
        assert "unexplained: €0.00" in words_of(operator.open(link))
        assert operator.open(f"{link}/pdf").status_code == operator.open(f"{link}/csv").status_code == 200
    form = f"/operator/vat/{issued.buyer.id}"
    refused = operator.send(form, treatment="rate", country="Frr", rate="x", vat_number="", reason="", seen="0")
    assert 'id="rate-fault"' in refused.text
    refused = operator.send(form, treatment="reverse_charge", country="F", rate="", vat_number="", reason="", seen="0")
    assert all(f'id="{name}-fault"' in refused.text for name in ("country", "vat_number", "reason"))
    assert (
        operator.send(form, treatment="rate", country="fr", rate="5.5", vat_number="", reason="x", seen="0").status_code
        == 303
    )
    shown = words_of(operator.open(form))
    assert "At a rate, FR, 5.5%" in shown

    terms = f"/accounts/{issued.buyer.id}/vat-terms"
    assert [one["rate_bp"] for one in get(issued.operator, terms)["items"]] == [550]
    said = {"treatment": "none", "reason": "moved", "version": 1}
    assert issued.operator.request("PUT", terms, said).json["version"] == 2
    assert issued.operator.request("PUT", terms, said).status_code == 409
    assert issued.buyer.request("GET", terms).status_code == 403


def test_whom_a_publishers_statements_name_is_said_on_his_page(issued: Deal) -> None:
    publisher = visitor_of(issued.market, issued.publisher)
    assert 'id="name-fault"' in publisher.send("/publisher/billing-details", name="", address="", vat_id="").text
    sent = publisher.send("/publisher/billing-details", name="Söurce BV", address="Gracht 1", vat_id="NL1")
    assert sent.status_code == 303
    assert "Söurce BV" in publisher.open("/publisher/billing-details").text
