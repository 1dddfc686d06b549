"""The pages in Chromium: nothing from elsewhere, no error, no violation of the policy, nothing that axe finds."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, expect

from core.db import db
from tests.browser.conftest import Look
from tests.shown_payouts import shown_payouts

PUBLIC = ("/", "/login", "/register", "/reset", "/market?vertical=education")
# The headings that are drawn nowhere though nobody closed what they stand in.
UNSEEN = """[...document.querySelectorAll("main h1, main h2, main table, main form")]
    .filter(one => !one.closest("details:not([open]), [hidden], dialog") && one.getClientRects().length === 0)
    .map(one => one.tagName + " " + one.textContent.trim().slice(0, 40))"""
LONG = ("/api/docs", "/docs/errors")  # axe takes seconds for these, so in one look only
OF_KIND = {
    "publisher": (
        "/publisher/today",
        "/market/now",
        "/publisher/leads",
        "/publisher/sources",
        "/publisher/briefs",
        "/publisher/sources/new",
        "/publisher/sources/rules",
        "/publisher/specification/education",
        "/publisher/upload",
        "/publisher/disputes",
        "/publisher/balance",
        "/publisher/payouts",
        "/publisher/payouts/place",
        "/publisher/payouts/{payout}",
        "/publisher/pending",
        "/publisher/statements",
        "/publisher/statements/2026-11",
        "/publisher/statements/2026-11?currency=USD",
        "/publisher/billing-details",
        "/publisher/terms",
        "/programs",
        "/programs/keys/new",
        "/programs/webhooks/new",
        "/account",
        "/tf-setup",
    ),
    "buyer": (
        "/buyer/orders",
        "/market/now",
        "/market/now?vertical=education&region=FR",
        "/buyer/briefs",
        "/buyer/briefs/new",
        "/buyer/orders/new?vertical=education",
        "/buyer/orders/sheet/read",
        "/buyer/limits",
        "/buyer/leads",
        "/buyer/leads?state=held",
        "/views/new?list=buyer.leads&query=state%3Dheld&name=x",
        "/buyer/deliveries",
        "/buyer/wallet",
        "/buyer/wallet/top-up",
        "/buyer/wallet/refund",
        "/buyer/wallet/transfers",
        "/buyer/credit",
        "/buyer/wallet/cards",
        "/buyer/wallet/recharge",
        "/buyer/documents",
        "/buyer/documents?kind=credit_note",
        "/buyer/billing-details",
        "/buyer/invoices",
        "/buyer/lists",
        "/buyer/lists/new",
        "/buyer/addresses/delete",
        "/buyer/addresses/confirm",
        "/change",
        "/search?q=markup",
        "/buyer/disputes",
    ),
    "operator": (
        "/design",
        "/market/now",
        "/operator/disputes",
        "/operator/dispute-groups",
        "/operator/review",
        "/operator/log",
        "/operator/publishers",
        "/operator/buyers",
        "/operator/credit",
        "/operator/credits",
        "/operator/verticals",
        "/operator/verticals/education",
        "/operator/verticals/education/distribution",
        "/operator/verticals/new",
        "/operator/verticals/education/edit",
        "/operator/verticals/education/text",
        "/search?q=publisher",
        "/operator/books",
        "/operator/forecast",
        "/operator/export",
        "/operator/documents",
        "/operator/documents?kind=statement",
        "/operator/card-money",
        "/operator/bank",
        "/operator/bank/account",
        "/operator/payouts",
        "/operator/payouts/{payout}",
        "/operator/payout-files/{file}",
        "/operator/payout-results/{result}",
        "/operator/owed/{publisher}/EUR",
        "/operator/suspense",
        "/operator/journal",
        "/operator/what-if",
        "/operator/jobs",
        "/operator/settings",
        "/operator/settings/contact.order_minutes",
    ),
}
# Each width and each scheme once; both of both take twice as long, and are looked at where somebody asks for it.
LOOKS = [(360, "dark"), (1440, "light")]
if os.environ.get("LEADBOURSE_ALL_LOOKS") == "1":
    LOOKS += [(360, "light"), (1440, "dark")]


@pytest.fixture(autouse=True)
def _open_design(app: Flask) -> Iterator[None]:
    app.extensions["leadbourse_settings"] = replace(app.extensions["leadbourse_settings"], show_design=True)
    yield
    db.session.rollback()


@pytest.mark.parametrize("kind", ["anybody", *OF_KIND])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_clean(
    chromium: Browser, site: str, people: dict[str, str], width: int, scheme: str, kind: str
) -> None:
    """Axe looks at each page, and the page may not be wider than the window."""
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    look = Look(context.new_page(), site)
    paths: tuple[str, ...] = PUBLIC + LONG if (width, scheme) == (360, "dark") else PUBLIC
    named = {}
    if kind != "anybody":
        paths, named = OF_KIND[kind], shown_payouts(people["publisher"])
        look.sign_in(people[kind])
    for path in paths:
        page = look.at(path.format_map(named))
        found = Axe().run(page)
        assert found.violations_count == 0, (path, width, scheme, found.generate_report())
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, (path, width, wider)
        assert page.evaluate(UNSEEN) == [], (path, width, "nothing that a page tells is kept from a phone")
    assert look.wrong == []
    context.close()


@pytest.fixture
def look(chromium: Browser, site: str) -> Iterator[Look]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    yield Look(context.new_page(), site)
    context.close()


def test_a_row_opens_its_story_in_the_drawer_and_the_list_keeps_its_place(look: Look, people: dict[str, str]) -> None:
    look.sign_in(people["buyer"])
    page = look.at("/buyer/wallet")
    page.get_by_role("row").filter(has_text="Credit by hand").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("What it changed")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    assert page.url.endswith("/buyer/wallet") and look.wrong == []


def test_a_key_in_the_drawer_reports_on_a_lead_and_on_none_once_it_is_closed(
    look: Look, people: dict[str, str]
) -> None:
    look.sign_in(people["buyer"])
    page = look.at("/buyer/leads")
    page.locator("a.opens").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("First contact due")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    page.keyboard.press("w")
    page.locator("a.opens").first.click()
    expect(drawer).to_contain_text("Contacted c")
    page.keyboard.press("c")
    expect(page.get_by_role("status")).to_have_text("Reported: Contacted.")
    assert page.url.endswith("/buyer/leads") and look.wrong == []
    assert db.session.scalars(db.text("SELECT status FROM marketplace.dispositions")).all() == ["contacted"]
    db.session.rollback()


def test_the_story_is_a_page_of_its_own_without_a_script(chromium: Browser, site: str, people: dict[str, str]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    look = Look(context.new_page(), site)
    look.sign_in(people["buyer"])
    look.at("/buyer/wallet").locator("a.opens").last.click()
    expect(look.page.get_by_role("heading", level=1)).to_have_text("Credit by hand")
    context.close()


def test_everything_is_reached_by_keyboard(look: Look, people: dict[str, str]) -> None:
    page = look.at("/login")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(people["publisher"])
    page.keyboard.press("Tab")
    page.keyboard.type("a good password")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/publisher/today$"))
    menu = page.get_by_label("Theme and language")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Dark")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark")).to_be_hidden()
    expect(menu).to_be_focused()


@pytest.mark.parametrize(
    ("kind", "text", "to"),
    [("operator", "publ", "/operator/publishers/acc_"), ("buyer", "markup", "/buyer/orders/ord_")],
)
def test_the_search_is_opened_walked_and_left_by_keys(
    look: Look, people: dict[str, str], kind: str, text: str, to: str
) -> None:
    look.sign_in(people[kind])
    page = look.at("/account")
    page.keyboard.press("Control+k")
    page.keyboard.type(text)
    expect(page.locator("#finder-list [role=option]")).to_have_count(1)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(page.locator("#finder")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(to))
    assert look.wrong == []


def test_the_theme_chosen_is_kept(look: Look) -> None:
    page = look.at("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Theme and language").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert look.at("/login").evaluate("document.documentElement.dataset.bsTheme") == "dark"


def test_a_double_click_sends_a_form_once(look: Look, app: Flask) -> None:
    page = look.at("/register")
    page.get_by_label("I buy leads").check()
    page.get_by_label("Organisation").fill("\u202eשם <b>" + "x" * 180)
    page.get_by_label("E-mail address").fill("double@example.com")
    page.get_by_label("Password").fill("long enough")
    page.get_by_role("button", name="Register").dblclick()
    expect(page.get_by_role("status")).to_contain_text("double@example.com")
    assert db.session.scalar(db.text("SELECT count(*) FROM core.accounts")) == 1


def test_an_id_is_copied_whole(chromium: Browser, site: str, people: dict[str, str]) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    look = Look(context.new_page(), site)
    look.sign_in(people["publisher"])
    button = look.page.get_by_role("button", name="Copy lead_").first
    button.click()
    copied = look.page.evaluate("navigator.clipboard.readText()")
    assert copied == button.get_attribute("data-copy") and copied.startswith("lead_")
    context.close()
