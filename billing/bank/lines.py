"""What a statement says, whatever its form: its beginning, its entries, its end; and by what one is known again."""

import hashlib
from dataclasses import dataclass
from datetime import date

MOST_TEXT = 1000  # letters of one text that are kept
MOST_REFERENCE = 64  # letters of a bank's reference by which it is known again as it is; an index has rows of a size
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

    `skip` says why it is not booked (it is not final yet), `refusal` why it cannot be read, with a sentence. Of a part
    `whole` is the mark of its unsplit batch, of which it has the amount and the line on which it begins; `nth` counts
    those of one amount to which the bank gave no reference of their own.
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
    whole: str = ""
    whole_minor: int = 0
    batch: int = 0
    nth: int = 0


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

    The amount belongs to it in both cases: a bank that uses one reference for two amounts loses neither. A part of a
    batch is known by its batch, its amount, and which it is of those that are equal, in whatever order they are told.
    """
    if entry.nth:
        return f"part:{_digest(entry.whole)}:{entry.minor}:{entry.nth}"
    if has_bank_reference(entry):
        reference = entry.bank_reference.strip()
        return f"ref:{reference if len(reference) <= MOST_REFERENCE else _digest(reference)}:{entry.minor}"
    said = (str(entry.on), str(entry.minor), entry.reference, entry.text, entry.counterparty, entry.counterparty_iban)
    return "own:" + _digest("\x1f".join(said))


def is_of_bank(mark: str) -> bool:
    """Tell whether a mark is the bank's own reference, which may come again on another day."""
    return mark.startswith("ref:")


def identity_of(mark: str, on: date | None, ordinal: int) -> str:
    """Return the identity of an entry: its mark, its day, and which it is of those that look the same in one statement.

    What is known by what it says has its day in its mark.
    """
    dated = mark if mark.startswith("own:") else f"{mark}@{on}"
    return f"{dated}:#{ordinal}" if ordinal else dated


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
