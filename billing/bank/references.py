"""Creditor references (ISO 11649): made, checked, found in what people write.

They are checked by the remainder of 97. A slip of the pen is told as a suggestion, and never taken for the reference.
"""

import re
import string

from billing.iban import plain, remainder

BODY = 12  # digits after RF and the two that check
LENGTH = 4 + BODY
_CANDIDATE = re.compile(r"(?=(RF\d{14}))")
_SLIPPED = re.compile(r"RF[0-9A-Z]{13,15}(?![0-9A-Z])")
_RF = re.compile(r"RF\d{2}[A-Z0-9]{1,21}")


def make_reference(body: str) -> str:
    """Make the creditor reference of a body of capitals and digits, with its two digits that check."""
    return f"RF{98 - remainder(body + 'RF00'):02d}{body}"


def is_reference(text: str) -> bool:
    """Tell whether a plain text is a creditor reference whose digits check."""
    return _RF.fullmatch(text) is not None and remainder(text[4:] + text[:4]) == 1


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
