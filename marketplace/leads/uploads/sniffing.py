"""What kind of file somebody uploaded: its encoding, its columns and how many rows, or why it is no table of leads."""

import codecs
import io
from itertools import islice
from typing import NamedTuple

from core.errors import Fault, Invalid, Malformed
from marketplace.leads.rows import CsvFile

MOST_BYTES = 20_000_000
MOST_ROWS = 200_000
MOST_COLUMNS = 300
SAMPLES = 3
_SAMPLED_ROWS = 50
WESTERN = "cp1252"  # what spreadsheets of Western Europe write when they do not write UTF-8
ENCODINGS = ("utf-8", WESTERN, "iso-8859-15", "cp1250", "cp1251", "cp1253", "cp1254", "utf-16", "shift_jis", "gb18030")

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are archives, .xls is a compound file
_LOOKED_AT = 65_536
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\0")  # a NUL here and there makes its row unusable, not the file


class Table(NamedTuple):
    """A file that can be read: how, the names of its columns, the number of its rows, the first values of each."""

    encoding: str
    delimiter: str
    header: list[str]
    rows: int
    samples: dict[str, list[str]]


def table_of(data: bytes, encoding: str | None) -> Table:
    """Read a file through once; Invalid `unusable_file` says at the field what to do when it is no table of leads."""
    _check_bytes(data)
    chosen = encoding or encoding_of(data)
    try:
        file = open_table(data, chosen, None)
    except Malformed as refused:
        raise _refused(Fault("file", "bad_header", refused.detail)) from None
    _check_header(file.header)
    rows, samples = samples_of(file)
    rows += sum(1 for _ in islice(file.rows(), MOST_ROWS))
    if rows == 0:
        raise _refused(
            Fault("file", "no_rows", "The file has a header and no row below it: export it again with its leads.")
        )
    if rows > MOST_ROWS:
        raise _refused(Fault("file", "too_many", f"Split the file: an upload has at most {MOST_ROWS:,} rows."))
    return Table(chosen, file.delimiter, file.header, rows, samples)


def open_table(data: bytes, encoding: str, delimiter: str | None) -> CsvFile:
    """Open the bytes of a file as a table."""
    return CsvFile(io.BufferedReader(io.BytesIO(data)), encoding, delimiter)


def encoding_of(data: bytes) -> str:
    """Tell a file's encoding: by its byte order mark, as UTF-8, else as Windows writes Western languages.

    A file that is mostly good UTF-8 stays so: its bad rows are refused, rather than all others read wrong.
    """
    if data.startswith(_UTF16):
        return "utf-16"
    text = data.decode("utf-8", "leadbourse.mark")
    bad = text.count("\udcff")
    if bad == 0 or sum(letter > "\x7f" for letter in text) - bad > bad:
        return "utf-8"
    try:
        data.decode(WESTERN)
    except UnicodeDecodeError:
        raise _refused(Fault("encoding", "wrong_encoding", "Choose the encoding that the file was saved in.")) from None
    return WESTERN


def _check_bytes(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise _refused(
            Fault("file", "too_long", f"Split the file: an upload has at most {MOST_BYTES // 1_000_000} MB.")
        )
    if not data.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise _refused(Fault("file", "missing", "The file is empty: choose one with a header and rows."))
    if data.startswith(_SPREADSHEETS):
        raise _refused(
            Fault("file", "file_type_refused", "This is a spreadsheet's own file: save it as CSV, and choose that.")
        )
    start = data[:_LOOKED_AT]
    odd = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in start) + start.startswith(b"%PDF") * len(start)
    many_nuls = start.count(0) * 10 > len(start)
    if not data.startswith(_UTF16) and (odd * 50 > len(start) or many_nuls):
        raise _refused(
            Fault("file", "file_type_refused", "This is no text: choose a CSV file (UTF-16 with a byte order mark).")
        )


def _check_header(header: list[str]) -> None:
    if len(header) > MOST_COLUMNS:
        raise _refused(
            Fault("file", "too_many", f"The header names {len(header)} columns; keep at most {MOST_COLUMNS}.")
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        named = ", ".join(f"“{name[:60]}”" if name else "one without a name" for name in twice[:5])
        raise _refused(Fault("file", "repeated_column", f"Name each column once; the header repeats {named}."))


def samples_of(file: CsvFile) -> tuple[int, dict[str, list[str]]]:
    """Return the first values that each column says, and how many rows were read for them."""
    samples: dict[str, list[str]] = {name: [] for name in file.header}
    count = 0
    for row in islice(file.rows(), _SAMPLED_ROWS):
        count += 1
        for name, value in row.columns.items() if isinstance(row.columns, dict) else ():
            if value.strip() and len(samples[name]) < SAMPLES:
                samples[name].append(value.strip()[:80])
    return count, samples


def _refused(fault: Fault) -> Invalid:
    return Invalid("unusable_file", "The file cannot be used.", [fault])
