"""Statements imported: every entry is booked once, into the wallet that it is for or into suspense, and none is lost."""

import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from billing import Document, Payee, content_of, get_pro_forma, say_bank_account, sheet_of
from core.db import transaction
from core.errors import Invalid
from core.ids import parse_id
from tests.billing.bank.conftest import Counter, csv_of
from tests.billing.bank.statements import BIC, IBAN, OTHER_IBAN, Told, camt, sheet, statement


def reasons(counter: Counter) -> list[str]:
    return [one.reason for one in counter.in_suspense()]


def refused(counter: Counter, data: bytes, *more: object) -> str:
    """Import what must be refused whole, and return the code of its first fault."""
    with pytest.raises(Invalid) as caught:
        counter.bring(data, *more)
    assert caught.value.code == "bad_statement"
    [[state, why]] = counter.sql("SELECT state, why FROM billing.bank_imports ORDER BY id DESC LIMIT 1")
    assert state == "refused" and caught.value.faults[0].message[:40] in why
    assert counter.sql("SELECT FROM billing.bank_lines") == [] and counter.account(1030) == 0
    return caught.value.faults[0].code


def came_of(counter: Counter, pro_forma_id: UUID) -> tuple[str, int]:
    with transaction():
        row, _ = get_pro_forma(parse_id("acc", counter.buyer.id), pro_forma_id)
        return row.state, row.received_minor


@pytest.mark.parametrize("version", [2, 4, 6, 8, 12])
def test_a_transfer_with_its_reference_is_in_the_wallet_whatever_the_version(counter: Counter, version: int) -> None:
    asked = counter.ask(10_000)
    told = statement(Told(10_000, reference=asked.reference, bank="A1"), version=version)

    done = counter.bring(camt(told, version=version))

    assert counter.came(done) == {"credited": 1} and counter.available() == 10_000
    assert counter.account(1030) == 10_000 and counter.account(2900) == 0
    assert came_of(counter, asked.id) == ("paid", 10_000)


def test_what_came_by_transfer_has_a_receipt(counter: Counter) -> None:
    asked = counter.ask(10_000)
    counter.bring(camt(statement(Told(10_000, reference=asked.reference), Told(700, "whose?"))))

    query = "SELECT kind, account_id, amount_minor, content ->> 'method' FROM billing.documents"
    assert counter.sql(query) == [("receipt", parse_id("acc", counter.buyer.id), 10_000, "bank")]


def test_the_receipt_of_a_transfer_says_the_day_of_the_bank_and_is_numbered_in_the_year_of_its_issue(
    counter: Counter,
) -> None:
    asked = counter.ask(10_000)
    counter.bring(camt(statement(Told(10_000, reference=asked.reference, day="2025-12-30"))))

    with transaction() as session:
        [receipt] = session.scalars(select(Document))
        assert content_of(receipt).paid_at == datetime(2025, 12, 30, tzinfo=UTC)
        assert (receipt.issued_at, receipt.year) == (counter.clock.now(), 2026)
        facts = dict(sheet_of(receipt).facts)
    assert "2025-12-30" in facts.values()


@pytest.mark.parametrize(("minor", "state"), [(4_000, "partly"), (10_000, "paid"), (10_001, "over")])
def test_what_comes_is_credited_as_it_comes(counter: Counter, minor: int, state: str) -> None:
    asked = counter.ask(10_000)
    counter.bring(camt(statement(Told(minor, f"invoice {asked.reference[:4].lower()} {asked.reference[4:]} thanks"))))

    assert counter.available() == minor and came_of(counter, asked.id) == (state, minor)


@pytest.mark.parametrize("again", ["the same", "overlapping", "with other balances"])
def test_an_entry_is_booked_once_however_often_it_is_told(counter: Counter, again: str) -> None:
    first = [
        Told(5_000, "one", bank="A1"),
        Told(700, "no reference of the bank"),
        Told(700, "no reference of the bank"),
    ]
    counter.bring(camt(statement(*first)))
    assert len(counter.in_suspense()) == 3
    second = {
        "the same": statement(*first), "overlapping": statement(*first[1:], Told(900, "new"), opening=5_000),
        "with other balances": statement(*first, opening=100_000),
    }[again]  # fmt: skip

    counter.bring(camt(second))

    assert counter.account(1030) == 6_400 + (900 if again == "overlapping" else 0)


def test_an_entry_doubled_in_a_sheet_is_booked_once_by_the_banks_reference(counter: Counter) -> None:
    asked = counter.ask()
    row = f"2026-11-20;100,00;EUR;{asked.reference};Ada;B-77"

    done = counter.bring(sheet(row, row), csv_of())

    assert counter.came(done) == {"credited": 1, "repeated": 1} and counter.available() == 10_000


def test_two_entries_of_one_reference_are_two_when_the_balances_say_so(counter: Counter) -> None:
    twice = [Told(1_000, "a", bank="B1"), Told(1_000, "b", bank="B1")]

    assert counter.came(counter.bring(camt(statement(*twice)))) == {"suspense": 2}
    assert counter.came(counter.bring(camt(statement(*twice)))) == {"repeated": 2}
    assert refused_again(counter, camt(statement(*twice, closing=1_000))) == "balance_unexplained"
    assert counter.account(1030) == 2_000


def refused_again(counter: Counter, data: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        counter.bring(data)
    return caught.value.faults[0].code


def test_a_sheet_and_a_statement_of_the_same_days_book_once(counter: Counter) -> None:
    asked = counter.ask()
    told = Told(10_000, asked.reference, bank="C-1")
    row = f"20.11.2026;100,00;EUR;{asked.reference};Ada;C-1"

    counter.bring(sheet(row), csv_of())
    counter.bring(camt(statement(told)))

    assert counter.available() == 10_000 and counter.account(1030) == 10_000


def test_a_sheet_whose_reference_is_not_the_banks_credits_nobody_a_second_time(counter: Counter) -> None:
    asked = counter.ask()
    counter.bring(camt(statement(Told(10_000, asked.reference, bank="C-1"))))
    rows = [f"2026-11-20;100.00;EUR;{asked.reference};Ada;"] * 2

    counter.bring(sheet(*rows), csv_of())

    assert counter.available() == 20_000, "one of the two is told by no other file"
    assert reasons(counter) == ["maybe_doubled"]


def test_two_imports_at_once_book_each_entry_once(counter: Counter) -> None:
    asked = counter.ask()
    told = [Told(100, asked.reference, bank=f"R{number}") for number in range(40)]
    data, ready = camt(statement(*told)), threading.Barrier(4)
    faults: list[BaseException] = []

    def work() -> None:
        with counter.app.app_context():
            ready.wait(30)
            try:
                counter.bring(data)
            except (DBAPIError, Invalid) as error:
                faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == [] and counter.available() == 4_000 and counter.account(1030) == 4_000
    assert counter.sql("SELECT count(*) FROM billing.bank_entries") == [(40,)]


def test_an_import_that_is_cut_short_goes_on_where_it_was(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counter.ask()
    data = camt(statement(*(Told(100, asked.reference, bank=f"R{number}") for number in range(20))))
    monkeypatch.setattr(Counter, "book", lambda *_: None)
    import_id = counter.bring(data)
    monkeypatch.undo()
    counter.sql("SELECT 1")
    counter.book(import_id)
    counter.book(import_id)

    assert counter.available() == 2_000 and counter.came(import_id) == {"credited": 20}


def test_the_database_books_no_identity_twice_and_keeps_no_entry_without_its_posting(counter: Counter) -> None:
    counter.bring(camt(statement(Told(100, bank="X"))))
    copied = """INSERT INTO billing.bank_entries SELECT uuidv7(), iban, currency, {identity}, import_id, number, booked_on,
                amount_minor, outcome, reason, pro_forma_id FROM billing.bank_entries"""
    with pytest.raises(DBAPIError, match="bank_entries_identity_key"):
        counter.sql(copied.format(identity="identity"))
    with pytest.raises(DBAPIError, match="is not booked as it is"):
        counter.sql(copied.format(identity="'other'"))
    with pytest.raises(DBAPIError, match="only added to"):
        counter.sql("UPDATE billing.bank_entries SET amount_minor = 1")


def test_whatever_is_nobodys_stands_in_suspense_with_its_reason(counter: Counter, market) -> None:
    asked, other = counter.ask(), counter.ask(buyer=market.make_buyer("0"))
    slipped = asked.reference[:-1] + str((int(asked.reference[-1]) + 1) % 10)
    with transaction():
        say_bank_account(Payee("USD", "Example Exchange", OTHER_IBAN, BIC), "user:op", counter.clock.now())
    dollars = counter.ask(currency="USD")
    suspended = counter.ask(buyer=(stopped := market.make_buyer("0")))
    counter.sql("SELECT billing.open_wallet(:a, 'EUR')", a=parse_id("acc", stopped.id))
    counter.sql("SELECT billing.suspend_wallet(:a, 'EUR', now())", a=parse_id("acc", stopped.id))
    told = [
        Told(1, "hello"), Told(2, "RF18539007547034"), Told(3, slipped), Told(4, f"{asked.reference} {other.reference}"),
        Told(5, dollars.reference), Told(6, suspended.reference), Told(7, asked.reference, reversal=True),
        Told(-3, "rent"), Told(8, asked.reference, parts=(Told(5, asked.reference), Told(4, "does not add up"))),
    ]  # fmt: skip

    counter.bring(camt(statement(*told)))

    assert reasons(counter) == ["no_reference", "unknown_reference", "bad_reference", "ambiguous", "foreign_currency",
                                "wallet_suspended", "reversal", "money_out", "batch"]  # fmt: skip
    assert counter.account(1030) == 33 == -counter.account(2900) and counter.available() == 0


def test_a_batch_is_its_parts_when_they_add_up(counter: Counter) -> None:
    asked = counter.ask()
    whole = Told(900, bank="B9", parts=(Told(500, asked.reference), Told(400, "whose?")))

    done = counter.bring(camt(statement(whole)))
    counter.bring(camt(statement(whole)))

    assert counter.came(done) == {"credited": 1, "suspense": 1} and counter.account(1030) == 900


def test_what_is_not_final_is_skipped_and_told(counter: Counter) -> None:
    done = counter.bring(camt(statement(Told(500, status="PDNG"), Told(300, "final"), Told(200, status="INFO"))))

    assert counter.came(done) == {"skipped": 2, "suspense": 1} and counter.account(1030) == 300


def test_money_for_a_cancelled_or_old_pro_forma_is_its_owners(counter: Counter) -> None:
    asked = counter.ask()
    counter.sql("UPDATE billing.pro_formas SET cancelled_at = now(), asked_at = now() - interval '3 years'")
    counter.bring(camt(statement(Told(10_000, asked.reference))))

    assert counter.available() == 10_000 and came_of(counter, asked.id) == ("cancelled", 10_000)


def test_balances_that_the_entries_do_not_explain_refuse_the_file_and_name_the_difference(counter: Counter) -> None:
    with pytest.raises(Invalid) as caught:
        counter.bring(camt(statement(Told(10_000, bank="1")), statement(Told(1), closing=12_346)))
    assert "123.45 EUR" in caught.value.faults[0].message
    assert counter.account(1030) == 0 and counter.sql("SELECT FROM billing.bank_entries") == []


def test_a_gap_between_statements_is_told(counter: Counter) -> None:
    counter.bring(camt(statement(Told(100), opening=0, name="1"), statement(Told(50), opening=100, name="2")))
    counter.bring(camt(statement(Told(5), opening=1_000, name="9")))
    counter.bring(camt(statement(Told(100), opening=0, name="1")))

    gaps = counter.sql("SELECT name, gap_minor FROM billing.bank_statements ORDER BY sent_at, import_id, number")
    assert gaps == [("1", None), ("2", None), ("9", 850), ("1", None)]


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
GOOD = statement(Told(10_000, bank="A1"))
BAD_FILES = {
    "billion_laughs": (camt(GOOD.replace("Ada", "&c;"), before=BOMB), "dtd_forbidden"),
    "external_entity": (camt(GOOD.replace("Ada", "&a;"), before=OUTSIDE), "dtd_forbidden"),
    "broken": (camt(GOOD).replace(b"</Ntry>", b"</Entry>"), "broken_xml"),
    "truncated": (camt(GOOD)[:-40], "broken_xml"),
    "empty": (b"", "broken_xml"),
    "no_xml": (b"date;amount\n", "broken_xml"),
    "wrong_namespace": (camt(GOOD).replace(b"camt.053", b"camt.052"), "wrong_namespace"),
    "other_root": (b"<html/>", "wrong_namespace"),
    "deep": (camt(GOOD.replace("Ada", "<a>" * 50 + "</a>" * 50)), "too_deep"),
    "long_text": (camt(GOOD.replace("Ada", "a" * 30_000)), "too_long"),
    "three_decimals": (camt(GOOD.replace('>100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts', '>100.001</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts')), "bad_amount"),
    "negative": (camt(GOOD.replace(">100.00<", ">-100.00<")), "bad_amount"),
    "huge": (camt(GOOD.replace(">100.00<", ">1" + "0" * 17 + "<")), "bad_amount"),
    "exponent": (camt(GOOD.replace(">100.00<", ">1e9<")), "bad_amount"),
    "other_currency": (camt(GOOD.replace("<Ntry><Amt Ccy=\"EUR\"", "<Ntry><Amt Ccy=\"USD\"")), "bad_currency"),
    "no_side": (camt(GOOD.replace("CRDT", "BOTH")), "bad_side"),
    "no_day": (camt(GOOD.replace("<Dt>2026-11-20</Dt></BookgDt>", "<Dt>yesterday</Dt></BookgDt>")), "bad_date"),
    "no_status": (camt(GOOD.replace("<Sts>BOOK</Sts>", "")), "bad_status"),
    "others_account": (camt(GOOD.replace(IBAN, OTHER_IBAN)), "unknown_bank_account"),
    "no_statement": (camt(), "no_statement"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_cannot_be_trusted_is_refused_whole_with_a_code(counter: Counter, name: str) -> None:
    data, code = BAD_FILES[name]

    assert refused(counter, data) == code


def test_a_file_that_turns_out_bad_at_its_end_leaves_nothing_of_its_beginning(counter: Counter) -> None:
    many = statement(*(Told(100, bank=f"M{number}") for number in range(1_500)))

    assert refused(counter, camt(many)[:-30]) == "broken_xml"


def test_good_lines_of_a_sheet_go_in_and_bad_ones_are_told_with_their_number(counter: Counter) -> None:
    asked = counter.ask()
    rows = [
        f"2026-11-20;1.234,50;EUR;{asked.reference};Zoë;D1", "31.02.2026;5,00;EUR;;;D2", "2026-11-20;5,001;EUR;;;D3",
        "2026-11-20;5,00;USD;;;D4", "2026-11-20;;EUR;;;D5", ";;;;;", "20/11/2026;-7.25;EUR;fee;;D6",
    ]  # fmt: skip

    done = counter.bring(sheet(*rows).decode().encode("cp1252"), csv_of())
    counter.agree(done)

    told = counter.sql("SELECT line, outcome, code FROM billing.bank_lines ORDER BY number")
    assert told == [
        (2, "credited", ""), (3, "refused", "bad_date"), (4, "refused", "bad_amount"), (5, "refused", "bad_currency"),
        (6, "refused", "bad_amount"), (8, "suspense", "money_out"),
    ]  # fmt: skip
    assert counter.available() == 123_450 and counter.account(1030) == 122_725
    assert counter.came(done)["refused"] == 4


def test_columns_of_a_sheet_are_mapped_by_their_names(counter: Counter) -> None:
    asked = counter.ask()
    data = f"\ufeffTag,Zweck,Wert\n2026-11-20,{asked.reference},100.00\n".encode()

    assert refused(counter, data, csv_of()) == "no_such_column"
    counter.bring(data, csv_of(date="tag", text="Zweck", amount="Wert"))

    assert counter.available() == 10_000
