"""Parcels as a CSV file (RFC 4180) that a spreadsheet can open without running anything."""

import codecs
import csv
import io
import re
from collections.abc import Iterable

from marketplace.leads.delivery.formats import text_of
from marketplace.leads.delivery.mapping import Fields, pairs_of
from marketplace.leads.delivery.parcel import Parcel, plain_of
from marketplace.leads.delivery.settings import CsvDelivery

# A plain number, such as a phone number with its plus, computes nothing and stays readable for software.
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_of(columns: Fields, parcels: Iterable[Parcel], *, bom: bool = False) -> bytes:
    """Write a line of names and one line a parcel, in UTF-8 with CRLF; `bom` helps Excel to see that it is UTF-8."""
    return sheet_of(CsvDelivery(columns=columns, bom=bom), parcels)


def sheet_of(settings: CsvDelivery, parcels: Iterable[Parcel]) -> bytes:
    """Write the file that settings ask for, one line a parcel, with CRLF.

    Text that a spreadsheet would take for a formula gets an apostrophe before it; letters that the encoding lacks
    become question marks.
    """
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=settings.separator, lineterminator="\r\n")
    if settings.header:
        writer.writerow([harmless(name) for name in settings.columns])
    for parcel in parcels:
        values = dict(pairs_of(settings.columns, plain_of(parcel)))
        writer.writerow([harmless(text_of(values.get(name))) for name in settings.columns])
    written = sheet.getvalue().encode(settings.encoding, "replace")
    return (codecs.BOM_UTF8 if settings.bom and settings.encoding == "utf-8" else b"") + written


def harmless(text: str) -> str:
    """Return a text as a spreadsheet may open it: what would be taken for a formula gets an apostrophe before it."""
    # Lone surrogates are in no encoding, and what a codec puts in their place must not begin a formula either.
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
    begins = text.lstrip(" ").startswith(_FORMULA_STARTS) or text.startswith(_FORMULA_STARTS)
    return f"'{text}" if begins and not _NUMBER.fullmatch(text) else text
