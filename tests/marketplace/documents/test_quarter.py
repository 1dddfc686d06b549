"""A simulated quarter: documents are the books, to the cent, on both sides, and the same history gives the same bytes."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from billing import (
    Document,
    DocumentLine,
    draft_of,
    lines_of_document,
    month_content_of,
    month_pdf_of,
    month_sheet_of,
    position_of,
    unexplained,
    wallet_of,
)
from core.config import Settings
from core.db import db, pool_of, transaction
from core.months import month_of
from core.postgres import create_database, drop_database
from marketplace.app import create_app
from marketplace.audit import audit_all
from marketplace.reports.months import issued_month_told
from tests.conftest import TEMPLATE, SetClock
from tests.factories import Market
from tests.marketplace.documents.quarter import Quarter, all_documents, id_of, lines_by_sale


@pytest.fixture
def quarter(market: Market, clock: SetClock) -> Quarter:
    return Quarter(market, clock).run()


def test_a_quarter_adds_up_on_every_side(quarter: Quarter) -> None:
    """One quarter, and all that must hold of it: making it takes longer than looking at it."""
    with transaction():
        documents = all_documents()
        kinds = Counter(line.kind for one in documents for line in lines_of_document(one.id))
        assert {"sale", "refund", "mature", "payout", "unpaid", "vat_statement"} <= kinds.keys(), kinds
        assert len({one.period for one in documents}) >= 3
        assert [unexplained(one) for one in documents] == [[]] * len(documents)
        _statements_sum_to_payouts_and_balance(quarter)
        _invoices_sum_to_what_the_wallets_moved(quarter)
        _an_invoice_line_is_the_statement_line_and_the_margin()
        _every_return_stands_on_a_statement_with_its_reason(quarter)


def _statements_sum_to_payouts_and_balance(quarter: Quarter) -> None:
    for member in quarter.publishers:
        mine = [one for one in all_documents() if one.kind == "statement" and one.account_id == id_of(member)]
        mine.sort(key=lambda one: str(one.period))
        contents = [month_content_of(one) for one in mine]
        assert len(mine) >= 3 and contents[0].opening.total_minor == 0
        cuts = [cut for one in mine for cut in issued_month_told(one).paid_out]
        assert cuts and all(
            cut.opening_minor + cut.added_minor == cut.paid_minor and not cut.left_minor for cut in cuts
        )
        assert [one.closing for one in contents[:-1]] == [one.opening for one in contents[1:]]
        lines = [line for one in mine for line in lines_of_document(one.id)]
        paid = -sum(line.payable_minor for line in lines if line.kind == "payout")
        tax = sum(line.payable_minor for line in lines if line.kind == "vat_statement")
        assert paid > 0 and sum(one.amount_minor for one in mine) + tax == paid + contents[-1].closing.total_minor
        still = draft_of("statement", id_of(member), "EUR", month_of(quarter.clock.now()))
        assert still.opening == contents[-1].closing and still.closing == position_of(id_of(member), "EUR")


def _invoices_sum_to_what_the_wallets_moved(quarter: Quarter) -> None:
    for member in quarter.buyers:
        owner = id_of(member)
        mine = [one for one in all_documents() if one.kind == "invoice" and one.account_id == owner]
        lines = [line for one in mine for line in lines_of_document(one.id)]
        lines_minor = sum(line.amount_minor for line in lines)
        waiting = draft_of("invoice", owner, "EUR", month_of(quarter.clock.now()))
        tax = sum(month_content_of(one).vat.minor for one in mine)
        brought = sum(minor for kind, minor in _moved(owner) if kind in ("credit", "promo"))
        wallet = wallet_of(owner, "EUR")
        left = sum(part.minor for part in (wallet.available, wallet.held, wallet.promo))
        assert brought - lines_minor - sum(one.amount_minor for one in waiting.lines) - tax == left
        invoiced = sum(one.amount_minor for one in mine)
        assert invoiced == lines_minor - sum(line.promo_minor for line in lines)


def _moved(owner: Any) -> list[tuple[str, int]]:
    query = """SELECT t.kind, -sum(e.amount_minor)::bigint FROM billing.entries e
        JOIN billing.transactions t ON t.id = e.transaction_id WHERE e.owner_id = :owner GROUP BY t.id"""
    return [(kind, minor) for kind, minor in db.session.execute(text(query), {"owner": owner})]


def _an_invoice_line_is_the_statement_line_and_the_margin() -> None:
    bought, earned = lines_by_sale("invoice"), lines_by_sale("statement")
    margins = """SELECT t.source::uuid, -sum(e.amount_minor)::bigint FROM billing.transactions t
        JOIN billing.entries e ON e.transaction_id = t.id AND e.account IN (4000, 5000)
        WHERE t.kind IN ('resolve', 'refund') GROUP BY t.source"""
    margin = dict(db.session.execute(text(margins)).all())
    assert len(bought) > 20
    for sale, minor in bought.items():
        assert minor == earned[sale] + margin[sale], sale


def _every_return_stands_on_a_statement_with_its_reason(quarter: Quarter) -> None:
    lines = [line for one in all_documents() if one.kind == "statement" for line in lines_of_document(one.id)]
    told = {line.hold_id: line for line in lines if line.kind in ("unpaid", "refund")}
    returned = set(db.session.scalars(text("SELECT id FROM marketplace.sales WHERE state = 'returned'")))
    assert returned and returned <= told.keys()
    assert all(told[sale].label["reason"] for sale in returned)
    sold_on = {line.hold_id: line.document_id for line in lines if line.kind == "sale"}
    refunds = [line for line in told.values() if line.kind == "refund"]
    assert refunds and all((sold_on[one.hold_id] == one.document_id) == (one.refers_to is None) for one in refunds)
    sale = next(line for line in lines if line.kind == "sale")
    assert sale.label["data"]["sub"]["1"].startswith("campaign") and sale.reserve_until is not None


@pytest.fixture
def other_app(postgres: str, tmp_path: Path) -> Iterator[tuple[Flask, SetClock]]:
    """Another market on a database of its own."""
    url, other_clock = create_database(postgres, "test_twice", TEMPLATE), SetClock()
    made = create_app(Settings(data_folder=tmp_path / "other", database_url=url), url, other_clock)
    yield made, other_clock
    pool_of(made).close()
    drop_database(postgres, "test_twice")


def test_the_same_history_run_twice_gives_the_same_documents_byte_for_byte(
    market: Market, clock: SetClock, other_app: tuple[Flask, SetClock]
) -> None:
    """Only what is drawn at random, the ids of things, is first named by the order in which it appears."""
    printed = []
    for app, its_clock in ((market.app, clock), other_app):
        with app.app_context():
            Quarter(Market(app, its_clock), its_clock).run(selling=12, until=54, step=3)
            with transaction():
                printed.append(_printed())
            assert audit_all(db.session).ok
            db.session.remove()

    assert len(printed[0]) >= 5 and [one for one, _ in printed[0]] == [one for one, _ in printed[1]]
    assert printed[0] == printed[1]


def _printed() -> list[tuple[str, bytes]]:
    names: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return names.setdefault(found[0][-8:], f"{len(names):08}")

    def without_ids(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_ids(one) for key, one in value.items()}
        if isinstance(value, list):
            return [without_ids(one) for one in value]
        return re.sub(r"(sale|lead|ord)_\w{26}|…\w{8}", named, value) if isinstance(value, str) else value

    printed = []
    for document in all_documents():
        lines = lines_of_document(document.id)
        copies = [
            DocumentLine(
                **{name: getattr(line, name) for name in [column.name for column in DocumentLine.__table__.columns]}
            )
            for line in lines
        ]
        for copy in copies:
            copy.label = without_ids(copy.label)
        printed.append((document.shown_number, _pdf(document, copies)))
    return printed


def _pdf(document: Document, lines: list[DocumentLine]) -> bytes:
    return month_pdf_of(month_sheet_of(document, lines))
