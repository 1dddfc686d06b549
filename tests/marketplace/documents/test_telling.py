"""Who is told that a document is issued: each once, a mail a month, no storm of what is made up for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.db import transaction
from marketplace.documents.months import issue_next, issue_untold
from marketplace.documents.telling import mail_documents
from marketplace.jobs import run_due
from tests.at_once import ask, at_once, no_deadlocks
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market
from tests.marketplace.documents.quarter import id_of
from tests.marketplace.documents.test_months import (
    DECEMBER,
    IN_JANUARY,
    found,
    settled,
)
from tests.marketplace.test_late_claims import short_window

__all__ = ["settled"]  # a fixture


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


def test_whoever_issues_at_once_leaves_no_gap_and_tells_once(
    market: Market, clock: SetClock, database_url: str
) -> None:
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
