"""Debits and credits of a sheet whose amounts have no sign: a column that says which, mapped or found out.

A debit that is taken for a credit would give money away, so a file in which such a column stands unread is refused.
"""

import re

from core.money import Money

DEBITS = {"d", "dr", "s", "soll", "debit", "débit", "debet", "dbit", "af", "-", "out", "lastschrift"}
CREDITS = {"c", "cr", "h", "haben", "credit", "crédit", "crdt", "bij", "+", "in", "gutschrift"}
_HEADS = re.compile(
    r"\b(?:soll|haben|d[ée]bit|cr[ée]dit|debet|s/h|d/c|c/d|dr/cr|cr/dr|af|bij|sens|side|signe?|vorzeichen)\b"
)
_NOTHING = "-"  # may stand for an empty cell as well


def signed(money: Money, said: str) -> Money | None:
    """Return an amount with the sign that a column beside it says; None when it says neither, or the contrary."""
    word = said.strip().lower()
    if word in DEBITS:
        return Money(-abs(money.minor), money.currency)
    return money if word in CREDITS and money.minor >= 0 else None


class Unmapped:
    """The columns that nobody read, watched for one that tells debits from credits."""

    def __init__(self, head: list[str], read: set[int], *, is_signed: bool) -> None:
        named = {at: name for at, name in enumerate(head) if at not in read and not is_signed}
        self._named = next((name for name in named.values() if _HEADS.search(name.strip().lower())), "")
        self._like = dict(named)
        self._told: set[int] = set()

    def look(self, cells: list[str]) -> None:
        """Look at a line: a column that holds anything else than debit and credit is none."""
        for at in list(self._like):
            word = cells[at].strip().lower() if at < len(cells) else ""
            if word in DEBITS or word in CREDITS:
                self._told.update([] if word == _NOTHING else [at])
            elif word:
                del self._like[at]

    @property
    def found(self) -> str:
        """Return the name of a column that tells debits from credits by its head or by all that it holds, else none."""
        return self._named or next((name for at, name in self._like.items() if at in self._told), "")
