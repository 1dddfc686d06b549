"""Tax by the day of supply: what holds from when, what is taken back, what is refused, and what the log says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from billing import VatWish, charge_fee, month_content_of, month_sheet_of, return_fee
from billing.document_checks import VAT_PARTS_ADD_UP
from core.db import transaction
from core.errors import Invalid
from core.money import Money
from marketplace.documents.months import issue_next
from marketplace.documents.taxing import tax_account
from marketplace.jobs import run_due
from tests.at_once import ask
from tests.conftest import START, SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.quarter import id_of, tax
from tests.marketplace.documents.test_months import (
    IN_JANUARY,
    JANUARY,
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


def test_a_fee_that_is_given_back_is_taxed_as_it_was_and_names_its_invoice(settled: Deal, clock: SetClock) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    with transaction():
        charge_fee(id_of(settled.buyer), Money(500, "EUR"), "fee", "a claim", "tester", clock.now())
    run_due(IN_JANUARY)
    tax(settled.buyer, treatment="rate", country="HU", valid_from=JANUARY)
    with transaction():
        assert return_fee("fee", "won the appeal", "tester", IN_JANUARY)
    run_due(datetime(2027, 2, 1, 6, tzinfo=UTC))
    later = issued("invoice", settled.buyer, JANUARY)
    [line] = read_lines(later)
    assert (line.kind, line.amount_minor, line.refers_to) == ("fee_back", -500, "IN-2027-000001")
    assert month_content_of(later).vat.minor == -100
