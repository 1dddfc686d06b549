"""Takes the pictures of this folder: some pages of the demonstration's market, in Chromium, at a fixed time of day.

Run from the project's folder: `.venv/bin/python docs/img/take.py`. It needs Chromium (apt-get install chromium), about
two minutes, and nothing else; the market is made in a folder of its own, which is removed.
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from small import make_small  # noqa: E402

from benchmarks.stage.crowd import PASSWORD, Exchange, filled_exchange  # noqa: E402  # the path comes first
from core.config import Settings  # noqa: E402
from core.postgres import discard_embedded  # noqa: E402

SCALE, DAYS = 0.4, 24
WIDTH, HEIGHT = 1280, 800
MOST_BYTES = 150_000
FLAGS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
         "--font-render-hinting=none")  # fmt: skip


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object, **__: object) -> None:
        """Say nothing of each request."""


def take(browser: Browser, site: str) -> None:
    """Take every picture."""
    publisher = _signed_in(browser, site, "publisher@example.com", "light")
    _picture(publisher, "publisher-today")
    publisher.goto(f"{site}/publisher/leads?status=rejected")
    _open_drawer(publisher)
    _picture(publisher, "publisher-why")
    buyer = _signed_in(browser, site, "buyer@example.com", "light")
    buyer.goto(f"{site}/buyer/leads")
    _picture(buyer, "buyer-leads")
    buyer.goto(f"{site}/buyer/orders")
    buyer.locator("main a[href*='/buyer/orders/ord_']").first.click()
    _picture(buyer, "buyer-order")
    operator = _signed_in(browser, site, "operator@example.com", "light")
    operator.goto(f"{site}/operator/disputes")
    operator.goto(_address(operator.locator("main a[href*='/operator/disputes/dsp_']").first, site))
    _picture(operator, "operator-dispute")
    dark = _signed_in(browser, site, "publisher@example.com", "dark")
    _picture(dark, "publisher-today-dark")


def _signed_in(browser: Browser, site: str, email: str, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce", locale="en-GB", timezone_id="Europe/Paris",
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{site}/login")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    return page


def _open_drawer(page: Page) -> None:
    page.locator("a.opens").first.click()
    page.get_by_role("dialog").wait_for()
    page.wait_for_load_state("networkidle")


def _address(link: Locator, site: str) -> str:
    return site + str(link.get_attribute("href"))


def _picture(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement && document.activeElement.blur()")
    path = HERE / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = make_small(path)
    sys.stdout.write(f"{path.name:28} {size:7} bytes\n")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} takes {size} bytes, more than {MOST_BYTES}.")


@contextmanager
def _exchange() -> Iterator[Exchange]:
    """Fill a market that opens yesterday at half past four in the afternoon, when a day has something to show."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    opens_at = yesterday.replace(hour=16, minute=30, second=0, microsecond=0)
    settings = Settings(data_folder=Path(tempfile.mkdtemp(prefix="leadbourse-pictures-")))
    try:
        with filled_exchange(settings, SCALE, 0, opens_at, DAYS) as exchange:
            yield exchange
        discard_embedded(settings)
    finally:
        shutil.rmtree(settings.data_folder, ignore_errors=True)


@contextmanager
def _served(exchange: Exchange) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, exchange.app, threaded=True, request_handler=_Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def main() -> None:
    """Make the market, serve it, and take every picture."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is missing; install it (apt-get install chromium).")
    with _exchange() as exchange, _served(exchange) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        take(browser, site)
        browser.close()


if __name__ == "__main__":
    main()
