"""A bank's CSV read line by line, by a mapping of its columns: one that cannot be read is told and stops no other."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from billing.bank.lines import Closed, Entry, Opened, kept
from billing.bank.sides import Unmapped, signed
from core.errors import Fault, Invalid
from core.money import Money

FIELDS = ("date", "amount", "side", "debit", "credit", "currency", "text", "counterparty", "id")
NAMES = {
    "date": ("date", "booking date", "buchungstag", "buchungsdatum", "date comptable", "date d'opération", "datum",
             "boekdatum"),
    "amount": ("amount", "betrag", "montant", "bedrag", "importe"),
    "side": ("side", "soll/haben", "s/h", "soll/haben-kennzeichen", "debit/credit", "credit/debit", "d/c", "c/d",
             "dr/cr", "cr/dr", "débit/crédit", "sens", "af bij", "af/bij", "bij/af", "debet/credit", "cdtdbtind"),
    "debit": ("debit", "soll", "débit", "debet", "paid out", "af"),
    "credit": ("credit", "haben", "crédit", "paid in", "bij"),
    "currency": ("currency", "währung", "devise", "munt", "ccy"),
    "text": ("text", "reference", "reference text", "verwendungszweck", "libellé", "communication", "omschrijving",
             "mededelingen", "remittance information"),
    "counterparty": ("counterparty", "name", "auftraggeber", "payer", "tegenpartij", "nom"),
    "id": ("id", "bank reference", "bankreferenz", "référence", "transaction id", "transactionid"),
}  # fmt: skip
_ISO = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
DELIMITERS = ";,\t|"
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[ '\u00a0\u202f.,]\d{3})*(?:[.,]\d+)?|[+-]?\d+(?:[.,]\d+)?")
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Sheet:
    """Of which account a sheet is, and which of its columns mean what; a column without a name is found by its own."""

    iban: str
    currency: str
    columns: Mapping[str, str]


def read_sheet(file: IO[bytes], sheet: Sheet) -> Iterator[Opened | Entry | Closed]:
    """Read the lines of a sheet; Invalid `bad_statement` when its head does not say where day and amount stand.

    So it is when quotes are open at the end of a line: what follows would be swallowed, and nobody would miss it.
    """
    encoding = _encoding_of(file)
    try:
        yield from _read(io.TextIOWrapper(file, encoding, newline="", errors="strict"), sheet)
    except UnicodeError:
        raise _refused(
            "file", "broken_text", f"Save the file anew as UTF-8; as {encoding} it cannot be read."
        ) from None


def _read(text: io.TextIOWrapper, sheet: Sheet) -> Iterator[Opened | Entry | Closed]:
    head = text.readline()
    delimiter = max(DELIMITERS, key=head.count)
    _, named = next(_rows(csv.reader([_ended(head)], delimiter=delimiter), 0), (1, []))
    places = _places(named or [], sheet.columns)
    unmapped = Unmapped(named or [], set(places.values()), is_signed=bool({"side", "debit", "credit"} & set(places)))
    yield Opened(sheet.iban, sheet.currency, "")
    moved = 0
    for line, cells in _rows(csv.reader(map(_ended, text), delimiter=delimiter), 1):
        unmapped.look(cells or [])
        entry = _entry(line, cells, places, sheet.currency)
        if entry is not None:
            moved += entry.minor
            yield entry
    text.detach()
    if column := unmapped.found:
        says = f"Say side={column} if this column tells debits from credits; else take it out: it looks as if it does."
        raise _refused("side", "side_unmapped", says)
    yield Closed(None, None, moved)


def _rows(rows: Any, before: int) -> Iterator[tuple[int, list[str] | None]]:
    """Give each row with its line of the file, `before` counted on; None for one that cannot be taken apart."""
    line = before
    while True:
        line += 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if rows.line_num + before != line or any(cell.endswith(("\n", "\r")) for cell in cells or ()):
            says = "Close the quotes that are open at the end of this line: what follows them would be lost."
            raise _refused(f"line {line}", "open_quote", says)
        yield line, cells


def _ended(line: str) -> str:
    """Return a line with its end, by which quotes that are open at the last one are seen."""
    return line if line.endswith(("\n", "\r")) else line + "\n"


def _refused(field: str, code: str, says: str) -> Invalid:
    return Invalid("bad_statement", "Nothing was booked of this file.", [Fault(field, code, says)])


def _encoding_of(file: IO[bytes]) -> str:
    """Find out how a sheet is written, and go back to its beginning."""
    begin, decoder = file.read(4), codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-16" if begin[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    file.seek(0)
    try:
        while encoding == "utf-8-sig" and (piece := file.read(_PIECE)):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        encoding = "latin-1" if _has_controls(file) else "cp1252"
    file.seek(0)
    return encoding


def _has_controls(file: IO[bytes]) -> bool:
    """Tell whether a file holds one of the five bytes for which Windows has no letter."""
    file.seek(0)
    while piece := file.read(_PIECE):
        if any(one in piece for one in b"\x81\x8d\x8f\x90\x9d"):
            return True
    return False


def _places(head: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    named = [cell.strip().lower() for cell in head]
    places = {}
    said = {field for field in FIELDS if columns.get(field)}
    for field in FIELDS:
        if field in ("amount", "debit", "credit") and said & ({"debit", "credit"} if field == "amount" else {"amount"}):
            continue  # where amounts stand was said
        wanted = [columns[field].strip().lower()] if field in said else NAMES[field]
        found = next((named.index(one) for one in wanted if one in named), None)
        if found is not None:
            places[field] = found
    faults = [
        Fault(field, "no_such_column", f"Say which column holds the {field}; the file has {', '.join(head)[:200]}.")
        for field in FIELDS
        if field not in places and (field in _needed(places) or columns.get(field))
    ]
    if not faults and "amount" in places and {"debit", "credit"} & set(places):
        says = "Say where amounts stand: amount=… with side=…, or debit=… and credit=… alone; the file has both."
        faults = [Fault("amount", "side_unmapped", says)]
    if faults:
        raise Invalid("bad_statement", "Nothing was booked of this file.", faults)
    return places


def _needed(places: Mapping[str, int]) -> tuple[str, ...]:
    """Return what a sheet has to tell: the day, and the amount in one column or in two."""
    in_two = "amount" not in places and {"debit", "credit"} & set(places)
    return ("date", "debit", "credit") if in_two else ("date", "amount")


def _entry(line: int, cells: list[str] | None, places: Mapping[str, int], currency: str) -> Entry | None:
    if cells is None:
        return Entry(line, refusal="bad_line", says="Send the line again: it cannot be taken apart into columns.")
    if not any(cell.strip() for cell in cells):
        return None
    told = {field: cells[at].strip() if at < len(cells) else "" for field, at in places.items()}
    if told.get("currency", currency).upper() not in ("", currency):
        return Entry(line, refusal="bad_currency", says=f"Import only lines in {currency}, as the account is.")
    on, money = _day(told["date"]), _money(told, currency)
    if on is None:
        return Entry(line, refusal="bad_date", says="Write the day as 2026-01-31, 31.01.2026 or 31/01/2026.")
    if money is None:
        return Entry(line, refusal="bad_amount", says="Write the amount as 1234.50 or 1.234,50, with no more decimals.")
    money = signed(money, told["side"]) if "side" in told else money
    if money is None:
        return Entry(line, refusal="bad_side", says="Say debit or credit in words that fit the amount: D or C, S or H.")
    return Entry(
        line, money.minor, on, kept(told.get("id", "")), "", kept(told.get("text", "")),
        kept(told.get("counterparty", "")), skip="" if money.minor else "zero",
    )  # fmt: skip


def _money(told: Mapping[str, str], currency: str) -> Money | None:
    """Read what a line moved: from one column, or from two of which one is empty or says 0."""
    if "amount" in told:
        return _amount(told["amount"], currency)
    parts = [_amount(told[field], currency) if told[field] else Money(0, currency) for field in ("credit", "debit")]
    if any(one is None for one in parts) or not (told["credit"] or told["debit"]):
        return None
    [came, went] = [one.minor for one in parts if one is not None]
    if came < 0 or (came and went):
        return None
    return Money(came - abs(went), currency)


def _day(text: str) -> date | None:
    """Read a day that is written as by ISO 8601, or day first; the year may lack its century after points."""
    if found := _ISO.fullmatch(text):
        year, month, day = found[1], found[3], found[4]
    elif (found := _DAY_FIRST.fullmatch(text)) and (len(found[4]) == 4 or found[2] == "."):
        year, month, day = found[4] if len(found[4]) == 4 else f"20{found[4]}", found[3], found[1]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _amount(text: str, currency: str) -> Money | None:
    """Read an amount with point or comma; of two different signs the last is the decimal's."""
    text = text.removesuffix("EUR").removesuffix("€").strip().replace("\u2212", "-")
    if not _GROUPED.fullmatch(text):
        return None
    last = max(text.rfind("."), text.rfind(","))
    decimals = len(text) - last - 1 if last >= 0 else 0
    if last >= 0 and decimals == 3 and len({"."} & set(text)) + len({","} & set(text)) == 1:
        return None  # thousands or thousandths: nobody can tell
    whole, part = (text[:last], text[last + 1 :]) if last >= 0 else (text, "")
    digits = "".join(each for each in whole if each.isdigit() or each == "-")
    try:
        return Money.parse(f"{digits}.{part}" if part else digits, currency)
    except ValueError:
        return None
