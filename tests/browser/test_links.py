"""Every link that people meet: each leads somewhere, without an error, a violation of the policy, or anything of axe's."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from core.db import db
from core.ids import show_id
from tests.browser.conftest import Look
from tests.deals import make_deal
from tests.factories import Market

MOST_LOOKS = 150  # addresses a person; far more than there are rules
OF_A_RULE = 1  # addresses with other queries or ids that are followed for one rule
TALL = ("/api/docs", "/docs/errors")  # axe takes seconds for these; another test looks at them


@pytest.fixture(autouse=True)
def _nothing_left(app: Flask) -> Iterator[None]:
    yield
    db.session.rollback()


@pytest.fixture
def people(market: Market) -> dict[str, str]:
    """Fill a market so that lists have rows, and return with which address each kind signs in."""
    deal = make_deal(market)
    deal.dispute(note="Nobody answers.")
    twice = market.lead()
    for lead in (market.lead(), twice, twice):
        deal.publisher.post("/leads", lead)
    accounts = {member.id: kind for kind, member in
                (("publisher", deal.publisher), ("buyer", deal.buyer), ("operator", deal.operator))}  # fmt: skip
    rows = db.session.execute(
        db.text("SELECT m.account_id, u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id"))  # fmt: skip
    found = {accounts.get(show_id("acc", account), ""): str(email) for account, email in rows}
    db.session.rollback()
    return found


class Crawl:
    """Follows links of one signed-in person, breadth first, a few addresses a rule."""

    def __init__(self, app: Flask, look: Look) -> None:
        self.app, self.look = app, look
        self.rules: dict[str, int] = {}
        self.seen: set[str] = set()
        self.wrong: list[str] = []

    def run(self, start: str) -> None:
        """Follow links from an address until all that are wanted were looked at."""
        waiting = [start]
        while waiting and len(self.seen) < MOST_LOOKS:
            address = waiting.pop(0)
            if address in self.seen or not self._is_wanted(address):
                continue
            self.seen.add(address)
            waiting += self._follow(address)

    def _is_wanted(self, address: str) -> bool:
        """Count an address to its rule; a link without a rule is wanted too, since it must not exist."""
        rule = self._rule_of(address)
        self.rules[rule] = self.rules.get(rule, 0) + 1
        return rule == "" or self.rules[rule] <= OF_A_RULE

    def _rule_of(self, address: str) -> str:
        try:
            rule, _ = self.app.url_map.bind("localhost").match(urlsplit(address).path, return_rule=True)
        except (HTTPException, RequestRedirect):
            return ""
        return str(rule.rule)

    def _follow(self, address: str) -> list[str]:
        page = self.look.page
        if self._is_file(page, address):
            return []
        if self.rules[self._rule_of(address)] == 1 and address not in TALL:
            found = Axe().run(page)
            self.wrong += [f"{address}: {found.generate_report()}"] if found.violations_count else []
        self.wrong += [f"{address}: {said}" for said in self.look.wrong]
        self.look.wrong.clear()
        links = page.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
        ours = [
            link.removeprefix(self.look.site).partition("#")[0] for link in links if link.startswith(self.look.site)
        ]
        return [link for link in ours if link and not re.match("/(logout|api/openapi)", link)]

    def _is_file(self, page: Page, address: str) -> bool:
        """Open an address in the browser, or fetch it where it is no page; whether it was no page."""
        answer = page.request.get(self.look.site + address)
        if answer.status >= 400:
            self.wrong.append(f"{address}: status {answer.status}")
        if answer.status >= 400 or "text/html" not in answer.headers.get("content-type", ""):
            return True
        self.look.at(address)
        return False


@pytest.mark.parametrize("kind", ["publisher", "buyer", "operator"])
def test_every_link_leads_somewhere_without_an_error(
    chromium: Browser, site: str, app: Flask, people: dict[str, str], kind: str
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    look = Look(context.new_page(), site)
    look.sign_in(people[kind])
    crawl = Crawl(app, look)
    crawl.run("/start")
    assert crawl.wrong == [], "\n".join(crawl.wrong)
    assert len(crawl.rules) > 5, crawl.rules
    assert len(crawl.seen) < MOST_LOOKS, "the crawl was cut short"
    context.close()
