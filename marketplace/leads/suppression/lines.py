"""An upload read line by line in constant memory: each identity becomes its keyed hash at once and is kept no further.

Plain lines, CSV with a header and NDJSON; in each an address, a number or the SHA-256 of one, or a key as a saved list
has it. Of a hash whose kind nobody says both keys are kept, since only one of them can ever meet a person.
"""

import csv
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any, Literal, NamedTuple

import msgspec

from core.errors import Fault, Invalid
from marketplace.leads.addresses import read_email, read_phone
from marketplace.leads.persons import IdentityKind, hash_of

Format = Literal["text", "csv", "ndjson"]
Keyed = Callable[[IdentityKind, bytes], bytes]

MOST_LINES = 1_000_000
MOST_LINE_BYTES = 4096
SHOWN_FAULTS = 1000
IN_MEMORY = 1 << 20  # of the keys read so far; more goes to a file that nobody else can open
CHUNK = 1 << 16
BOTH: tuple[IdentityKind, ...] = ("email", "phone")
# What a column or a member may be called, and what stands in it.
COLUMNS = ("email", "phone", "email_sha256", "phone_sha256", "sha256", "key")
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ALIASES = {"e-mail": "email", "mail": "email", "e_mail": "email", "telephone": "phone", "hash": "sha256"}


class BadLine(NamedTuple):
    """A line that says nobody, with the reason."""

    line: int
    code: str
    message: str


class _Refused(Exception):
    """A line says nobody: it is counted and the next one read."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message


class Upload:
    """What was read of an upload: the keys in a private file, and the counts; close it when the keys are stored."""

    def __init__(self, shape: Format, country: str, keyed: Keyed) -> None:
        self._shape, self._country, self._keyed = shape, country, keyed
        self._columns: list[str | None] | None = None
        self._separator = ","
        self.keys: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed by `close`
        self.digest = hashlib.sha256()
        self.lines = self.bad = 0
        self.faults: list[BadLine] = []

    def close(self) -> None:
        """Forget the keys."""
        self.keys.close()

    def read(self, stream: Any) -> None:
        """Read a stream to its end; Invalid `invalid_list` for a header without a known column or too many lines."""
        for number, raw in _lines(stream, self.digest):
            if raw is not None and not raw.strip():
                continue
            try:
                entries = self._entries(raw)
                if entries is None:  # the header
                    continue
                self._count()
                self._keep(entries)
            except _Refused as refused:
                self._count()
                self._list(BadLine(number, refused.code, refused.message))

    def _count(self) -> None:
        self.lines += 1
        if self.lines > MOST_LINES:
            fault = Fault("$", "too_many", f"Split the list: one upload has at most {MOST_LINES} lines.")
            raise Invalid("invalid_list", "The list cannot be kept.", [fault])

    def _list(self, bad: BadLine) -> None:
        self.bad += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(bad)

    def _keep(self, entries: list[tuple[tuple[IdentityKind, ...], bytes]]) -> None:
        """Write the keys as COPY reads them; of a twin only the first counts as an entry."""
        for kinds, digest in entries:
            if not kinds:  # a key as a saved list has it
                self.keys.write(b"\\\\x%b\tf\n" % digest.hex().encode())
            for place, kind in enumerate(kinds):
                self.keys.write(b"\\\\x%b\t%b\n" % (self._keyed(kind, digest).hex().encode(), b"ft"[place : place + 1]))

    def _entries(self, raw: bytes | None) -> list[tuple[tuple[IdentityKind, ...], bytes]] | None:
        if raw is None:
            raise _Refused("too_long", f"A line has at most {MOST_LINE_BYTES} bytes.")
        try:
            text = raw.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise _Refused("bad_format", "Send the line in UTF-8.") from None
        if self._shape == "text":
            return [self._plain(text)]
        named = self._members(text) if self._shape == "ndjson" else self._cells(text)
        if named is None:
            return None
        found = [self._named(name, str(value).strip()) for name, value in named if value not in (None, "")]
        if not found:
            raise _Refused("missing", f"Send at least one of {', '.join(COLUMNS)}.")
        return found

    def _members(self, text: str) -> list[tuple[str, Any]]:
        try:
            value = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, RecursionError):
            raise _Refused("bad_format", "Send one JSON object or text a line.") from None
        if isinstance(value, str):
            return [("", value)]
        if not isinstance(value, dict):
            raise _Refused("bad_format", "Send one JSON object or text a line.")
        named = ((_name(name), each) for name, each in value.items())
        return [(name, each) for name, each in named if name and isinstance(each, str)]

    def _cells(self, text: str) -> list[tuple[str, Any]] | None:
        if self._columns is None:
            self._separator = max(",;\t", key=text.count)
            self._columns = [_name(cell) for cell in next(csv.reader([text], delimiter=self._separator))]
            if not any(self._columns):
                fault = Fault("$", "missing_column", f"Begin with a header that names one of {', '.join(COLUMNS)}.")
                raise Invalid("invalid_list", "The list cannot be kept.", [fault])
            return None
        try:
            cells = next(csv.reader([text], delimiter=self._separator, strict=True))
        except (csv.Error, StopIteration):
            raise _Refused("bad_format", "Send one row of CSV a line.") from None
        return [(name, cell) for name, cell in zip(self._columns, cells, strict=False) if name]

    def _named(self, name: str, text: str) -> tuple[tuple[IdentityKind, ...], bytes]:
        if name == "email_sha256":
            return ("email",), _digest(text)
        if name == "phone_sha256":
            return ("phone",), _digest(text)
        if name == "key":
            return (), _digest(text)
        if name == "sha256":
            return BOTH, _digest(text)
        if _HEX.fullmatch(text.lower()):
            return ((name,) if name in BOTH else BOTH), _digest(text)
        if name == "email":
            return self._email(text)
        return self._phone(text) if name == "phone" else self._plain(text)

    def _plain(self, text: str) -> tuple[tuple[IdentityKind, ...], bytes]:
        if _HEX.fullmatch(text.lower()):
            return BOTH, _digest(text)
        return self._email(text) if "@" in text else self._phone(text)

    def _email(self, text: str) -> tuple[tuple[IdentityKind, ...], bytes]:
        email = read_email(text)
        if email is None:
            raise _Refused("invalid_email", "Send a usable address, or the SHA-256 of one in small letters.")
        return ("email",), hash_of(email.key)

    def _phone(self, text: str) -> tuple[tuple[IdentityKind, ...], bytes]:
        phone = read_phone(text, self._country)
        if phone is None:
            says = "Send a usable number with its country prefix (or say ?country=FR), or the SHA-256 of one in E.164."
            raise _Refused("invalid_phone", says)
        return ("phone",), hash_of(phone.e164)


def _digest(text: str) -> bytes:
    if not _HEX.fullmatch(text.lower()):
        raise _Refused("bad_format", "Send a SHA-256 as 64 hexadecimal digits.")
    return bytes.fromhex(text)


def _name(cell: str) -> str | None:
    name = cell.strip().strip("\ufeff").lower().replace(" ", "_")
    name = _ALIASES.get(name, name)
    return name if name in COLUMNS else None


def _lines(stream: Any, digest: Any) -> Iterator[tuple[int, bytes | None]]:
    """Give each line with its number, None for one that is too long, of which no more than that is ever held."""
    number, rest, skipping = 1, b"", False
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield number, None if skipping or len(line) > MOST_LINE_BYTES else line
            number, skipping = number + 1, False
        if len(rest) > MOST_LINE_BYTES:
            rest, skipping = b"", True
    if rest or skipping:
        yield number, None if skipping else rest
