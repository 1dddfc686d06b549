"""Account numbers (ISO 13616) and banks' codes (ISO 9362): their form, and the remainder of 97 that checks a number."""

import re
import string

LETTERS = string.digits + string.ascii_uppercase
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
IBAN_LENGTHS = {
    "AT": 20, "BA": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
    "IE": 22, "IT": 27, "LT": 20, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24,
}  # fmt: skip


def plain(text: str) -> str:
    """Return only the letters and digits of a text, in capitals: spacing and case mean nothing in a reference."""
    return "".join(each for each in text.upper() if each in LETTERS)


def iban_fault(text: str) -> str:
    """Say what is wrong with a plain account number; empty when nothing is."""
    if not _IBAN.fullmatch(text):
        return "Give an IBAN: two letters, two digits, then letters and digits."
    if text[:2] in IBAN_LENGTHS and len(text) != IBAN_LENGTHS[text[:2]]:
        return f"Give all {IBAN_LENGTHS[text[:2]]} characters that an IBAN of {text[:2]} has."
    return "" if remainder(text[4:] + text[:4]) == 1 else "Look at the IBAN again: its digits do not check."


def is_bic(text: str) -> bool:
    """Tell whether a plain text has the form of a bank's code: 8 or 11 characters."""
    return _BIC.fullmatch(text) is not None


def remainder(text: str) -> int:
    """Return the remainder of 97 of capitals and digits, each letter standing for its number from 10 to 35."""
    return int("".join(str(int(each, 36)) for each in text)) % 97
