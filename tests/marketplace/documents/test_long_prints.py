"""Long documents: printed by a job, kept, asked for again, and the same bytes however they are printed."""

from typing import Any

import pytest

from billing import forget_prints
from billing.jobs import print_document
from core.db import transaction
from core.failpoints import Failed
from marketplace.jobs import run_due
from tests.at_once import ask
from tests.conftest import SetClock
from tests.deals import Deal
from tests.marketplace.documents.test_months import (
    IN_JANUARY,
    issued,
    settled,
)
from tests.marketplace.test_portal_pages import visitor_of
from tests.visitor import words_of

__all__ = ["settled"]  # a fixture


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
