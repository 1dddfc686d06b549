"""Sheets that are damaged or made to harm: each is refused with a reason, and no line of one is lost silently."""

import io

import pytest

from billing.bank.sheet import Sheet, read_sheet
from core.errors import Invalid
from tests.billing.bank.conftest import Counter, csv_of
from tests.billing.bank.statements import IBAN, OTHER_IBAN, Told, camt, sheet, statement
from tests.billing.bank.test_importing import refused


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (['2026-11-20;1,00;EUR;"mine;Eve;e1', *["2026-11-20;5,00;EUR;hers;Ada;a"] * 9], 2),
        (['2026-11-20;1,00;EUR;"mine;Eve;e1', "2026-11-20;5,00;EUR;hers;Ada;a", '2026-11-20;7,00;EUR;"x";Ada;z'], 2),
        (["2026-11-20;5,00;EUR;hers;Ada;a", '2026-11-20;1,00;EUR;"mine;Eve;e1'], 3),
        (['2026-11-20;1,00;EUR;"mine;Eve;e1', *["2026-11-20;5,00;EUR;" + "h" * 900 + ";Ada;a"] * 200], 2),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_quotes_left_open_swallow_no_line(counter: Counter, rows: list[str], line: int, end: bytes) -> None:
    data = sheet(*rows).strip() + end

    assert refused(counter, data, csv_of()) == "open_quote"
    [[why]] = counter.sql("SELECT why FROM billing.bank_imports")
    assert why.startswith(f"line {line}:")


def test_quotes_open_in_the_head_refuse_the_file(counter: Counter) -> None:
    assert refused(counter, b'date;amount;"text\n2026-11-20;1,00;x\n', csv_of()) == "open_quote"


def test_quotes_that_close_on_their_line_are_read(counter: Counter) -> None:
    done = counter.bring(sheet('2026-11-20;1,00;EUR;"a ""b""; c";Ada;q1'), csv_of())

    assert counter.came(done) == {"suspense": 1}
    assert counter.sql("SELECT said FROM billing.bank_lines") == [('a "b"; c',)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (sheet("2026-03-01;1,00;EUR;x;y;z").decode().encode("utf-16") + b"\x00", "broken_text"),
        ("\ufeffdate;am\ud800ount\n".encode("utf-16-le", "surrogatepass"), "broken_text"),
        (b"da\0te;sum\n2026-03-01;1,00\n", "no_such_column"),
        (b"date;" + b"x" * 200_000 + b"\n2026-03-01;1,00\n", "no_such_column"),
    ],
)
def test_a_sheet_that_is_no_text_is_refused_and_stands_among_the_imports(
    counter: Counter, data: bytes, code: str
) -> None:
    assert refused(counter, data, csv_of()) == code


@pytest.mark.parametrize("encoding", ["shift_jis", "utf-7", "rot13", "idna", "no-such-thing"])
def test_a_statement_in_letters_that_the_parser_does_not_read_is_refused(counter: Counter, encoding: str) -> None:
    data = camt(statement(Told(100, "x")))
    begun = data.split(b"?>", 1)[1] if data.startswith(b"<?xml") else data
    assert refused(counter, f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + begun) == "broken_xml"


HEAD = "date;amount;text"
SIDED = {
    "its name": ("date;amount;Soll/Haben", "2026-11-20;5,00;S"),
    "what it holds": ("date;amount;K", "2026-11-20;5,00;S", "2026-11-20;6,00;H"),
    "its English name": ("date;amount;Debit or credit", "2026-11-20;5,00;yes"),
    "two columns beside the amount": ("date;amount;Soll;Haben", "2026-11-20;5,00;;5,00"),
}


@pytest.mark.parametrize("name", SIDED)
def test_a_column_that_tells_debits_from_credits_is_read_or_refuses_the_file(counter: Counter, name: str) -> None:
    head, *rows = SIDED[name]
    data = sheet(*rows, head=head)
    if name == "its name":
        done = counter.bring(data, csv_of())
        assert counter.came(done) == {"suspense": 1} and counter.account(1030) == -500
        return
    assert refused(counter, data, csv_of()) == "side_unmapped"


@pytest.mark.parametrize(
    ("head", "row", "columns", "minor"),
    [
        ("date;amount;K", "2026-11-20;5,00;S", {"side": "K"}, -500),
        ("date;amount;K", "2026-11-20;5,00;Haben", {"side": "K"}, 500),
        ("date;amount;D/C", "2026-11-20;-5,00;DBIT", {}, -500),
        ("date;amount;D/C", "2026-11-20;-5,00;C", {}, None),
        ("date;amount;D/C", "2026-11-20;5,00;?", {}, None),
        ("date;amount;D/C", "2026-11-20;5,00;", {}, None),
        ("date;Débit;Crédit", "20/11/2026;5,00;", {}, -500),
        ("date;Débit;Crédit", "20/11/2026;-5,00;", {}, -500),
        ("date;Débit;Crédit", "20/11/2026;;5,00", {}, 500),
        ("date;Débit;Crédit", "20/11/2026;0,00;5,00", {}, 500),
        ("date;Débit;Crédit", "20/11/2026;1,00;5,00", {}, None),
        ("date;Débit;Crédit", "20/11/2026;;-5,00", {}, None),
        ("date;amount;Soll;Haben", "20/11/2026;9;;5,00", {"debit": "Soll", "credit": "Haben"}, 500),
        ("date;amount;Creditor ID", "20/11/2026;5,00;DE98ZZZ", {}, 500),
        ("date;amount;note", "20/11/2026;5,00;-", {}, 500),
    ],
)
def test_an_amount_has_the_sign_that_its_sheet_says(
    head: str, row: str, columns: dict[str, str], minor: int | None
) -> None:
    _, entry, _ = read_sheet(io.BytesIO(sheet(row, head=head)), Sheet(IBAN, "EUR", columns))

    assert (entry.minor if not entry.refusal else None) == minor


@pytest.mark.parametrize(
    "day", ["2026-02-28", "28.02.2026", "28/02/2026", "28-02-2026", "20260228", "28.02.26", "28.2.2026"]
)
def test_days_are_read_as_banks_write_them(day: str) -> None:
    _, entry, _ = read_sheet(io.BytesIO(sheet(f"{day};1", head=HEAD)), Sheet(IBAN, "EUR", {}))
    assert str(entry.on) == "2026-02-28"


@pytest.mark.parametrize(
    "day", ["2026-02-30", "28/02/26", "2026-0228", "28.02/2026", "", "\u0662026-02-28", "0000-01-01"]
)
def test_other_days_are_told_as_none(day: str) -> None:
    _, entry, _ = read_sheet(io.BytesIO(sheet(f"{day};1", head=HEAD)), Sheet(IBAN, "EUR", {}))
    assert entry.refusal == "bad_date"


def test_a_sheet_of_which_hardly_a_line_can_be_read_is_refused_before_its_end(counter: Counter) -> None:
    begun, endless = sheet(*["soon;1"] * 1_001, head=HEAD), b"soon;1\n" * 500_000
    file = io.BytesIO(begun + endless)
    with pytest.raises(Invalid) as caught:
        counter.take(file)
    assert caught.value.faults[0].code == "too_many_refused"
    counter.bring(sheet(*["soon;1"] * 1_000, head=HEAD), csv_of())


def test_a_sheet_has_at_most_so_many_lines(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.bank.reading.MOST_LINES", 3)
    rows = [f"2026-11-20;{at};x" for at in range(1, 5)]
    counter.bring(sheet(*rows[:3], head=HEAD), csv_of())
    counter.sql("SELECT 1")
    with pytest.raises(Invalid) as caught:
        counter.bring(sheet(*rows, head=HEAD), csv_of())
    assert caught.value.faults[0].code == "too_many_lines"


FOREIGN = '<Ntry xmlns="urn:other"><Amt Ccy="EUR">5.00</Amt></Ntry>'
TWO_ACCOUNTS = f"<Acct><Id><IBAN>{OTHER_IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>"


@pytest.mark.parametrize(
    ("begun", "put", "code"),
    [
        ("</Acct>", f"</Acct>{FOREIGN}", "foreign_namespace"),
        ("<GrpHdr/>", '<GrpHdr xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>', "foreign_namespace"),
        ("</Acct>", f"</Acct>{TWO_ACCOUNTS}", "second_account"),
        ("</Acct>", f"</Acct>{TWO_ACCOUNTS.replace(OTHER_IBAN, IBAN)}", "second_account"),
        ("</Stmt>", f"{TWO_ACCOUNTS}</Stmt>", "second_account"),
        ("</Stmt>", f"</Stmt><Stmt><Id>2</Id>{TWO_ACCOUNTS}</Stmt>", "second_account"),
        ("<Ntry>", "<Ntry " + " ".join(f'a{at}="1"' for at in range(11)) + ">", "too_long"),
        ("</Ntry>", "<X/>" * 100_001 + "</Ntry>", "too_long"),
    ],
)
def test_what_is_slipped_into_a_statement_refuses_it(counter: Counter, begun: str, put: str, code: str) -> None:
    assert refused(counter, camt(statement(Told(100, "x"))).replace(begun.encode(), put.encode(), 1)) == code


def test_what_a_bank_adds_in_its_own_form_is_not_read(counter: Counter) -> None:
    added = f"<SplmtryData><Envlp>{FOREIGN}</Envlp></SplmtryData></Ntry>".encode()
    counter.bring(camt(statement(Told(100, "x"))).replace(b"</Ntry>", added))

    assert counter.account(1030) == 100
