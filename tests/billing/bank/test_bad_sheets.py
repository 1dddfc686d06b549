"""Sheets that are damaged or made to harm: each is refused with a reason, and no line of one is lost silently."""

import pytest

from tests.billing.bank.conftest import Counter, csv_of
from tests.billing.bank.statements import Told, camt, sheet, statement
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
