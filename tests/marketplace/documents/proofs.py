"""What must hold of every quarter: documents are the books to the cent, on both sides, and the books are themselves.

Each sum is worked out a second way: out of the payouts, the wallets or the entries, and never out of lines alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from billing import (
    Booked,
    Document,
    DocumentLine,
    draft_of,
    lines_of_document,
    month_content_of,
    position_of,
    unexplained,
    wallet_of,
)
from billing.documents.taxes import tax_on
from core.db import db, transaction
from core.months import month_of
from marketplace.audit import audit_all
from marketplace.reports.months import every_line, issued_month_told, month_told, paid_out_in
from tests.factories import Member
from tests.marketplace.documents.quarter import Quarter, id_of

CURRENCIES = ("EUR", "USD")
OF_PAYOUTS = ("payout", "payout_back", "transfer_back")


def prove(quarter: Quarter) -> None:
    """Prove all of it."""
    report = audit_all(db.session)
    db.session.rollback()
    assert report.ok, [check for check in report.checks if not check.ok]
    with transaction():
        documents = months()
        assert [unexplained(one) for one in documents] == [[]] * len(documents)
        for publisher in quarter.publishers:
            for currency in CURRENCIES:
                statements_sum_to_payouts_and_balance(quarter, publisher, currency)
        for buyer in quarter.buyers:
            for currency in CURRENCIES:
                invoices_sum_to_what_the_wallet_moved(quarter, buyer, currency)
        an_invoice_line_is_the_statement_line_and_the_margin()
        every_return_stands_on_a_statement_with_its_reason()
        tax_is_what_was_said(documents)


def ask(query: str, **values: Any) -> Sequence[Any]:
    """Ask the database in the session's transaction."""
    return db.session.execute(text(query), values).all()


def months(kind: str = "", member: Member | None = None, currency: str = "") -> list[Document]:
    """Read invoices and statements, all or some, in the order of their kinds and numbers."""
    query = "SELECT id FROM billing.documents WHERE period IS NOT NULL ORDER BY kind, year, number"
    found = [db.session.get_one(Document, row.id) for row in ask(query)]
    owner = id_of(member) if member else None
    return [one for one in found if one.kind == (kind or one.kind) and one.account_id == (owner or one.account_id)
            and one.currency == (currency or one.currency)]  # fmt: skip


def lines(documents: Iterable[Document]) -> list[DocumentLine]:
    """Read all lines of some documents."""
    return [line for one in documents for line in lines_of_document(one.id)]


def both(issued: Iterable[DocumentLine], waiting: Iterable[Booked]) -> list[DocumentLine | Booked]:
    """Return lines that were issued and those that wait for a document: the same amounts of either."""
    return [*issued, *waiting]


def statements_sum_to_payouts_and_balance(quarter: Quarter, member: Member, currency: str) -> None:
    """Earned and its tax are what was paid out, and what is left; each statement goes on where the last one ended."""
    mine = sorted(months("statement", member, currency), key=lambda one: str(one.period))
    contents = [month_content_of(one) for one in mine]
    assert all(one.opening.total_minor == 0 for one in contents[:1])
    assert [one.closing for one in contents[:-1]] == [one.opening for one in contents[1:]]
    for one in mine:
        told = issued_month_told(one)
        assert list(told.paid_out) == paid_out_in(told.opening, every_line(one)), "by sums as line by line"
        for cut in told.paid_out:
            assert cut.opening_minor + cut.added_minor == cut.paid_minor + cut.left_minor
    left = contents[-1].closing if contents else position_of(id_of(member), currency)
    rows = lines(mine)
    still = month_told("statement", id_of(member), currency, month_of(quarter.clock.now()), quarter.clock.now())
    assert list(still.differences) == [] and (not contents or still.opening == left)
    assert still.closing == position_of(id_of(member), currency)
    by_payouts = "SELECT coalesce(sum(amount_minor - back_minor), 0) FROM billing.payouts WHERE account_id = :owner AND " \
                 "currency = :currency AND state IN ('ordered', 'sent', 'paid', 'failed', 'reversed', 'refused')"  # fmt: skip
    paid = int(ask(by_payouts, owner=id_of(member), currency=currency)[0][0])
    since = draft_of("statement", id_of(member), currency, month_of(quarter.clock.now())).lines
    assert paid == -sum(one.payable_minor for one in both(rows, since) if one.kind in OF_PAYOUTS)
    earned = sum(one.amount_minor for one in mine) + sum(one.amount_minor for one in since)
    taxed = sum(one.payable_minor - one.owed_minor for one in both(rows, since) if one.kind == "vat_statement")
    assert taxed == sum(one.vat.minor for one in contents)
    assert earned + taxed == paid + position_of(id_of(member), currency).total_minor


def invoices_sum_to_what_the_wallet_moved(quarter: Quarter, member: Member, currency: str) -> None:
    """What was brought less what was invoiced and its tax is what the wallet has; receipts are what came by card."""
    owner = id_of(member)
    mine = months("invoice", member, currency)
    rows = lines(mine)
    waiting = draft_of("invoice", owner, currency, month_of(quarter.clock.now())).lines
    moved = dict(ask("""SELECT t.kind, -sum(e.amount_minor)::bigint FROM billing.entries e
        JOIN billing.transactions t ON t.id = e.transaction_id
        WHERE e.owner_id = :owner AND e.currency = :currency GROUP BY t.kind""", owner=owner, currency=currency))  # fmt: skip
    papers = dict(ask("""SELECT kind, sum(amount_minor)::bigint FROM billing.documents
        WHERE account_id = :owner AND currency = :currency GROUP BY kind""", owner=owner, currency=currency))  # fmt: skip
    assert moved.get("top_up", 0) == papers.get("receipt", 0)
    assert -moved.get("give_back", 0) == papers.get("credit_note", 0)
    brought = sum(moved.get(kind, 0) for kind in ("credit", "promo", "top_up", "give_back"))
    wallet = wallet_of(owner, currency)
    left = wallet.available.minor + wallet.held.minor + wallet.promo.minor + wallet.frozen.minor
    left -= int(ask("SELECT coalesce(sum(drawn + owed), 0) FROM billing.wallets WHERE account_id = :owner AND "
                    "currency = :currency", owner=owner, currency=currency)[0][0])  # fmt: skip
    taxed = sum(month_content_of(one).vat.minor for one in mine)
    assert brought - sum(one.amount_minor for one in both(rows, waiting)) - taxed == left
    assert sum(one.amount_minor for one in mine) == sum(one.amount_minor - one.promo_minor for one in rows)


def an_invoice_line_is_the_statement_line_and_the_margin() -> None:
    """Of each sale that stands on a document: the buyer's lines are the publisher's and what the exchange kept."""
    bought, earned = _by_sale("invoice"), _by_sale("statement")
    margin = dict(ask("""SELECT t.source::uuid, -sum(e.amount_minor)::bigint FROM billing.transactions t
        JOIN billing.entries e ON e.transaction_id = t.id AND e.account IN (4000, 5000)
        WHERE t.kind IN ('resolve', 'refund') AND t.id IN (SELECT transaction_id FROM billing.document_lines)
        GROUP BY t.source"""))  # fmt: skip
    for sale, minor in bought.items():
        assert minor == earned[sale] + margin[sale], sale


def _by_sale(side: str) -> dict[UUID, int]:
    """Sum the amounts of a side's lines by the sale that they are about; compensations and fees are about none."""
    sums: dict[UUID, int] = {}
    for line in lines(months(side)):
        if line.hold_id:
            sums[line.hold_id] = sums.get(line.hold_id, 0) + line.amount_minor
    return sums


def every_return_stands_on_a_statement_with_its_reason() -> None:
    """Nothing that a publisher was not paid for, or that was taken back, is left out or without a reason."""
    mine = lines(months("statement"))
    told = {line.hold_id: line for line in mine if line.kind in ("unpaid", "refund")}
    assert all(line.label["reason"] for line in told.values())
    # A publisher to whom nothing was ever booked has no statement yet; his first one will say it.
    ended = """SELECT s.id FROM marketplace.sales s WHERE s.state = 'returned' AND EXISTS (
        SELECT FROM billing.documents d WHERE d.kind = 'statement' AND d.account_id = s.publisher_id
            AND d.currency = s.currency AND s.ended_at < d.period + interval '1 month')"""
    assert {row.id for row in ask(ended)} <= told.keys()
    sold_on = {line.hold_id: line.document_id for line in mine if line.kind == "sale"}
    for line in mine:
        if line.kind == "refund":
            assert (sold_on[line.hold_id] == line.document_id) == (line.refers_to is None)


def tax_is_what_was_said(documents: Iterable[Document]) -> None:
    """The tax of a document is its rate on its net, and of one without a rate none."""
    for one in documents:
        vat = month_content_of(one).vat
        nets = [(part.rate_bp, part.net_minor, part.minor) for part in vat.parts]
        for rate_bp, net, minor in nets or [(vat.rate_bp, one.amount_minor, vat.minor)]:
            assert minor == tax_on(net, rate_bp)
        assert not nets or (one.amount_minor, vat.minor) == tuple(
            sum(each) for each in list(zip(*nets, strict=True))[1:]
        )
