"""Creditor references (ISO 11649) and account numbers (ISO 13616): made, checked, found in what people write.

Both are checked by the remainder of 97. A slip of the pen is told as a suggestion, and never taken for the reference.
"""

import re
import string

LETTERS = string.digits + string.ascii_uppercase
BODY = 12  # digits after RF and the two that check
LENGTH = 4 + BODY
_CANDIDATE = re.compile(r"(?=(RF\d{14}))")
_SLIPPED = re.compile(r"RF[0-9A-Z]{13,15}(?![0-9A-Z])")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_RF = re.compile(r"RF\d{2}[A-Z0-9]{1,21}")
IBAN_LENGTHS = {
    "AT": 20, "BA": 20, "BE": 16, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22,
    "IE": 22, "IT": 27, "LT": 20, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24,
}  # fmt: skip


def plain(text: str) -> str:
    """Return only the letters and digits of a text, in capitals: spacing and case mean nothing in a reference."""
    return "".join(each for each in text.upper() if each in LETTERS)


def make_reference(body: str) -> str:
    """Make the creditor reference of a body of capitals and digits, with its two digits that check."""
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def is_reference(text: str) -> bool:
    """Tell whether a plain text is a creditor reference whose digits check."""
    return _RF.fullmatch(text) is not None and _remainder(text[4:] + text[:4]) == 1


def shown(reference: str) -> str:
    """Write a reference or an account number in groups of four, as it is printed."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def references_in(text: str) -> set[str]:
    """Find the references of our length in what somebody wrote, whatever its spacing and case, with digits that check.

    Spacing is nothing, so digits of what stands beside may make a reference by chance: only known ones count.
    """
    return {found for found in _CANDIDATE.findall(plain(text)) if is_reference(found)}


def slips_of(text: str) -> set[str]:
    """Return the references that one slip would have made into what somebody wrote: suggestions, never matches.

    A slip is one letter wrong, too many or missing, or two beside each other turned round.
    """
    written = {found for word in (plain(text), *map(plain, text.split())) for found in _SLIPPED.findall(word)}
    return {right for wrong in written for right in _near(wrong) if len(right) == LENGTH and is_reference(right)}


def _near(wrong: str) -> set[str]:
    places = range(2, len(wrong))
    digits = string.digits
    near = {wrong[:at] + one + wrong[at + 1 :] for at in places for one in digits}
    near |= {wrong[:at] + wrong[at + 1 :] for at in places}
    near |= {wrong[:at] + one + wrong[at:] for at in range(2, len(wrong) + 1) for one in digits}
    near |= {wrong[:at] + wrong[at + 1] + wrong[at] + wrong[at + 2 :] for at in places if at + 1 < len(wrong)}
    return near - {wrong}


def iban_fault(text: str) -> str:
    """Say what is wrong with a plain account number; empty when nothing is."""
    if not _IBAN.fullmatch(text):
        return "Give an IBAN: two letters, two digits, then letters and digits."
    if text[:2] in IBAN_LENGTHS and len(text) != IBAN_LENGTHS[text[:2]]:
        return f"Give all {IBAN_LENGTHS[text[:2]]} characters that an IBAN of {text[:2]} has."
    return "" if _remainder(text[4:] + text[:4]) == 1 else "Look at the IBAN again: its digits do not check."


def is_bic(text: str) -> bool:
    """Tell whether a plain text has the form of a bank's code: 8 or 11 characters."""
    return _BIC.fullmatch(text) is not None


def _remainder(text: str) -> int:
    return int("".join(str(int(each, 36)) for each in text)) % 97
