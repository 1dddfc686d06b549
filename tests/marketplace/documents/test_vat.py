"""VAT by account as data: a rate is booked and charged at the issue, reverse charge named, and nobody taxed unasked."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from billing import (
    VatWish,
    earnings_of,
    month_content_of,
    month_sheet_of,
    position_of,
    say_vat_terms,
    unexplained,
    vat_terms_of,
    wallet_of,
)
from billing.documents.taxes import tax_on, vat_rates
from core.db import transaction
from core.errors import Conflict, Invalid
from marketplace.jobs import run_due
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.quarter import id_of, tax
from tests.marketplace.documents.test_months import IN_JANUARY, JANUARY, issued, late_claim, read_lines, settled
from tests.marketplace.test_late_claims import short_window

__all__ = ["settled"]  # a fixture


def test_tax_at_a_rate_is_booked_and_charged_to_the_wallet_when_the_invoice_is_issued(settled: Deal) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    run_due(IN_JANUARY)
    invoice = issued("invoice", settled.buyer)
    vat = month_content_of(invoice).vat
    assert (invoice.amount_minor, vat.rate_bp, vat.minor, vat.country) == (2_000, 2_000, 400, "FR")
    with transaction():
        assert wallet_of(id_of(settled.buyer), "EUR").available.minor == 8_000 - 400
    assert ask_one("SELECT kind FROM billing.transactions WHERE id = :id", id=invoice.transaction_id) == "vat_invoice"


def test_tax_that_a_wallet_cannot_pay_is_owed_and_paid_by_what_comes_in(market: Market, clock: SetClock) -> None:
    short_window()
    deal = make_deal(market)
    for _ in range(4):
        deal.publisher.post("/leads", market.lead())
    run_due(clock.advance(days=22))
    tax(deal.buyer, treatment="rate", country="NL")
    clock.instant = IN_JANUARY
    run_due(clock.now())
    clock.advance(seconds=1)
    wallet = deal.buyer.get("/wallet")
    assert wallet["available"]["amount"] == "0.00" and wallet["credit"]["due"]["amount"] == "21.00", wallet


def test_tax_of_a_month_that_gave_more_back_goes_back_into_the_wallet(settled: Deal, clock: SetClock) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    tax(settled.publisher, treatment="rate", country="NL")
    run_due(IN_JANUARY)
    clock.instant = IN_JANUARY
    late_claim(settled)
    run_due(clock.advance(days=31))

    invoice, statement = issued("invoice", settled.buyer, JANUARY), issued("statement", settled.publisher, JANUARY)
    assert (invoice.amount_minor, month_content_of(invoice).vat.minor) == (-2_000, -400)
    assert (statement.amount_minor, month_content_of(statement).vat.minor) == (-1_400, -294)
    with transaction():
        assert wallet_of(id_of(settled.buyer), "EUR").available.minor == 10_000
        assert earnings_of(id_of(settled.publisher), "EUR").owed.minor == 0
        assert position_of(id_of(settled.publisher), "EUR").total_minor == 0
        assert unexplained(invoice) == unexplained(statement) == []


def test_reverse_charge_names_the_number_it_rests_on_and_books_nothing(settled: Deal) -> None:
    tax(settled.buyer, treatment="reverse_charge", country="nl", vat_number="NL 123")
    run_due(IN_JANUARY)
    invoice = issued("invoice", settled.buyer)
    sheet = month_sheet_of(invoice, read_lines(invoice))
    assert "Reverse charge" in sheet.note and "(NL 123)" in sheet.note
    assert month_content_of(invoice).vat.minor == 0 and invoice.transaction_id is None


def test_nobody_is_taxed_until_somebody_said_so_and_each_change_is_kept(settled: Deal) -> None:
    tax(settled.buyer, treatment="rate", country="FR")
    with pytest.raises(Conflict, match="Somebody changed"):
        tax(settled.buyer, 0, treatment="none")
    tax(settled.buyer, 1, treatment="none")
    run_due(IN_JANUARY)
    with transaction():
        assert [one.treatment for one in vat_terms_of(id_of(settled.buyer))] == ["none", "rate"]
    assert month_content_of(issued("invoice", settled.buyer)).vat.minor == 0
    assert month_content_of(issued("statement", settled.publisher)).vat.treatment == "none"


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"treatment": "free"}, {"treatment"}),
        ({"treatment": "rate", "country": "Fr4"}, {"country", "rate_bp"}),
        ({"treatment": "rate", "country": "US"}, {"rate_bp"}),
        ({"treatment": "rate", "country": "FR", "rate_bp": 5001}, {"rate_bp"}),
        ({"treatment": "reverse_charge", "country": "NL"}, {"vat_number"}),
        ({"treatment": "none", "vat_number": "x" * 41, "reason": ""}, {"vat_number", "reason"}),
    ],
)
def test_terms_of_tax_that_make_no_sense_are_refused_at_each_field(
    settled: Deal, said: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(Invalid) as refused, transaction():
        say_vat_terms(id_of(settled.buyer), VatWish(**{"reason": "x"} | said), 0, "test", IN_JANUARY)
    assert {fault.field for fault in refused.value.faults} == fields


def test_tax_is_rounded_half_a_cent_up_and_mirrored_for_what_goes_back() -> None:
    assert [tax_on(net, 2_000) for net in (0, 2, 3, 13, 12_999, -13)] == [0, 0, 1, 3, 2_600, -3]
    assert tax_on(1, 2_550) == 0 and tax_on(100, 2_550) == 26


def test_every_rate_is_plausible_and_has_a_source_and_a_day() -> None:
    table = vat_rates()
    assert len(table.rates) == 27 and "European Commission" in table.source
    assert table.source_version <= table.looked_up and set(table.unconfirmed) <= table.rates.keys()
    assert all(1_500 <= one.rate_bp <= 2_700 and one.since <= table.looked_up for one in table.rates.values())


@pytest.mark.parametrize(
    "values",
    ["'free', 'FR', '', 0, 'x'", "'rate', 'FR', '', 0, 'x'", "'rate', 'FR', '', 5001, 'x'", "'none', '', '', 1, 'x'",
     "'reverse_charge', 'NL', '', 0, 'x'", "'rate', 'f', '', 1, 'x'", "'none', '', '', 0, ''"],
)  # fmt: skip
def test_the_database_refuses_terms_of_tax_that_make_no_sense(settled: Deal, values: str) -> None:
    row = f"VALUES ('{id_of(settled.buyer)}', 1, {values}, 'test', now(), '2027-05-01')"
    with pytest.raises(DBAPIError, match="vat_terms_check"), transaction() as session:
        session.connection().exec_driver_sql(f"INSERT INTO billing.vat_terms {row}")


def ask_one(query: str, **values: Any) -> Any:
    with transaction() as session:
        return session.execute(text(query), values).scalar_one()
