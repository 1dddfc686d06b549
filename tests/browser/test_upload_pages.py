"""Uploads in Chromium: every step is clean on a phone and a desk, and the bar moves without a reload."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from core.clock import as_rfc3339
from core.ids import parse_id
from marketplace.leads.uploads import posting
from tests.browser.conftest import Look
from tests.core.test_sign_in import email_of
from tests.factories import Market


def file_in(folder: Path, market: Market) -> Path:
    """Write a file with good rows, bad ones, and names that are markup or run the other way."""
    agreed = as_rfc3339(market.clock.now())
    lines = [f"p{number}@example.com,Zoë,+33 6 39 98 00 {number:02},France,{agreed},student" for number in range(25)]
    lines[3], lines[5] = f"no-address,{'א' * 100},12,Atlantis,{agreed},=cmd()", "too,few"
    path = folder / ("<b>leads of " + "x" * 120 + ".csv")
    path.write_text("\n".join(["E-mail,Name,Phone,Country,Agreed,Occupation", *lines]), encoding="utf-8")
    return path


def looks_clean(look: Look, page: Page) -> None:
    """Axe finds nothing, and nothing is wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, (page.url, found.generate_report())
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
    assert look.wrong == []


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_a_file_is_uploaded_by_hand(
    chromium: Browser, site: str, market: Market, tmp_path: Path, width: int, scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(posting, "CHUNK_ROWS", 10)
    monkeypatch.setattr(posting, "CHUNKS_A_STEP", 1)
    market.make_order(market.make_buyer("100.00"))
    market.make_publisher()
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    look = Look(context.new_page(), site)
    look.sign_in(email_of(market, "publisher"))
    page = look.at("/publisher/upload")
    page.get_by_label("File", exact=True).set_input_files(file_in(tmp_path, market))
    page.get_by_label("Source", exact=True).fill("fairs")
    page.get_by_label("Vertical", exact=True).select_option("education")
    page.get_by_role("button", name="Upload the file").click()
    looks_clean(look, page)
    page.locator("[name=consent-text-constant]").fill("Call me.")
    page.locator("[name=consent-given_at-column]").select_option(label="Agreed")
    page.get_by_role("button", name="Check the first rows").click()
    looks_clean(look, page)
    page.get_by_role("button", name="Post 25 rows").click()
    looks_clean(look, page)

    upload, now = parse_id("upl", page.url.rpartition("/")[2]), market.clock.now()
    bar = page.locator("progress")
    posting.post_chunks(upload, now)
    expect(bar).to_have_js_property("value", 10)
    for _ in range(2):
        posting.post_chunks(upload, now)
    expect(page.get_by_role("link", name="Save as CSV")).to_be_visible()
    page.reload()
    looks_clean(look, page)
    context.close()
