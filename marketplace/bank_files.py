"""A bank's file as pages, the API and the command are given it: of which account a CSV is, and what its columns are."""

from collections.abc import Iterable

from billing import SHEET_FIELDS, BankSheet
from core.errors import Fault, Invalid

MOST_BYTES = 8_000_000  # read while somebody waits; the command takes files of any size


def sheet_of(iban: str, currency: str, columns: Iterable[str]) -> BankSheet:
    """Read what somebody says of a CSV, columns as `date=Buchungstag`; Invalid for a field that no sheet has."""
    pairs = [one.partition("=") for one in columns if one.strip()]
    told = {field.strip(): column.strip() for field, _, column in pairs}
    if unknown := sorted(set(told) - set(SHEET_FIELDS)):
        says = f"Choose among {', '.join(SHEET_FIELDS)}, not {', '.join(unknown)[:100]}."
        raise refused(Fault("columns", "not_allowed_value", says))
    return BankSheet("".join(iban.split()).upper(), currency.strip().upper(), told)


def demand_size(data: bytes) -> None:
    """Refuse a file that is too large to be read while somebody waits."""
    if len(data) > MOST_BYTES:
        says = "Send at most 8 MB here; `leadbourse bank import` takes any size."
        raise refused(Fault("file", "file_too_large", says))


def refused(*faults: Fault) -> Invalid:
    """Make the refusal of a file of which nothing was booked."""
    return Invalid("bad_statement", "Nothing was booked of this file.", list(faults))
