"""Invoices, statements, what is pending and the forecast, with rows in them, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from sqlalchemy import text

from core.db import transaction
from marketplace.jobs import run_due
from tests.browser.conftest import Look
from tests.conftest import SetClock
from tests.deals import Deal, make_deal
from tests.factories import Market, Member
from tests.marketplace.documents.quarter import id_of
from tests.marketplace.documents.test_months import IN_JANUARY, late_claim
from tests.marketplace.test_late_claims import short_window


@pytest.fixture
def issued(market: Market, clock: SetClock) -> Deal:
    """Issue December, with a sale and what was not paid, and let January have a correction so far."""
    short_window()
    source = {"name": "a source with a long name that goes on", "sub": {"1": "campaign-7", "2": "x" * 60}}
    deal = make_deal(market, market.lead(source=source))
    returned = deal.publisher.post("/leads", market.lead(source=source))["sales"][0]["id"]
    deal.decide(deal.buyer.post(f"/sales/{returned}/disputes", {"reason": "bot"}), "uphold")
    run_due(clock.advance(days=22))
    clock.instant = IN_JANUARY
    run_due(clock.now())
    late_claim(deal)
    deal.publisher.post("/leads", market.lead())
    return deal


def email_of(member: Member) -> str:
    """Return the address that a member signs in with."""
    query = "SELECT u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id WHERE m.account_id = :id"
    with transaction() as session:
        return str(session.scalar(text(query), {"id": id_of(member)}))


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_every_page_of_documents_is_clean(chromium: Browser, site: str, issued: Deal, width: int, scheme: str) -> None:
    invoice = issued.buyer.get("/invoices")["items"][0]["id"]
    pages = {
        issued.buyer: ["/buyer/invoices", f"/buyer/invoices/{invoice}"],
        issued.publisher: ["/publisher/statements", "/publisher/statements/2026-12", "/publisher/statements/2027-01",
                           "/publisher/balance", "/publisher/pending", "/publisher/billing-details"],
        issued.operator: ["/operator/documents", f"/operator/documents/{invoice}", f"/operator/vat/{issued.buyer.id}",
                          "/operator/forecast", "/operator/export", "/operator/books"],
    }  # fmt: skip
    for member, paths in pages.items():
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        look = Look(context.new_page(), site)
        look.sign_in(email_of(member))
        for path in paths:
            page = look.at(path)
            found = Axe().run(page)
            assert found.violations_count == 0, (path, width, found.generate_report())
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, (path, width, wider)
        assert look.wrong == []
        context.close()
