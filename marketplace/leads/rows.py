"""Rows out of a CSV or NDJSON stream of any size: the good ones as they are, the bad ones with their line and why."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import msgspec

from core.errors import Malformed

LONGEST_LINE = 1_000_000  # characters; a file without line ends must not fill the memory
MOST_LINES = 200  # that one row's quotes may span; beyond it the quote was never closed
DELIMITERS = ",;\t|"

_BAD_BYTES, _CUT = "\udcff", "\udcfe"  # lone surrogates, which no decoded text can hold
_BAD_LETTERS = {
    "\0": ("nul_character", "Remove the NUL character from this row."),
    _BAD_BYTES: ("wrong_encoding", "This row is not in the file's encoding: save it in UTF-8, or name its encoding."),
    _CUT: ("line_too_long", f"This line is longer than {LONGEST_LINE} characters."),
}
codecs.register_error("leadbourse.mark", lambda error: (_BAD_BYTES, _end_of(error)))


class Row(NamedTuple):
    """One row: the line on which it begins, and its columns by name, or why it cannot be read."""

    line: int
    columns: dict[str, Any] | Malformed


class CsvFile:
    """A CSV stream whose header is read: comma, semicolon, tab or bar, quotes as RFC 4180 has them, any line ends."""

    def __init__(self, stream: BinaryIO, encoding: str | None = None, delimiter: str | None = None) -> None:
        """Read the header; Malformed `bad_header` when there is none."""
        self._lines = _Lines(stream, encoding or "utf-8")
        first = next(iter(self._lines), "")
        self._lines.give_back(keep=0)
        self.delimiter = delimiter or max(DELIMITERS, key=first.count)
        self._rows = _csv_rows(self._lines, self.delimiter)
        _, header = next(self._rows, (1, []))
        if not isinstance(header, list):
            raise Malformed("bad_header", f"The header cannot be read: {header.detail}")
        if not header:
            raise Malformed("bad_header", "The file is empty: begin it with a line that names its columns.")
        self.header = [name.strip() for name in header]

    def rows(self) -> Iterator[Row]:
        """Yield the rows under the header; blank lines are none."""
        width = len(self.header)
        for line, values in self._rows:
            if isinstance(values, Malformed):
                yield Row(line, values)
            elif len(values) == width:
                yield Row(line, dict(zip(self.header, values, strict=True)))
            else:
                self._lines.give_back(keep=1)  # more lines than one: a quote in the wrong place may have joined them
                detail = f"This row has {len(values)} values, the header names {width} columns."
                yield Row(line, Malformed("wrong_columns", detail))


def ndjson_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers; one that is too long comes cut, so it is no JSON."""
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE), b""), 1):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if text.strip():
            yield number, text


def ndjson_rows(stream: BinaryIO) -> Iterator[Row]:
    """Yield the objects of an NDJSON stream; a column of an inner object is named by its path (`person.email`)."""
    for number, line in ndjson_lines(stream):
        try:
            found = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield Row(number, _flat(found))
        else:
            yield Row(number, Malformed("not_json", "Put one JSON object on each line, in UTF-8."))


def _flat(found: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    waiting: list[tuple[str, dict[str, Any]]] = [("", found)]
    while waiting:
        head, inner = waiting.pop()
        for name, value in inner.items():
            if isinstance(value, dict):
                waiting.append((f"{head}{name}.", value))
            else:
                columns[head + name] = value
    return columns


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _csv_rows(lines: "_Lines", delimiter: str) -> Iterator[tuple[int, list[str] | Malformed]]:
    """Yield each row with the line it begins on; after a bad one go on with the line below its first."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.begin()
        try:
            values = next(reader)
        except StopIteration:
            return
        except (csv.Error, _TooManyLinesError) as wrong:
            unquoted = Malformed("bad_quoting", f"Close every quote, and double those inside: {wrong}.")
            yield line, lines.bad_letter(first_only=True) or unquoted
            lines.give_back(keep=1)
            continue
        bad = lines.bad_letter()
        if bad is not None or values:
            yield line, bad or values


class _TooManyLinesError(Exception):
    """A quote stays open over more lines than any honest row has."""


class _Lines(Iterator[str]):
    """The lines of a text as the CSV reader takes them, which can be given back to be read again."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._text = io.TextIOWrapper(stream, _encoding_of(stream, encoding), errors="leadbourse.mark", newline="")
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._number = 1

    def __del__(self) -> None:
        """Let go of the stream without closing it: it is the caller's."""
        with suppress(ValueError):  # closed already
            self._text.detach()

    def begin(self) -> int:
        """Begin a row, and return the number of its first line."""
        self._number += len(self._taken)
        self._taken.clear()
        return self._number

    def __next__(self) -> str:
        """Take one line, with its line end."""
        if len(self._taken) >= MOST_LINES:
            raise _TooManyLinesError(f"a quote stays open over {MOST_LINES} lines")
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self._taken.append(line)
        return line

    def give_back(self, keep: int) -> None:
        """Give back what this row took but its first `keep` lines."""
        self._again.extendleft(reversed(self._taken[keep:]))
        del self._taken[keep:]

    def bad_letter(self, *, first_only: bool = False) -> Malformed | None:
        """Tell what letter makes this row unusable, if any."""
        for line in self._taken[: 1 if first_only else None]:
            for letter, (code, advice) in _BAD_LETTERS.items():
                if letter in line:
                    return Malformed(code, advice)
        return None

    def _read(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if len(line) < LONGEST_LINE or line[-1] in "\r\n":
            return line
        while (rest := self._text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
            pass
        return _CUT + "\n"


def _encoding_of(stream: BinaryIO, named: str) -> str:
    """Return the encoding that the byte order mark tells, else the one that was named."""
    start = stream.peek(4)[:4] if isinstance(stream, io.BufferedReader) else b""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) or codecs.lookup(named).name == "utf-8" else named


def _end_of(error: UnicodeError) -> int:
    assert isinstance(error, UnicodeDecodeError)  # the streams here are only read
    return error.end
