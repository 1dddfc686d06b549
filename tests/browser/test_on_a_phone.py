"""A phone with a keyboard: what cannot be promised is in view beside its brief, and Enter saves an order."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from core.clock import as_rfc3339
from core.db import db
from tests.browser.conftest import Look
from tests.factories import Market, Member
from tests.marketplace.test_buyer_orders import only_order

WHERE = """(() => { const found = document.getElementById('leads-fault').getBoundingClientRect();
    return found.left >= 0 && found.right <= innerWidth + 1 ? document.activeElement.name : 'out of view'; })()"""


@pytest.fixture
def buyer(market: Market) -> Member:
    return market.make_buyer()


def look_of(chromium: Browser, site: str, kind: str) -> Look:
    """Sign in as the only account of a kind, on a phone."""
    email = db.session.scalar(
        db.text("SELECT u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id"
                " JOIN core.accounts a ON a.id = m.account_id WHERE a.kind = :kind"), {"kind": kind}
    )  # fmt: skip
    db.session.rollback()
    look = Look(chromium.new_context(viewport={"width": 360, "height": 780}).new_page(), site)
    look.sign_in(str(email))
    return look


def test_a_promise_that_cannot_be_kept_is_told_in_view(
    chromium: Browser, site: str, market: Market, buyer: Member
) -> None:
    market.make_publisher()
    order = {"name": "made for us", "vertical": "education", "price": {"amount": "12.00", "currency": "EUR"}}
    until = as_rfc3339(market.clock.now() + timedelta(days=9))
    buyer.post("/briefs", {"order": order, "volume": 5, "ends_at": until})
    page = look_of(chromium, site, "publisher").at("/publisher/briefs")
    page.locator("[name=leads]").fill("77")
    page.locator("[name=leads]").press("Enter")
    page.wait_for_selector("#leads-fault")
    assert page.evaluate(WHERE) == "leads" and page.locator("[name=leads]").input_value() == "77"


def test_enter_saves_an_order(chromium: Browser, site: str, market: Market, buyer: Member) -> None:
    order = market.make_order(buyer)["id"]
    page = look_of(chromium, site, "buyer").at(f"/buyer/orders/{order}")
    page.locator("[name=price]").fill("21.00")
    page.locator("[name=price]").press("Enter")
    page.wait_for_url("**/buyer/orders")
    assert only_order(buyer)["price"]["amount"] == "21.00"
