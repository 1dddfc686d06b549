"""The stories that operators read, on a phone and on a desk: nothing wider than the window, nothing that axe finds."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import Look
from tests.core.test_sign_in import email_of
from tests.deals import make_deal
from tests.factories import Market


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_every_story_is_clean(chromium: Browser, site: str, market: Market, width: int, scheme: str) -> None:
    deal = make_deal(market)
    opened = deal.dispute(note="<b>" + "x" * 200)
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    look = Look(context.new_page(), site)
    look.sign_in(email_of(market, "operator"))
    paths = (f"disputes/{opened['id']}", f"publishers/{deal.publisher.id}", f"buyers/{deal.buyer.id}")
    for path in paths:
        page = look.at(f"/operator/{path}")
        found = Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    assert look.wrong == []
    context.close()
