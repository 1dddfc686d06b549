"""The pages of bank transfers and suspense, with what they show when there is something, in Chromium and before axe."""

import io
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser

from billing import (
    BankSheet,
    Payee,
    Sent,
    Wish,
    ask_bank_account,
    ask_pro_forma,
    book_lines,
    move_suspense,
    say_bank_account,
    suspended,
    take_in,
)
from core.db import db, transaction
from core.ids import parse_id, show_id
from core.money import Money
from tests.billing.bank.statements import BIC, IBAN, OTHER_IBAN, Told, camt, sheet, statement
from tests.browser.conftest import Look
from tests.conftest import SetClock
from tests.factories import Market

LONG = "<b>An endless</b> name that says more than anybody wants to read of it, " * 3


@pytest.fixture
def shown(app: Flask, market: Market, people: dict[str, str], clock: SetClock) -> dict[str, list[str]]:
    """Fill the bank, and return the pages of each kind that then show something."""
    buyer, at = market.make_buyer(), clock.now()
    with transaction():
        say_bank_account(Payee("EUR", "Example Exchange", IBAN, BIC), "user:op", at)
        row = ask_pro_forma(parse_id("acc", buyer.id), Money(50_000, "EUR"), "user:op", at)
        account = db_buyer(people["buyer"])
        own = ask_pro_forma(account, Money(20_000, "EUR"), "user:op", at)
        reference, address = row.reference, f"/buyer/wallet/transfers/{show_id('pro', own.id)}"
        slip, own_reference = reference[:-1] + str((int(reference[-1]) + 1) % 10), own.reference
    told = [Told(5_000, own_reference), Told(80_000, slip, name=LONG), Told(-700, "rent \u202eabc"), Told(9, LONG),
            Told(1, status="PDNG")]  # fmt: skip
    pages = []
    for sent in (
        Sent(io.BytesIO(camt(statement(*told))), LONG),
        Sent(io.BytesIO(sheet("soon;1;;;;", "2026-11-21;1,00;;x;y;")), "lines.csv", BankSheet(IBAN, "EUR", {})),
        Sent(io.BytesIO(sheet(f"2026-11-21;900,00;;{reference};y;")), LONG, BankSheet(IBAN, "EUR", {})),
    ):
        pages.append(f"/operator/bank/imports/{show_id('imp', import_id := take_in(sent, 'user:op', at))}")
        with transaction():
            book_lines(import_id, at)
    with transaction():
        ask_bank_account(Payee("EUR", LONG[:70], OTHER_IBAN, BIC), "user:op", at)
        found = suspended()
        items = [one.id for one in sorted(found, key=lambda one: -abs(one.left_minor))]
        move_suspense(Wish(items[0], "return", 100, LONG), True, "user:op", at)
        move_suspense(Wish(items[0], "assign", 60_000, LONG, account), True, "user:op", at)
    pages += [
        "/operator/bank",
        "/operator/suspense",
        *(f"/operator/suspense/{show_id('txn', one)}" for one in items[:2]),
    ]
    return {"buyer": ["/buyer/wallet/transfers", address], "operator": pages}


def db_buyer(email: str) -> UUID:
    with_id = "SELECT m.account_id FROM core.users u JOIN core.memberships m ON m.user_id = u.id WHERE u.email = :email"
    found: UUID = db.session.execute(db.text(with_id), {"email": email}).scalar_one()
    return found


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_the_banks_pages_are_clean_with_something_on_them(
    chromium: Browser, site: str, people: dict[str, str], shown: dict[str, list[str]], width: int, scheme: str
) -> None:
    for kind, paths in shown.items():
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        look = Look(context.new_page(), site)
        look.sign_in(people[kind])
        for path in paths:
            page = look.at(path)
            found = Axe().run(page)
            assert found.violations_count == 0, (path, found.generate_report())
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, (path, width, wider)
        assert look.wrong == []
        context.close()
