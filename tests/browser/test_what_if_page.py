"""What-if in a real browser: the form with its faults, a run that is under way, and one that has ended, before axe."""

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from core.db import db, transaction
from marketplace.jobs import run_what_if
from marketplace.what_if.runs import note_progress, runs_lately
from tests.browser.conftest import Look
from tests.browser.test_document_pages import email_of
from tests.conftest import SetClock
from tests.factories import Market
from tests.marketplace.test_again import UP_TO_90_DAYS, offer

PLACE = "/operator/what-if"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_the_pages_of_what_if_are_clean_at_every_step(
    chromium: Browser, site: str, market: Market, clock: SetClock, width: int, scheme: Any
) -> None:
    publisher, operator = market.make_publisher(), market.make_operator()
    publisher.post("/leads", market.lead())
    clock.advance(hours=20)
    order = market.make_order(market.make_buyer(), age=UP_TO_90_DAYS)["id"]
    publisher.post("/leads", market.lead())
    offer(clock)
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    look = Look(context.new_page(), site)
    look.sign_in(email_of(operator))

    def clean(name: str) -> None:
        found = Axe().run(look.page)
        assert found.violations_count == 0, (name, width, found.generate_report())
        wider = look.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, (name, width, wider)
        if folder := os.environ.get("LEADBOURSE_SHOTS"):
            look.page.screenshot(path=Path(folder) / f"what-if-{name}-{width}-{scheme}.png", full_page=True)

    look.at(PLACE)
    clean("empty")
    look.page.get_by_label("From").fill("2026-11-22")
    look.page.get_by_label("To", exact=False).last.fill("2026-11-24")
    look.page.get_by_label("What would have been otherwise").fill("colour: red")
    look.page.get_by_role("button", name="Run them again").click()
    assert look.page.get_by_text("colour: Remove it; known here").is_visible()
    assert look.page.get_by_label("What would have been otherwise").get_attribute("aria-invalid") == "true"
    clean("fault")
    look.page.get_by_label("What would have been otherwise").fill(f"orders: {{{order}: {{status: paused}}}}")
    look.page.get_by_role("button", name="Run them again").click()
    look.page.wait_for_url("**/what-if/run_*")
    db.session.rollback()
    with transaction():
        [run] = [row.id for row in runs_lately()]
    note_progress(run, 1, 2)
    look.page.reload()
    assert look.page.get_by_role("progressbar", name="Leads run again").is_visible()
    clean("under-way")
    run_what_if(str(run))
    look.page.get_by_text("How it was decided").wait_for(timeout=20_000)  # the page looks for it by itself
    assert look.page.get_by_text("not_active").is_visible()
    clean("done")
    assert look.wrong == []
    context.close()
