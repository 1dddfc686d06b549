"""Every page in French and in Dutch on a phone: nothing is wider than the window, and no word at a chart is cut."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Look
from tests.browser.test_pages import OF_KIND
from tests.factories import Market
from tests.marketplace.market_days import count, make_trade
from tests.shown_payouts import shown_payouts

OPEN = ("/", "/login", "/register", "/reset", "/market?vertical=education")
OURS = ("/design",)  # is written in English alone
CUT = """[...document.querySelectorAll(".plot .ends text, .plot .scale text")].filter(word => {
    const of = word.getBoundingClientRect(), room = word.ownerSVGElement.getBoundingClientRect();
    return of.right > room.right + 0.5 || of.left < room.left - 0.5;
}).map(word => word.textContent)"""

# What reaches beyond the window on a page that can be moved sideways.
WIDE = """document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 0.5 && !one.closest(".scroll"))
    .map(one => one.outerHTML.slice(0, 90)).slice(-3)"""


@pytest.mark.parametrize("kind", ["", *OF_KIND])
@pytest.mark.parametrize("language", ["fr", "nl"])
def test_nothing_is_cut_in_another_language(
    chromium: Browser, site: str, market: Market, people: dict[str, str], language: str, kind: str
) -> None:
    make_trade(market).post(25)
    count(market.clock.now())
    named, drawn, cut = shown_payouts(people["publisher"]), 0, []
    context = chromium.new_context(viewport={"width": 360, "height": 800}, locale=language)
    look = Look(context.new_page(), site)
    if kind:
        look.sign_in(people[kind])
    for path in OF_KIND.get(kind, OPEN):
        if path in OURS:
            continue
        page = look.at(path.format_map(named))
        assert page.evaluate("document.documentElement.lang") == language, path
        cut += [(path, found) for found in page.evaluate(CUT) + page.evaluate(WIDE)]
        drawn += page.locator(".plot .ends text").count()
    assert cut == [] and look.wrong == []
    assert drawn or kind != "publisher", "no chart was drawn"
    context.close()
