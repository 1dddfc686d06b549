"""Receipts and credit notes: one for each payment, numbered without gaps whatever fails, and never changed again."""

import json
import threading
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from billing import Document, Paid, content_of, issue_receipt, pdf_of, say_details, sheet_of
from billing.document_checks import AS_BOOKED, GAPLESS
from billing.documents.content import LAYOUT, Content, Party, Reference, as_kept
from billing.documents.issuing import issue_credit_note
from billing.ledger import AVAILABLE, CLEARING, Line, post
from core.db import db, transaction
from core.errors import Invalid
from core.ids import new_id, parse_id
from core.money import Money
from tests.billing.funding.conftest import Till, make_due, sql

AT = datetime(2026, 11, 27, 6, 30, tzinfo=UTC)


def documents(kind: str = "receipt") -> list[Document]:
    with transaction() as session:
        rows = list(session.scalars(select(Document).where(Document.kind == kind).order_by(Document.number)))
        session.expunge_all()
        return rows


def pay_in(till: Till, minor: int = 1000, at: datetime = AT) -> None:
    """Bring money into the wallet as any way of paying does, and issue its receipt; nothing is committed."""
    owner, about = parse_id("acc", till.buyer.id), new_id()
    key = f"test:{about}"
    lines = [Line(CLEARING, minor), Line(AVAILABLE, -minor, owner)]
    assert post("transfer_in", key, "EUR", lines, source=str(about), actor="test", at=at).is_booked
    issue_receipt(owner, Money(minor, "EUR"), key, about, Paid("bank"), at)


def test_a_card_payment_brings_one_receipt_with_all_that_was_said_then(till: Till) -> None:
    paid = till.paid("120.50")
    till.look()
    make_due()
    till.look()

    [receipt] = documents()
    content = content_of(receipt)
    assert receipt.shown_number == f"RC-{till.clock.now().year}-000001"
    assert (receipt.amount_minor, receipt.currency, receipt.about_id) == (12_050, "EUR", paid.id)
    assert (content.method, content.payment_id, content.is_test) == ("Visa •• 4242", paid.payment_id, True)
    assert content.seller.name == "Leadbourse" and content.payer.name
    assert sql("SELECT key FROM billing.transactions WHERE id = :id", id=receipt.transaction_id) == [
        (f"pi:{paid.payment_id}",)
    ]


def test_fifty_payments_at_once_are_numbered_from_1_to_50(till: Till) -> None:
    ready = threading.Barrier(50)
    pool = threading.Semaphore(12)

    def pay() -> None:
        with till.app.app_context():
            ready.wait()
            with pool, transaction():
                pay_in(till)
            db.session.remove()

    threads = [threading.Thread(target=pay) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [row.number for row in documents()] == list(range(1, 51))
    assert sql("SELECT last FROM billing.document_counters") == [(50,)]


def test_what_is_rolled_back_leaves_no_gap(till: Till) -> None:
    with transaction():
        pay_in(till)
    with pytest.raises(RuntimeError), transaction() as session:
        pay_in(till)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # as the commit does, which takes the number
        assert session.scalar(text("SELECT max(number) FROM billing.documents")) == 2
        raise RuntimeError
    with transaction():
        pay_in(till)

    assert [row.number for row in documents()] == [1, 2]


def test_who_is_killed_with_a_number_in_hand_leaves_no_gap(till: Till, database_url: str) -> None:
    with pytest.raises(OperationalError), transaction() as session:
        pay_in(till)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    with transaction():
        pay_in(till)

    assert [row.number for row in documents()] == [1]


def test_each_kind_and_each_year_counts_for_itself(till: Till) -> None:
    for year in (2026, 2027, 2026):
        with transaction():
            pay_in(till, at=AT.replace(year=year))

    assert sorted(row.shown_number for row in documents()) == ["RC-2026-000001", "RC-2026-000002", "RC-2027-000001"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing.documents SET amount_minor = 1",
        "UPDATE billing.documents SET number = 7",
        'UPDATE billing.documents SET content = content || \'{"method": "cash"}\'',
        "DELETE FROM billing.documents",
        "TRUNCATE billing.documents CASCADE",
        "UPDATE billing.document_counters SET last = 9",
        "DELETE FROM billing.document_counters",
        "INSERT INTO billing.document_counters VALUES ('receipt', 2030, 1)",
        "INSERT INTO billing.documents SELECT uuidv7(), kind, year, number + 1, account_id, currency, amount_minor, "
        "about_id, (SELECT id FROM billing.transactions WHERE kind = 'card_payment'), content, issued_at "
        "FROM billing.documents",
    ],
)
def test_a_document_and_its_number_are_changed_by_nobody(till: Till, change: str) -> None:
    till.paid()
    before = [(row.number, row.content) for row in documents()]

    with pytest.raises(ProgrammingError, match="is refused"):
        sql(change)
    assert [(row.number, row.content) for row in documents()] == before


def test_money_sent_back_brings_a_credit_note_that_names_the_receipts_of_each_part(till: Till) -> None:
    till.paid("100.00")
    till.paid("50.00")
    till.post("/refunds", "120.00")

    [note] = documents("credit_note")
    content = content_of(note)
    year = till.clock.now().year
    assert note.shown_number == f"CN-{year}-000001" and note.amount_minor == 12_000
    assert [(one.number, one.amount_minor) for one in content.refers_to] == [
        (f"RC-{year}-000001", 10_000), (f"RC-{year}-000002", 2_000),
    ]  # fmt: skip


def test_a_refund_that_failed_brings_a_receipt_that_names_its_credit_note(till: Till) -> None:
    till.paid("100.00")
    till.stripe.fault("refund_fails", seconds=0)
    till.post("/refunds", "40.00")
    till.look()
    make_due()
    till.look()

    assert till.wallet().available.minor == 10_000
    [_, back] = documents()
    assert back.amount_minor == 4_000 and content_of(back).method == "returned"
    [named] = content_of(back).refers_to
    assert named == Reference(number=documents("credit_note")[0].shown_number, amount_minor=4_000)


def test_credit_by_hand_is_no_payment_and_has_no_receipt(till: Till) -> None:
    till.credit("25.00")

    assert till.wallet().available.minor == 2_500 and documents() == []


def test_a_document_names_the_buyer_as_of_its_issue(till: Till) -> None:
    owner = parse_id("acc", till.buyer.id)
    with transaction():
        say_details(owner, " Zoë Ελένη Łukasz ", "Rue 1\r\n\n 75001 Paris", "FR123", "test", AT)
    till.paid()
    with transaction():
        say_details(owner, "Another", "", "", "test", AT)
    till.paid()

    first, second = (content_of(row) for row in documents())
    assert (first.payer.name, first.payer.address, first.payer.vat_id) == (
        "Zoë Ελένη Łukasz", "Rue 1\n75001 Paris", "FR123",
    )  # fmt: skip
    assert second.payer.name == "Another"


def test_a_name_keeps_the_joiners_that_its_script_is_written_with(till: Till) -> None:
    persian, sinhala = "علی\u200cرضا", "ශ්\u200dරී"
    with transaction():
        say_details(parse_id("acc", till.buyer.id), persian, f"{sinhala}\n1", "", "test", AT)
    till.paid()

    [receipt] = documents()
    assert (content_of(receipt).payer.name, content_of(receipt).payer.address) == (persian, f"{sinhala}\n1")
    assert pdf_of(sheet_of(receipt)).startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 201),
        ("address", "\n".join("abcdefg")),
        ("vat_id", "\x07"),
        ("name", "a\0"),
        ("name", "\u200c\u200d"),
        ("name", "a\u202eb"),
        ("vat_id", "FR\u200d1"),
    ],
)
def test_what_cannot_be_printed_is_refused_at_its_field(till: Till, field: str, value: str) -> None:
    said = {"name": "Ada", "address": "", "vat_id": ""} | {field: value}
    with pytest.raises(Invalid) as refused, transaction():
        say_details(parse_id("acc", till.buyer.id), **said, actor="test", at=AT)
    assert {fault.field for fault in refused.value.faults} == {field}


def made(language: str = "en", name: str = "Zoë Łukasz Ελένη Жанна", layout: int = LAYOUT) -> Document:
    """Make a document without a database."""
    content = Content(
        layout=layout, seller=Party(name="Leadbourse SA", address="Rue 1\n75001 Paris", vat_id="FR 12"),
        payer=Party(name=name, address="Nieuwe Gracht 2"), language=language, method="Visa •• 4242",
        payment_id="pi_1", paid_at=AT, refers_to=(Reference(number="RC-2026-000001", amount_minor=100_000),),
    )  # fmt: skip
    fixed = parse_id("txn", "txn_01h455vb4pex5vsknk084sn02q")
    return Document(id=fixed, kind="receipt", year=2026, number=2, account_id=fixed, currency="EUR",
                    amount_minor=123_456, about_id=fixed, transaction_id=fixed, content=json.loads(json.dumps(as_kept(content), default=str)),
                    issued_at=AT)  # fmt: skip


# Whoever upgrades what prints, and sees this fail, changed documents that were issued: keep the old bytes, or say why.
PRINTED = {
    "en": "21597c361ba8a30e2c4fac65269581982f345ddae84ca4dab644830bae96fef8",
    "fr": "29b4881fdbf01d5e95f58c4191eb77175b8ae5a86d4288e8c60f000dfca665b2",
    "nl": "a1e52f71787ee2d80a2c3cff557b986b70da2e48a4fe1326a066dcf287c4a992",
}


@pytest.mark.parametrize("language", PRINTED)
def test_a_document_prints_the_same_bytes_for_ever(language: str) -> None:
    printed = pdf_of(sheet_of(made(language)))

    assert printed == pdf_of(sheet_of(made(language))) and printed.startswith(b"%PDF-")
    assert sha256(printed).hexdigest() == PRINTED[language]


@pytest.mark.parametrize("name", ["שלום עולם", "شركة المثال", "日本語", "x" * 200, "<b>&amp;", "**bold**", "👩‍💻"])
def test_any_name_is_printed(name: str) -> None:
    assert pdf_of(sheet_of(made(name=name))).startswith(b"%PDF-")


def test_amounts_are_written_as_their_readers_write_them() -> None:
    totals = [sheet_of(made(language)).total[1] for language in ("en", "fr", "nl", "xx")]

    assert totals == ["1,234.56 EUR", "1\N{NO-BREAK SPACE}234,56 EUR", "1.234,56 EUR", "1,234.56 EUR"]


def test_the_audit_finds_a_gap_and_a_payment_without_its_receipt(till: Till) -> None:
    till.paid()
    assert sql(GAPLESS) == [] and sql(AS_BOOKED) == []
    sql("ALTER TABLE billing.documents DISABLE TRIGGER ALL")
    sql("UPDATE billing.documents SET amount_minor = amount_minor + 1, number = 3")
    assert len(sql(GAPLESS)) == 1 and len(sql(AS_BOOKED)) == 1
    sql("DELETE FROM billing.documents")
    assert len(sql(AS_BOOKED)) == 1 and len(sql(GAPLESS)) == 1
    sql("ALTER TABLE billing.document_counters DISABLE TRIGGER ALL")
    sql("DELETE FROM billing.document_counters")
    owner = parse_id("acc", till.buyer.id)
    with transaction() as session:  # the books are right again at the end
        session.execute(text("ALTER TABLE billing.documents ENABLE TRIGGER ALL"))
        session.execute(text("ALTER TABLE billing.document_counters ENABLE TRIGGER ALL"))
    with transaction():
        [(key, source)] = db.session.execute(text("SELECT key, source FROM billing.transactions WHERE kind = 'top_up'"))
        issue_receipt(owner, Money(10_000, "EUR"), key, UUID(source), Paid("card"), AT)


def test_a_credit_note_is_issued_once_a_posting(till: Till) -> None:
    till.paid()
    till.post("/refunds", "10.00")
    [note] = documents("credit_note")
    [(key,)] = sql("SELECT key FROM billing.transactions WHERE id = :id", id=note.transaction_id)
    with transaction():
        issue_credit_note(note.account_id, Money(1, "EUR"), key, note.about_id, Paid("card"), [], AT)

    assert [row.amount_minor for row in documents("credit_note")] == [1_000]


def test_payments_from_before_have_their_receipts_from_the_migration_in_the_order_of_the_books(till: Till) -> None:
    payments = [till.paid(amount).payment_id for amount in ("100.00", "50.00", "75.00")]
    names = {content_of(row).payer.name for row in documents()}
    before = [(row.number, row.amount_minor, content_of(row).payment_id) for row in documents()]
    for table in ("documents", "document_counters"):
        sql(f"ALTER TABLE billing.{table} DISABLE TRIGGER ALL")
        sql(f"DELETE FROM billing.{table}")
        sql(f"ALTER TABLE billing.{table} ENABLE TRIGGER ALL")
    said = {"layout": 1, "seller": {"name": "Leadbourse", "address": "", "vat_id": ""}, "method": "card",
            "refers_to": [], "is_test": True}  # fmt: skip
    with transaction() as session:
        session.execute(import_module("migrations.versions.0035_receipts").BACKFILL, {"content": json.dumps(said)})

    issued = documents()
    assert [(row.number, row.amount_minor, content_of(row).payment_id) for row in issued] == before
    assert [content_of(row).payment_id for row in issued] == payments
    assert {content_of(row).payer.name for row in issued} == names
    assert {content_of(row).method for row in issued} == {"card"}
    assert all(pdf_of(sheet_of(row)) for row in issued)
