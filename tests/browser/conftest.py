"""A served market and a Chromium that looks at it; without Chromium these tests are skipped, and say so."""

import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from core.db import db
from tests.factories import Market
from tests.visitor import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip

PATIENCE = 120_000  # ms
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and skip it where there is no browser."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.chromium)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="NO CHROMIUM: install it (apt-get install chromium)"))


@dataclass
class Look:
    """One look at the market: a browser's page, and everything that went wrong on it."""

    page: Page
    site: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen for what must not happen, and wait for what must as long as a slow machine takes."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on(
            "console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda made: self.wrong.append(made.url) if not self._is_ours(made.url) else None)

    def _is_ours(self, url: str) -> bool:
        return url.startswith((self.site, "data:"))

    def at(self, path: str) -> Page:
        """Go to a page."""
        self.page.goto(self.site + path)
        return self.page

    def sign_in(self, email: str) -> None:
        """Sign in as somebody, whatever the language."""
        self.at("/login")
        self.page.locator("#email").fill(email)
        self.page.locator("#password").fill(PASSWORD)
        self.page.locator("#password").press("Enter")
        self.page.wait_for_url(re.compile("^(?!.*/login)"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start one Chromium for the tests of a module; it keeps a loop running that others must not meet."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """Serve the application as it is."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def people(market: Market) -> dict[str, str]:
    """Fill a market a little and return the address that each kind of account signs in with."""
    publisher, buyer = market.make_publisher(), market.make_buyer()
    market.make_operator()
    market.make_order(buyer, name="<b>Markup</b> & Sons", caps={"day": 3})
    twice: Any = market.lead()
    for lead in (market.lead(), market.lead(), market.lead(), market.lead(), twice, twice):
        publisher.post("/leads", lead)
    db.session.rollback()
    found = db.session.execute(
        db.text("SELECT a.kind, u.email FROM core.users u JOIN core.memberships m ON m.user_id = u.id"
                " JOIN core.accounts a ON a.id = m.account_id")
    )  # fmt: skip
    return {str(kind): str(email) for kind, email in found}
