"""What a statement says, whatever its form: its beginning, its entries, its end; and by what one is known again."""

import hashlib
from dataclasses import dataclass
from datetime import date

MOST_TEXT = 1000  # letters of one text that are kept
PLACEHOLDERS = {"NONREF", "NOTPROVIDED", "NOREF", "NONE", "NA"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A statement begins: of which account and currency, under which name."""

    iban: str
    currency: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One amount that moved, positive when it came in; a batch is one entry for each of its parts when these add up.

    `skip` says why it is not booked (it is not final yet), `refusal` why it cannot be read, with a sentence.
    """

    line: int
    minor: int = 0
    on: date | None = None
    bank_reference: str = ""
    reference: str = ""
    text: str = ""
    counterparty: str = ""
    counterparty_iban: str = ""
    is_reversal: bool = False
    doubt: str = ""
    skip: str = ""
    refusal: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """A statement ends: its balances, in minor units, where it tells both; `moved` is what its final entries sum to."""

    opening: int | None
    closing: int | None
    moved: int

    @property
    def difference(self) -> int:
        """Return what the entries do not explain of the difference between the balances."""
        if self.opening is None or self.closing is None:
            return 0
        return self.closing - self.opening - self.moved

    @property
    def is_proven(self) -> bool:
        """Tell whether the balances show that each entry moved money, also of two that look the same."""
        return self.opening is not None and self.closing is not None and self.difference == 0


def kept(text: str) -> str:
    """Return a text as it is kept: one line, no longer than is useful, without what no database keeps."""
    return " ".join(text.replace("\0", " ").split())[:MOST_TEXT]


def has_bank_reference(entry: Entry) -> bool:
    """Tell whether the bank gave an entry a reference of its own, and no words in its place."""
    reference = entry.bank_reference.upper().replace(" ", "")
    return bool(reference) and reference not in PLACEHOLDERS and bool(reference.strip("0-."))


def mark_of(entry: Entry) -> str:
    """Return by what an entry is known again in its account: the bank's reference, else a digest of what it says.

    The amount belongs to it in both cases: a bank that uses one reference for two amounts loses neither.
    """
    if has_bank_reference(entry):
        return f"ref:{entry.bank_reference.strip()}:{entry.minor}"
    said = (str(entry.on), str(entry.minor), entry.reference, entry.text, entry.counterparty, entry.counterparty_iban)
    return "own:" + hashlib.sha256("\x1f".join(said).encode()).hexdigest()


def identity_of(mark: str, ordinal: int) -> str:
    """Return the identity of an entry: its mark, and which it is of those that look the same in one statement."""
    return f"{mark}:#{ordinal}" if ordinal else mark
