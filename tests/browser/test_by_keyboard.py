"""Whole errands by keyboard alone, on a desk and on a phone: each stop is seen, and Enter does what one expects."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.db import db
from core.ids import parse_id
from tests.browser.conftest import Look
from tests.deals import make_deal
from tests.factories import Market, Member
from tests.visitor import PASSWORD

MOST_STOPS = 60
# What is wrong with where the focus is: not drawn, no ring, or beneath a bar that stands still.
UNSEEN = """(() => {
    const at = document.activeElement, box = at.getBoundingClientRect(), look = getComputedStyle(at);
    if (at === document.body) return "";
    if (!box.width || !box.height) return "is not drawn: " + at.outerHTML.slice(0, 120);
    if (look.outlineStyle === "none" && look.boxShadow === "none") return "has no ring: " + at.outerHTML.slice(0, 120);
    const x = Math.max(box.left, 0) + Math.min(box.width, innerWidth - Math.max(box.left, 0)) / 2;
    const top = document.elementFromPoint(x, Math.min(Math.max(box.top + Math.min(box.height, 40) / 2, 0), innerHeight - 1));
    return top && (at.contains(top) || top.contains(at)) ? "" : "is covered or out of view: " + at.outerHTML.slice(0, 120);
})()"""


@pytest.fixture(params=[360, 1440])
def look(chromium: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Look]:
    context = chromium.new_context(viewport={"width": request.param, "height": 640}, reduced_motion="reduce")
    yield Look(context.new_page(), site)
    context.close()
    db.session.rollback()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until something is focused; every stop on the way must be seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        assert page.evaluate(UNSEEN) == "", page.url
        if wanted.count() and wanted.first.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab on {page.url}")


def sign_in(look: Look, member: Member) -> Page:
    """Sign in without a pointer, and go on to the content of the first page."""
    email = db.session.scalar(
        db.text(
            "SELECT u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id WHERE m.account_id = :id"
        ),
        {"id": parse_id("acc", member.id)},
    )
    db.session.rollback()
    page = look.at("/login")
    tab_to(page, page.get_by_label("E-mail address"))
    page.keyboard.type(str(email))
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/(publisher|buyer|operator)/"))
    return page


def skip_to_content(page: Page) -> None:
    """Pass over what stands around every page."""
    tab_to(page, page.get_by_role("link", name="Skip to the content"))
    page.keyboard.press("Enter")


def test_a_publisher_says_how_a_source_sells(look: Look, market: Market) -> None:
    publisher = market.make_publisher()
    page = sign_in(look, publisher)
    tab_to(page, page.locator("nav:visible").get_by_role("link", name="Sources"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/publisher/sources$"))
    skip_to_content(page)
    tab_to(page, page.locator("main a[href$='/sources/rules']"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/sources/rules$"))
    skip_to_content(page)
    tab_to(page, page.get_by_label("Source", exact=True))
    page.keyboard.type("fairs")
    tab_to(page, page.get_by_label("Vertical", exact=True))
    page.keyboard.type("Education")
    tab_to(page, page.get_by_label("Sell each lead to one buyer only"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("What each sale brings you at least"))
    page.keyboard.type("five")
    page.keyboard.press("Enter")
    expect(page.locator("#min_price-fault")).to_contain_text("Write an amount such as 5 or 5.50.")
    skip_to_content(page)
    tab_to(page, page.get_by_label("What each sale brings you at least"))
    page.keyboard.press("Control+a")
    page.keyboard.type("5.50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Kept.")
    expect(page.get_by_role("row").filter(has_text="fairs")).to_contain_text("€5.50")
    assert look.wrong == []


def test_an_operator_decides_a_dispute(look: Look, market: Market) -> None:
    deal = make_deal(market)
    deal.dispute(note="Nobody answers.")
    page = sign_in(look, deal.operator)
    expect(page).to_have_url(re.compile("/operator/disputes$"))
    skip_to_content(page)
    tab_to(page, page.locator("main a.opens"))
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Nobody answers.")
    page.keyboard.press("Escape")
    expect(page.locator("main a.opens")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, drawer.get_by_role("radio"))
    page.keyboard.press("Space")
    tab_to(page, drawer.get_by_label("Why"))
    page.keyboard.type("The number was never in service.")
    tab_to(page, drawer.get_by_role("button", name="Decide the dispute"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/operator/disputes"))
    expect(page.get_by_role("status").first).to_be_visible()
    assert deal.state() == "returned" and look.wrong == []


def test_every_place_is_reached_in_a_low_window(chromium: Browser, site: str, market: Market) -> None:
    context = chromium.new_context(viewport={"width": 1024, "height": 360})
    page = sign_in(Look(context.new_page(), site), market.make_operator())
    last = page.locator(".desk > .places a").last
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box and box["y"] + box["height"] <= 360, "the last place is cut off"
    context.close()
